"""Signals: what is measured on a text, by family."""
