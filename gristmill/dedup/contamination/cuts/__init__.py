"""Cutting what is found out of pages."""
