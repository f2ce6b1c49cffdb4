"""Where each page lies and what becomes of it: the lines of `truth.jsonl`."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gristmill.sample.pages import Fate, Page

DUPLICATE = Fate("dedup", ("dedup.exact",))


@dataclass(frozen=True)
class Written:
    """A page as it was written: the WARC file, the offset of its response record in it, and when it was fetched."""

    page: Page
    warc: str
    offset: int
    date: datetime

    @property
    def id(self) -> str:
        """The id that the document will have: `<shard>/<offset>`."""
        return f"{self.warc.removesuffix('.warc.gz')}/{self.offset}"


def truth_lines(written: Sequence[Written]) -> list[str]:
    """Return a line of JSON for each page, in the given order.

    Keys: url (null where the record cannot be read), warc, offset, case, kept, stage, reasons_any (one of them at
    least is among the document's reasons), duplicate_of (id of the survivor), language, family (pages made from one
    article), contains (a string that the extracted text has).
    """
    survivors = _survivors(written)
    return [json.dumps(_line(each, survivors), ensure_ascii=False) for each in written]


def _survivors(written: Sequence[Written]) -> dict[str, Written]:
    """Return the survivor of each text that reaches `dedup`: the earliest by (date, id)."""
    clusters: dict[str, list[Written]] = defaultdict(list)
    for each in written:
        if each.page.text is not None and each.page.fate.stage in (None, "decontaminate"):
            clusters[each.page.text].append(each)
    return {text: min(cluster, key=lambda each: (each.date, each.id)) for text, cluster in clusters.items()}


def _line(each: Written, survivors: dict[str, Written]) -> dict[str, object]:
    page, fate = each.page, each.page.fate
    survivor = survivors.get(page.text or "", each) if fate.stage in (None, "decontaminate") else each
    if survivor is not each:
        fate = DUPLICATE
    return {
        "url": None if page.damage else page.url,
        "warc": each.warc,
        "offset": each.offset,
        "case": page.case,
        "kept": fate.stage is None,
        "stage": fate.stage,
        "reasons_any": list(fate.reasons_any),
        "duplicate_of": None if survivor is each else survivor.id,
        "language": page.language,
        "family": page.family,
        "contains": page.contains,
    }
