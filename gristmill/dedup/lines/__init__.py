"""Lines, spans of sentences and paragraphs that stand in several places of a corpus."""
