"""WARC files read so that nothing vanishes: every record, and every damaged stretch, with its offset."""
