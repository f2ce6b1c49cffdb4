"""Which domains above a host may stand for it."""

from __future__ import annotations

from tldextract import TLDExtract
from tldextract.tldextract import ExtractResult


class Registered:
    """Tells registered domains from suffixes under which anyone registers, by the public suffix list."""

    def __init__(self) -> None:
        self._suffixes: TLDExtract | None = None

    def may_decide(self, host: str, domain: str) -> bool:
        """Return whether a domain of a host is that host, or no shorter than what was registered: never ``co.uk``."""
        if domain == host:
            return True
        found = self._extract(host)
        if not found.suffix:
            return domain.count(".") > 0
        return bool(found.domain) and domain.count(".") > found.suffix.count(".")

    def of(self, host: str) -> str:
        """Return the domain of a host that was registered; the host itself where none is known, as of an address.

        >>> Registered().of("news.example.co.uk"), Registered().of("127.0.0.1")
        ('example.co.uk', '127.0.0.1')
        """
        found = self._extract(host)
        return f"{found.domain}.{found.suffix}" if found.domain and found.suffix else host

    def _extract(self, host: str) -> ExtractResult:
        if self._suffixes is None:
            self._suffixes = TLDExtract(suffix_list_urls=(), cache_dir=None)
        return self._suffixes.extract_str(host)
