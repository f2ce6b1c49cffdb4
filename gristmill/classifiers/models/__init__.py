"""Models by name, path or URL: found as a file of this machine with its digest, and checked for being a whole model."""

from gristmill.classifiers.models.digests import digest_of
from gristmill.classifiers.models.find import FoundModel, cache_folder, check_model, find_model, find_planned, unchanged

__all__ = ["FoundModel", "cache_folder", "check_model", "digest_of", "find_model", "find_planned", "unchanged"]
