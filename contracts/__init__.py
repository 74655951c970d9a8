"""What the packages agree on: nouns, ports, errors, settings, clock and codec. No I/O."""
