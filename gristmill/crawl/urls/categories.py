"""The categories of hosts by UT1's lists, from an index that every process maps.

The index is that of blocklists (`index`), whose lists here are the sets of categories that some domain is in: a domain
in ``adult`` and ``games`` is in the list ``adult,games`` alone.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping

import numpy as np

from gristmill.crawl.urls.address import parents, parse_url
from gristmill.crawl.urls.entries import Hashes
from gristmill.crawl.urls.index import FORMAT, Listed, UrlIndex, index_path, write_index
from gristmill.crawl.urls.lists import read_blocklist
from gristmill.crawl.urls.registered import Registered
from gristmill.crawl.urls.settings import BlocklistSettings
from gristmill.errors import MissingError

_JOINED = ","


class HostCategories:
    """Tells in which categories the host of an address is."""

    def __init__(self, index: UrlIndex) -> None:
        self._index = index
        self._registered = Registered()

    def of(self, url: str) -> tuple[str, ...]:
        """Return the categories of the host and of the domains above it, sorted, each once."""
        address = parse_url(url)
        found: set[str] = set()
        for domain in (address.host,) if address.is_numeric else parents(address.host):
            joined = self._index.list_of(domain)
            if joined and self._registered.may_decide(address.host, domain):
                found.update(joined.split(_JOINED))
        return tuple(sorted(found))


def keep_categories(where: str) -> str:
    """Return the key of an index of the lists at a path or URL, after it is written.

    Raises MissingError, UsageError for what is no list, CorruptError.
    """
    list_ = read_blocklist(BlocklistSettings.model_validate({"path": where}))
    hashes = Hashes(list_.name)
    hashes.add_list(list_)
    by_category: dict[str, list[np.ndarray]] = {}
    for name, found in hashes.take():
        by_category.setdefault(name.rpartition("/")[2], []).append(found)
    joined = _joined({name: np.unique(np.concatenate(parts)) for name, parts in sorted(by_category.items())})
    said = [[name, hashlib.sha256(found.astype("<u8").tobytes()).hexdigest()] for name, found in joined.items()]
    text = json.dumps(["categories", FORMAT, importlib.metadata.version("idna"), said])
    key = hashlib.sha256(text.encode()).hexdigest()[:32]
    write_index(index_path(key), Listed(list(joined.items()), np.zeros(0, np.uint64)), {})
    return key


def open_categories(key: str) -> HostCategories:
    """Return the categories that were kept under a key. Raises MissingError, CorruptError."""
    try:
        return HostCategories(UrlIndex(index_path(key)))
    except OSError as error:
        raise MissingError(f"there is no index {key} of categories") from error


def _joined(by_category: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the hashes by the joined names of all categories that each is in."""
    hashes = np.unique(np.concatenate(list(by_category.values())))
    numbers = np.zeros(len(hashes), np.int64)
    sets: list[tuple[str, ...]] = [()]
    for name, own in by_category.items():
        places = np.searchsorted(hashes, own)
        before = numbers[places]
        for number in np.unique(before):
            numbers[places[before == number]] = len(sets)
            sets.append((*sets[number], name))
    found = {_JOINED.join(names): hashes[numbers == number] for number, names in enumerate(sets)}
    return {names: own for names, own in sorted(found.items()) if len(own)}
