"""Faults of cameras and of the pipeline, each with the bar that it must meet: ``make chaos``."""
