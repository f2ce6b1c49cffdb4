"""Common Crawl's files: where they lie, and copies of them on this machine."""
