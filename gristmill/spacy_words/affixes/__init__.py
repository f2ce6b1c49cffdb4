"""What spaCy takes off a chunk at its start and end, and splits it at."""
