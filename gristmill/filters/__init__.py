"""Signals, rules and presets: what is measured on a document, and which bounds decide."""
