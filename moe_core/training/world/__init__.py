"""Scenes with exact truth: sites, actors and their ways, stories, and what is true of incidents."""
