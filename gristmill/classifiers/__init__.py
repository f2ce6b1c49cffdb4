"""Language and quality models."""
