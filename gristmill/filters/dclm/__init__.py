"""What DCLM's code takes for words and lines: read by its signals, and by the edit of RefinedWeb's lines."""
