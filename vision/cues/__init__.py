"""Cues: what pixels say that no detector names."""
