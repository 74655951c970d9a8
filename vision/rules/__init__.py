"""One file for each rule kind, and their registry."""
