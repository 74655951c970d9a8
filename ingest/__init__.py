"""Cameras in, frames out: sources, reconnecting, timeline, sampling, frame queue, clip ring."""
