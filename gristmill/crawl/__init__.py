"""WARC reading, charsets and text extraction."""
