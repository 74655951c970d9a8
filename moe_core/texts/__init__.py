"""Words for people, one module for each language, keyed by predicate; ``en`` is complete."""
