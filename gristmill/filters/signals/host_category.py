"""Categories in which UT1, the lists of the University of Toulouse, has the document's host."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.filters.signals.signal import Column, signal
from gristmill.text import TextBatch

FAMILY: Final = "host_category"
SOURCE: Final = (
    "UT1, dsi.ut-capitole.fr/blacklists; Weber et al. 2024, arXiv:2411.12372, rps_doc_ut1_blacklist, of hosts alone"
)
_LIST: Final = "ut1"
_NEEDS: Final = (schema.URL, _LIST)


class HostCategories(Protocol):
    """Tells in which categories the host of an address is."""

    def of(self, url: str) -> tuple[str, ...]:
        """Return the categories of the host and of the domains above it, sorted, each once."""


def found_categories(batch: TextBatch) -> list[tuple[str, ...]]:
    """Return the categories of each address; none where there is no address."""
    hosts: HostCategories = batch.lists[_LIST]
    return [hosts.of(url) if url else () for url in batch.columns[schema.URL].to_pylist()]


@signal(pa.string(), FAMILY, SOURCE, needs=_NEEDS)
def ut1_categories(batch: TextBatch) -> pa.Array:
    """Categories of the host, or of a domain above it, in alphabetical order, joined by a comma.

    Empty if there are none, or no address. Domains above are looked up to the one that was registered, never ``co.uk``.
    """
    return pa.array([",".join(found) for found in batch.scan(found_categories)], pa.string())


@signal(pa.int64(), FAMILY, SOURCE, needs=_NEEDS)
def ut1_category_count(batch: TextBatch) -> Column:
    """Categories of the host, or of a domain above it.

    A document without an address has 0.
    """
    return np.array([len(found) for found in batch.scan(found_categories)], np.int64)


SIGNALS: Final = (ut1_categories, ut1_category_count)
