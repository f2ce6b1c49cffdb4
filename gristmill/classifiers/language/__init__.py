"""Which languages texts are in: labels, how sure they are, their codes, and lines in other languages."""

from gristmill.classifiers.language.identifier import UNDETERMINED, LanguageIdentifier, some, versions

__all__ = ["UNDETERMINED", "LanguageIdentifier", "some", "versions"]
