"""A crawl's index asked which records to read: by host, address, language, media type, status or date."""
