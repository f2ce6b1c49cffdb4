"""spaCy's words, at the speed of a dictionary."""
