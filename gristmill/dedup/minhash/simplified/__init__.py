"""Words as FineWeb's MinHash sees them: a text simplified, then split by spaCy's blank English pipeline."""
