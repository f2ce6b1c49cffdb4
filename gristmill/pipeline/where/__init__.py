"""Conditions on documents, as a command takes them: ``word_count >= 200 and language in (en, fr) and kept``."""
