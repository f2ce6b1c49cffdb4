"""Which domains above a host may stand for it."""

from __future__ import annotations

from tldextract import TLDExtract


class Registered:
    """Tells registered domains from suffixes under which anyone registers, by the public suffix list."""

    def __init__(self) -> None:
        self._suffixes: TLDExtract | None = None

    def may_decide(self, host: str, domain: str) -> bool:
        """Return whether a domain of a host is that host, or no shorter than what was registered: never ``co.uk``."""
        if domain == host:
            return True
        if self._suffixes is None:
            self._suffixes = TLDExtract(suffix_list_urls=(), cache_dir=None)
        found = self._suffixes.extract_str(host)
        if not found.suffix:
            return domain.count(".") > 0
        return bool(found.domain) and domain.count(".") > found.suffix.count(".")
