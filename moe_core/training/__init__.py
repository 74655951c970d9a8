"""Training of the reasoning core: simulated worlds, and the corpus that is written of them."""
