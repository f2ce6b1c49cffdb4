"""Tables of n-grams."""
