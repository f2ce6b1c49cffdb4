"""Tokenizer training, encoding, packing and token shards."""
