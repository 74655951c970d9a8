"""What the trained core reads: an incident as typed tokens, and the claims it may choose from."""
