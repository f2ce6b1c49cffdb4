"""What spaCy takes for an address of the web or of mail, and what it knows of characters."""
