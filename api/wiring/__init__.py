"""Construction: one file for each stage, and what they share."""
