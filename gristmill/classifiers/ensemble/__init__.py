"""Scores made of other scores: each becomes a bucket by its rank in the run, and the buckets are put together."""
