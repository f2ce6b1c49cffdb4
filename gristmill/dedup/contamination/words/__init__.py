"""Texts as they are compared with benchmarks."""
