"""Perplexity: n-gram models trained by Kneser-Ney, and what they say of texts."""
