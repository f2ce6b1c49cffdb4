"""Finding records of a run by id or URL, and the nearest ones where there are none."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.errors import UsageError
from gristmill.pipeline.plan import Shard
from gristmill.pipeline.run import Run
from gristmill.report.escape import visible

_ID = re.compile(r"(?P<shard>[^/]+)/(?P<offset>\d+)")
_NAMED = 5


@dataclass(frozen=True)
class Found:
    """Rows of one shard."""

    shard: Shard
    rows: tuple[int, ...]


def find(run: Run, query: str) -> list[Found]:
    """Return the rows that an id `<shard>/<offset>` or a URL names: several where it was fetched several times.

    An id is looked up in its shard alone; a URL in every shard that is extracted. Raises UsageError naming the nearest
    records if there are none.
    """
    match = _ID.fullmatch(query.strip())
    if match is not None:
        return [_by_id(run, match["shard"], int(match["offset"]))]
    found = [Found(shard, rows) for shard, urls in _urls(run) if (rows := _rows(pc.equal(urls, query.strip())))]
    if not found:
        raise UsageError(_no_such_url(run, query.strip()))
    return found


def row_of(run: Run, identity: str) -> Found | None:
    """Return the row of an id, or None if the run has none or its shard is not extracted."""
    match = _ID.fullmatch(identity)
    if match is None:
        return None
    return next((found for shard in _holders(run, match["shard"]) if (found := _row_in(run, shard, identity))), None)


def _row_in(run: Run, shard: Shard, identity: str) -> Found | None:
    """Return the row of an id in a shard; None if it has none."""
    ids = run.read(run.plan.text_step, shard, [schema.ID]).column(schema.ID)
    rows = _rows(pc.equal(ids, identity))
    return Found(shard, rows[:1]) if rows else None


def _holders(run: Run, name: str) -> list[Shard]:
    """Return the extracted shards that may hold records of a WARC: the one named after it, and all of ranges."""
    named = [shard for shard in run.plan.shards if shard.name == name or shard.ranges is not None]
    return [shard for shard in named if run.is_done(run.plan.text_step, shard)]


def _by_id(run: Run, name: str, offset: int) -> Found:
    """Return the row of an id. Raises UsageError naming the nearest records if there is none."""
    names = [shard.name for shard in run.plan.shards]
    if name not in names and run.plan.shards[0].ranges is None:
        near = difflib.get_close_matches(name, names, n=1) or names[:_NAMED]
        raise UsageError(f"the run has no shard '{visible(name)}'; did you mean {', '.join(near)}?")
    if name in names and not run.is_done(run.plan.text_step, run.plan.shard(name)):
        raise UsageError(f"shard '{name}' is not extracted yet; run the recipe first")
    found = row_of(run, f"{name}/{offset}")
    if found is None:
        raise UsageError(_no_such_offset(run, name, offset))
    return found


def _no_such_offset(run: Run, name: str, offset: int) -> str:
    """Return the message for an id that no record has, with those of its WARC that are nearest."""
    offsets = [other for shard in _holders(run, name) for other in _offsets(run, shard, name)]
    nearest = sorted(sorted(offsets, key=lambda other: abs(other - offset))[:_NAMED])
    what = "shard" if run.plan.shards[0].ranges is None else "WARC"
    none = "none: the shard is empty" if what == "shard" else "none: no record of it was read"
    there = ", ".join(f"{visible(name)}/{other}" for other in nearest) or none
    return f"{what} '{visible(name)}' has no record at offset {offset}; the nearest are {there}"


def _offsets(run: Run, shard: Shard, name: str) -> list[int]:
    """Return the offsets of a WARC's records in a shard."""
    table = run.read(run.plan.text_step, shard, [schema.ID, schema.OFFSET])
    return list(table.filter(pc.starts_with(table.column(schema.ID), f"{name}/")).column(schema.OFFSET).to_pylist())


def _no_such_url(run: Run, url: str) -> str:
    """Return the message for a URL that no record has, with those that differ from it in little."""
    key = _loosened(pa.chunked_array([pa.array([url])]))[0].as_py()
    same: list[str] = []
    longer: list[str] = []
    for _, urls in _urls(run):
        loose = _loosened(urls)
        same += pc.unique(urls.filter(pc.fill_null(pc.equal(loose, key), False))).to_pylist()
        if key and len(longer) < _NAMED:
            longer += pc.unique(urls.filter(pc.fill_null(pc.match_substring(loose, key), False))).to_pylist()
    near = list(dict.fromkeys([*same, *longer]))[:_NAMED]
    if not near:
        return f"no record of this run has the URL '{visible(url)}', nor one that contains it"
    return "\n".join([f"no record of this run has exactly the URL '{visible(url)}'; near it are:", *map(visible, near)])


def _loosened(urls: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return URLs without what people mistype: scheme, `www.`, case, fragment, last slash."""
    loose = pc.utf8_lower(urls)
    loose = pc.replace_substring_regex(loose, r"^[a-z][a-z0-9+.-]*://", "")
    loose = pc.replace_substring_regex(loose, r"^www\.", "")
    loose = pc.replace_substring_regex(loose, r"#.*$", "")
    return pc.replace_substring_regex(loose, r"/+$", "")


def _urls(run: Run) -> Iterator[tuple[Shard, pa.ChunkedArray]]:
    """Yield each extracted shard with its URLs."""
    for shard in run.plan.shards:
        if run.is_done(run.plan.text_step, shard):
            yield shard, run.read(run.plan.text_step, shard, [schema.URL]).column(schema.URL)


def _rows(mask: pa.ChunkedArray) -> tuple[int, ...]:
    return tuple(np.flatnonzero(np.asarray(pc.fill_null(mask, False))).tolist())
