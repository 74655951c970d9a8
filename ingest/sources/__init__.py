"""One file for each way a camera's frames reach us."""
