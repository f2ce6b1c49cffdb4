"""Where the documents of a run come from, and what servers said of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.report.tally import Names
from gristmill.report.view import ShardView

_HOST = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?(?P<host>\[[^\]/?#]*\]|[^/?#:]+)"
_NAMED = 20


@dataclass
class Crawl:
    """Where documents come from and what servers said of them."""

    hosts: Names = field(default_factory=Names)
    mimes: Names = field(default_factory=Names)
    charsets: Names = field(default_factory=Names)
    statuses: Names = field(default_factory=Names)
    fate_details: Names = field(default_factory=Names)
    dates: list[Any] = field(default_factory=list)

    def add(self, view: ShardView) -> None:
        """Count a shard: hosts of kept documents, the rest of all records."""
        table = view.documents
        self.hosts.add(hosts_of(table.column(schema.URL).filter(view.kept)))
        self.mimes.add(table.column(schema.MIME))
        self.charsets.add(table.column(schema.CHARSET))
        self.statuses.add(table.column(schema.STATUS).cast(pa.string()))
        self.fate_details.add(
            pc.binary_join_element_wise(table.column(schema.FATE), table.column(schema.FATE_DETAIL), ": ")
        )
        extremes = pc.min_max(table.column(schema.DATE)).as_py()
        known = [*self.dates, *(value for value in extremes.values() if value is not None)]
        self.dates = [min(known), max(known)] if known else []

    def result(self) -> dict[str, Any]:
        """Return the most frequent of each, and the first and last date."""
        first, last = (value.isoformat() for value in self.dates) if self.dates else (None, None)
        return {
            "dates": {"first": first, "last": last},
            "hosts": _names(self.hosts, "host"),
            "mimes": _names(self.mimes, "mime"),
            "charsets": _names(self.charsets, "charset"),
            "statuses": _names(self.statuses, "status"),
            "fate_details": _names(self.fate_details, "fate"),
        }


def hosts_of(urls: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the lower-case host of each URL, without user and port; null where there is none."""
    found = pc.struct_field(pc.extract_regex(urls, _HOST), "host")
    return pc.utf8_lower(found)


def _names(names: Names, key: str) -> dict[str, Any]:
    return {
        "documents": names.total,
        "distinct": None if names.undercount else len(names.counts),
        "undercount": names.undercount,
        "most": [{key: name, "documents": count} for name, count in names.most(_NAMED)],
    }
