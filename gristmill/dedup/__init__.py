"""Keys, survivors and contamination: which documents repeat each other or a benchmark."""
