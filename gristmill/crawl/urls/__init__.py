"""Which addresses are not extracted, and which pages ask not to be."""
