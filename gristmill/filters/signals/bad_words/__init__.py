"""Obscene words of the document's own language."""
