"""MinHash-LSH: documents that share most of their shingles."""
