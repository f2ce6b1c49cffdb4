"""The rules on addresses: which of them drops a page, by what it found.

A recipe's lists are read once, into an index (`index`) that also holds the words, named by a digest of all of them. A
process that finds the index needs none of the lists.

Domains and addresses are those of the lists; hard words, soft words and substrings are those of FineWeb's URL filter
(Penedo et al. 2024) and of RefinedWeb before it (Penedo et al. 2023, arXiv:2306.01116, G.1).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gristmill.crawl import fates
from gristmill.crawl.fates import Fate
from gristmill.crawl.urls.address import Address, exact_key, parents, parse_url, readable_text
from gristmill.crawl.urls.entries import Hashes, word_lines
from gristmill.crawl.urls.index import FORMAT, Listed, UrlIndex, index_path, write_index
from gristmill.crawl.urls.lists import ListBytes, default_words, read_blocklist, read_entries
from gristmill.crawl.urls.registered import Registered
from gristmill.crawl.urls.settings import DEFAULT, BlocklistSettings, UrlRuleSettings
from gristmill.crawl.urls.words import SubstringFinder, Words, found_words, normal_words, split_words, squeezed
from gristmill.errors import CorruptError, StaleError

_RECIPE = "recipe"
_WORD_KINDS = ("hard_words", "soft_words", "substrings")


class UrlRules:
    """Decides on addresses by an index. Costs some microseconds an address."""

    def __init__(self, index: UrlIndex) -> None:
        facts = index.facts
        self._index = index
        self._hard, self._soft, self._substrings = (_by_word(facts[kind]) for kind in _WORD_KINDS)
        self._least_soft: int = facts["least_soft_words"]
        self._ignored: str = facts["substrings_ignore"]
        self._finder = SubstringFinder(self._substrings)
        self._has_words = bool(self._hard or self._soft or self._substrings)
        self._registered = Registered()

    def judge(self, url: str) -> Fate | None:
        """Return the fate of an address, with what it rests on; None if no rule hits.

        In order: what is allowed, listed domains, listed addresses, hard words, soft words, substrings.
        """
        address = parse_url(url)
        key = exact_key(address)
        if self._index.allows and self._is_allowed(address, key):
            return None
        if len(self._index):
            if domain := self._listed_domain(address):
                return domain
            if name := self._index.list_of(key):
                return Fate(fates.URL_LISTED, f"{key[:500]} ({name})")
        return self._by_words(readable_text(address)) if self._has_words else None

    def _listed_domain(self, address: Address) -> Fate | None:
        for domain in (address.host,) if address.is_numeric else parents(address.host):
            name = self._index.list_of(domain)
            if name and self._registered.may_decide(address.host, domain):
                return Fate(fates.URL_DOMAIN, f"{domain} ({name})")
        return None

    def _is_allowed(self, address: Address, key: str) -> bool:
        domains = (address.host,) if address.is_numeric else parents(address.host)
        allowed = (d for d in domains if self._index.is_allowed(d) and self._registered.may_decide(address.host, d))
        return next(allowed, None) is not None or self._index.is_allowed(key)

    def _by_words(self, text: str) -> Fate | None:
        words = split_words(text)
        if hard := found_words(self._hard, words):
            return Fate(fates.URL_HARD_WORD, f"{hard[0]} ({self._hard[hard[0]]})")
        soft = found_words(self._soft, words)
        if len(soft) >= self._least_soft:
            shown = ", ".join(f"{word} ({self._soft[word]})" for word in soft[: self._least_soft])
            return Fate(fates.URL_SOFT_WORDS, shown)
        squeezed_text = "".join(words) if self._ignored == "all" else squeezed(text, self._ignored)
        if self._substrings and (substring := self._finder.first(squeezed_text)):
            return Fate(fates.URL_SUBSTRING, f"{substring} ({self._substrings[substring]})")
        return None


@dataclass(frozen=True)
class UrlSources:
    """What a recipe's rules on addresses name, read as it lies; entries are lists' bytes or the recipe's own text."""

    blocklists: tuple[ListBytes, ...]
    domains: ListBytes | tuple[str, ...]
    exact: ListBytes | tuple[str, ...]
    allow: ListBytes | tuple[str, ...]
    words: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Digest of all that an index made of it depends on: not where the lists lie."""
        named = [
            list_.identity if isinstance(list_, ListBytes) else list_
            for list_ in (*self.blocklists, self.domains, self.exact, self.allow)
        ]
        text = json.dumps([FORMAT, importlib.metadata.version("idna"), len(self.blocklists), named, self.words])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def write(self) -> None:
        """Write the index. Raises UsageError for a list that is none, CorruptError for one that cannot be unpacked."""
        lists: list[tuple[str, np.ndarray]] = []
        for list_ in self.blocklists:
            hashes = Hashes(f"url_blocklist: {list_.name}")
            hashes.add_list(list_)
            lists += hashes.take()
        lists += _hashes("domains", self.domains) + _hashes("exact", self.exact, "urls")
        allowed = [found for _, found in _hashes("allow", self.allow)]
        listed = Listed(lists, np.concatenate(allowed) if allowed else np.zeros(0, np.uint64))
        write_index(index_path(self.key), listed, self.words)


def read_sources(blocklists: Sequence[BlocklistSettings], rules: UrlRuleSettings) -> UrlSources | None:
    """Return what rules on addresses name, or None if there are none. Raises MissingError and UsageError."""
    has_default = any(blocklist.path == DEFAULT for blocklist in blocklists)
    words: dict[str, Any] = {
        "hard_words": _words("hard_words", rules.hard_words, has_default),
        "soft_words": _words("soft_words", rules.soft_words, has_default),
        "substrings": _words("substrings", rules.substrings, has_default, rules.substrings_ignore),
    }
    if not (blocklists or rules.domains or rules.exact or any(words.values())):
        return None
    words |= {"least_soft_words": rules.least_soft_words, "substrings_ignore": rules.substrings_ignore}
    return UrlSources(
        tuple(map(read_blocklist, blocklists)),
        _entries("domains", rules.domains),
        _entries("exact", rules.exact),
        _entries("allow", rules.allow),
        words,
    )


def prepare_rules(blocklists: Sequence[BlocklistSettings], rules: UrlRuleSettings) -> str | None:
    """Return the key of the index that rules on addresses need, after it is written; None if there are no rules.

    Raises MissingError, UsageError, CorruptError.
    """
    sources = read_sources(blocklists, rules)
    if sources is None:
        return None
    if _found_index(sources.key) is None:
        sources.write()
    return sources.key


def open_rules(
    blocklists: Sequence[BlocklistSettings], rules: UrlRuleSettings, key: str | None = None
) -> UrlRules | None:
    """Return the rules on addresses, or None if there are none; with a ``key``, lists are read only without its index.

    Raises MissingError, UsageError, CorruptError, and StaleError if the lists have another key by now.
    """
    index = _found_index(key) if key else None
    if index is None:
        now = prepare_rules(blocklists, rules)
        if key not in (None, now):
            raise StaleError("the URL lists are not those that the plan was made with; run the recipe again")
        index = None if now is None else UrlIndex(index_path(now))
    return None if index is None else UrlRules(index)


def _found_index(key: str) -> UrlIndex | None:
    """Return an index that was written before; None if it is not there, or not whole, so that it is written again."""
    try:
        return UrlIndex(index_path(key))
    except (OSError, CorruptError):
        return None


def _entries(key: str, value: tuple[str, ...] | str) -> ListBytes | tuple[str, ...]:
    return read_entries(key, value) if isinstance(value, str) else value


def _hashes(key: str, entries: ListBytes | tuple[str, ...], kind: str = "") -> list[tuple[str, np.ndarray]]:
    if not entries:
        return []
    hashes = Hashes(f"url_rules.{key}")
    if isinstance(entries, ListBytes):
        hashes.add_list(entries, kind)
    else:
        hashes.add_entries(_RECIPE, entries, kind)
    return hashes.take()


def _words(
    key: str, value: tuple[str, ...] | str | None, has_default: bool, ignored: str = "all"
) -> list[tuple[str, tuple[str, ...]]]:
    """Return the words that a key of a recipe names, by the name of their list."""
    if value is None:
        value = DEFAULT if has_default else ()
    if isinstance(value, str):
        list_ = default_words(key) if value == DEFAULT else read_entries(key, value)
        lists = [(list_.name, word_lines(list_))]
    else:
        lists = [(_RECIPE, own)] if (own := [word for word in value if word != DEFAULT]) else []
        lists += [(DEFAULT, word_lines(default_words(key)))] if DEFAULT in value else []
    return [(name, normal_words(f"url_rules.{key}: {name}", lines, ignored)) for name, lines in lists]


def _by_word(lists: Sequence[tuple[str, Sequence[str]]]) -> Words:
    return {word: name for name, words in reversed(lists) for word in words}
