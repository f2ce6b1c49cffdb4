"""Recipes, plans, shards, stages and executors: what happens to a shard, and in which order."""
