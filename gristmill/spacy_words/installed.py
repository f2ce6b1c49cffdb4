"""Whether spaCy is installed, and which; it is not imported for that."""

from __future__ import annotations

import importlib.metadata
import importlib.util


def is_installed() -> bool:
    """Return whether spaCy is there."""
    return importlib.util.find_spec("spacy") is not None


def version() -> str:
    """Return the version of spaCy. Raises PackageNotFoundError where it is not installed."""
    return importlib.metadata.version("spacy")
