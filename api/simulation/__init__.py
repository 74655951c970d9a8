"""Simulated scenes seen by vision: what the reasoning core is trained on and tested with."""
