"""Bloom filters over 64-bit keys: which keys came before, and which came twice, in a few bits for each."""
