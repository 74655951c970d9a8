"""What each predicate is checked by; ``moe_core/verify.py`` holds the registry."""
