"""Hosts and registered domains of addresses, and lists of them as `source` and `train` read them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from gristmill.crawl.index.patterns import Host as IndexHost
from gristmill.crawl.urls.registered import Registered
from gristmill.dedup.urls import host_of
from gristmill.report import figures
from gristmill.report.escape import visible

if TYPE_CHECKING:
    from gristmill.report.recall import Recall

_USUAL: Final = r"^https?://(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*)(?:[/?#]|$)"


def hosts_of(urls: pa.Array, *, domains: bool = False) -> pa.Array:
    """Return the host of each address, or the domain that was registered; empty where it tells none, or is null.

    Hosts are in one form (see `hosts`). Python looks only at addresses and hosts that differ from the usual ones.
    """
    plain = pc.struct_field(pc.extract_regex(urls, _USUAL), "host")
    odd = pc.and_(pc.is_null(plain), pc.is_valid(urls))
    names = [host_of(url) for url in urls.filter(odd).to_pylist()]
    hosts = pc.fill_null(pc.replace_with_mask(plain, odd, pa.array(names, plain.type)), "")
    if not domains:
        return hosts
    encoded = hosts.dictionary_encode()
    names = [_registered().of(host) for host in encoded.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(encoded.indices)


def list_lines(found: Recall) -> Iterator[str]:
    """Yield the lines of a list of hosts, each behind a comment with its counts.

    A domain is written with a dot in front, which means all below it too. What no index could be asked for, such as an
    IPv6 address or a name with a character that no host has, stands in a comment.
    """
    asked, what = found.asked, "domains" if found.asked.by == "domain" else "hosts"
    yield f"# {what} of {visible(found.run)} with over {asked.over:.2%} of their pages at {asked.threshold:g} or more"
    yield f"# by {visible(found.score)}; {asked.least_pages} pages at least; {len(found.found):,} of {found.hosts:,}"
    for host in found.found:
        name = f".{host.name}" if asked.by == "domain" else host.name
        yield f"# {host.positive} of {host.pages} pages, {figures.share(host.positive, host.pages)}"
        yield name if _can_be_asked(name) else f"# cannot be asked for: {visible(name)}"


@cache
def _registered() -> Registered:
    """Return the public suffixes, read once in a process."""
    return Registered()


def _can_be_asked(name: str) -> bool:
    try:
        IndexHost.parse(name)
    except ValueError:
        return False
    return True
