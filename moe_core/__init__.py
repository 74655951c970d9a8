"""Incidents in, findings out: claims, their checker and the reasoner."""
