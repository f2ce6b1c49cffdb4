"""Evaluation sets: which there are and where, and the texts of their items."""

from gristmill.dedup.benchmarks.items import FIELDS, ITEMS, KINDS, SPLIT
from gristmill.dedup.benchmarks.read import read_items

__all__ = ["FIELDS", "ITEMS", "KINDS", "SPLIT", "read_items"]
