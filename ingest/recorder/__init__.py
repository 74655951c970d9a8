"""Continuous recording: all that a camera sends, in parts of a minute, kept for some days."""
