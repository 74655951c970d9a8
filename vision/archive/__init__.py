"""What was followed, kept for back-tests: tracks as columns, their bytes, and who writes them."""
