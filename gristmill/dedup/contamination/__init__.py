"""Contamination: which documents have what of evaluation items, and where."""

from gristmill.dedup.contamination.hits import HITS, Found
from gristmill.dedup.contamination.index import BenchmarkIndex, index_items, versions
from gristmill.dedup.contamination.normal import normalised_words

__all__ = ["HITS", "BenchmarkIndex", "Found", "index_items", "normalised_words", "versions"]
