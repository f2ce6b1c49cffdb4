"""gristmill: WARC in, training tokens out, every record accounted for."""

__version__ = "0.1.0"
