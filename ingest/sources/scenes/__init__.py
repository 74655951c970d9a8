"""Scripted scenes with known truth, for the demo camera and the tests."""
