"""What runs the encoder: one file for each way, and how one of them is chosen."""
