"""What the kinds that compare near-duplicates have in common: buckets of documents, and the leaders among these."""
