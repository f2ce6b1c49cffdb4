"""Edits: spans of a text that are deleted or replaced, each with its reason; the text itself is never rewritten."""
