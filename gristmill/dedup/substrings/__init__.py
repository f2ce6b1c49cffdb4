"""Exact substrings: runs of words that the corpus has several times (Lee et al. 2022, arXiv:2107.06499)."""
