"""From the lines of a list to what is looked up: hashes of domains and addresses, or words.

A line is a domain, an address, or a line of a hosts file; ``#`` starts a comment. What a line means does not depend on
its neighbours, and a list that is something else altogether is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import xxhash

from gristmill.crawl.urls.address import exact_key, parse_url
from gristmill.crawl.urls.lists import ListBytes, blocks, parts
from gristmill.errors import UsageError
from gristmill.hosts import normal_host

_PLAIN = b"abcdefghijklmnopqrstuvwxyz0123456789.-_\n"
_MARKUP = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|\?xml)\b", re.IGNORECASE)
_COMMENT = re.compile(r"(?:^|\s)#.*")
_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+")
_ODD = re.compile(r"[#%<>?@\\^|{}\"']")
_SHOWN = 60


class Hashes:
    """Hashes of one list's entries, file by file, and how many of its lines could be read."""

    def __init__(self, name: str) -> None:
        """Take what errors call the list."""
        self._name = name
        self._found: list[tuple[str, np.ndarray]] = []
        self._unread: str | None = None
        self._unreadable = 0

    def add_list(self, list_: ListBytes, kind: str = "") -> None:
        """Add what a list holds; ``kind`` is that of its lines where it is not UT1's.

        Raises UsageError if it is a page, or bytes that are no text; CorruptError.
        """
        for part in parts(list_):
            for block in blocks(list_, part):
                check_text(part.name, block)
                self._found.append((part.name, np.fromiter(self._block(block, part.kind or kind), np.uint64)))

    def add_entries(self, name: str, entries: Iterable[str], kind: str = "") -> None:
        """Add entries that a recipe names itself. Raises UsageError for one that names neither domain nor address."""
        keys = []
        for entry in entries:
            found = list(entry_keys(entry, kind))
            if not found:
                raise UsageError(f"{self._name}: '{entry[:_SHOWN]}' is no domain, such as example.com, and no address")
            keys += found
        self._found.append((name, np.fromiter(map(hash_of, keys), np.uint64)))

    def take(self) -> list[tuple[str, np.ndarray]]:
        """Return all hashes, in the order of the lines, with the name of the file that has them.

        Raises UsageError if there are none, or fewer than there are lines that cannot be read.
        """
        count = sum(len(hashes) for _, hashes in self._found)
        if not count or count < self._unreadable:
            raise UsageError(self._no_list(count))
        return self._found

    def _block(self, block: bytes, kind: str) -> Iterator[int]:
        if kind != "urls" and not block.translate(None, _PLAIN) and b"\n." not in block and b".\n" not in block:
            lines = block.split(b"\n")
            names = [line for line in lines if b"." in line]
            self._note(len(lines) - len(names) - lines.count(b""), "a line without a dot")
            return map(xxhash.xxh3_64_intdigest, names)
        return self._lines(block, kind)

    def _lines(self, block: bytes, kind: str) -> Iterator[int]:
        for line in block.decode("utf-8", "replace").removeprefix("\ufeff").splitlines():
            text = _COMMENT.sub("", line).strip()
            if not text:
                continue
            keys = list(entry_keys(text, kind))
            if not keys:
                self._note(1, text)
            yield from map(hash_of, keys)

    def _note(self, count: int, example: str) -> None:
        if count:
            self._unreadable += count
            self._unread = self._unread or example

    def _no_list(self, found: int) -> str:
        if not self._unreadable:
            return f"{self._name} is empty: it names no domain and no address"
        return (
            f"{self._name} is no list of domains or addresses: {found:,} of {found + self._unreadable:,} lines can be "
            f"read as one; one that cannot: {(self._unread or '')[:_SHOWN]!r}"
        )


def hash_of(key: str) -> int:
    """Return the hash that stands for a domain or an address in an index."""
    return xxhash.xxh3_64_intdigest(key.encode())


def entry_keys(text: str, kind: str) -> Iterator[str]:
    """Yield what a line without comment names: hosts, or the `exact_key` of an address; nothing if it names nothing.

    ``kind`` is "urls" where every line is an address, even one without a path.

    >>> list(entry_keys("0.0.0.0 ads.example.com", "")), list(entry_keys("*.Example.com", ""))
    (['ads.example.com'], ['example.com'])
    >>> list(entry_keys("http://example.com/Page", ""))
    ['example.com/page']
    """
    fields = text.lower().split()
    if len(fields) > 1:
        yield from _hosts_line(fields)
        return
    (entry,) = fields
    if kind == "urls" or "/" in entry or (":" in entry and not entry.startswith("[")):
        address = parse_url(entry)
        if address.host:
            yield exact_key(address)
        return
    host, is_numeric = normal_host(entry.removeprefix("*.").removeprefix("."))
    if (is_numeric or _NAME.fullmatch(host)) and not _ODD.search(entry):
        yield host


def word_lines(list_: ListBytes) -> Sequence[str]:
    """Return the lines of a list of words. Raises UsageError if it is no text, or a page of the web; CorruptError."""
    lines: list[str] = []
    for part in parts(list_):
        for block in blocks(list_, part):
            check_text(part.name, block)
            lines += [line.strip() for line in block.decode("utf-8", "replace").splitlines()]
    return lines


def check_text(name: str, block: bytes) -> None:
    """Raise UsageError unless bytes can be the start of a list."""
    if _MARKUP.match(block):
        raise UsageError(f"{name} is a web page, not a list: its address may have moved; look at it in a browser")
    if b"\0" in block[:4096]:
        raise UsageError(f"{name} is no text: it may be packed in a way that is not read; unpack it first")


def _hosts_line(fields: Sequence[str]) -> Iterator[str]:
    """Yield the names on a line of a hosts file, without those that every machine has for itself."""
    if not normal_host(f"[{fields[0]}]" if ":" in fields[0] else fields[0])[1]:
        return
    for name in fields[1:]:
        host, is_numeric = normal_host(name)
        if not is_numeric and _NAME.fullmatch(host):
            yield host
