"""SHA-1 and XXH64 of many short spans of bytes."""
