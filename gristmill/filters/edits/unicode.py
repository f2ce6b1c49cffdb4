"""Broken encodings repaired by ftfy with the options of datatrove's FTFYFormatter, and Unicode normalization.

A line is looked at only if it has a byte that any repair could touch: most English text is never handed to ftfy.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any, Final

import numpy as np

from gristmill.filters.edits.edit import EDIT_COUNT, Edit, Made, not_emptied
from gristmill.filters.edits.settings import UnicodeSettings
from gristmill.filters.edits.spans import Cuts, Kind
from gristmill.text import TextBatch

NAME: Final = "unicode"
Change = tuple[int, int, str]

_PIECES = re.compile(r"(\s+)")
# What ftfy repairs in a line without mojibake: controls, entities, and what is there for machines alone.
_SPECIAL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f&\u206a-\u206f\ufeff\ufff0-\uffff\U000e0000-\U000e0fff]")
_WHOLE = 1_000_000  # characters of a line that ftfy takes at once
# Bytes that a repair can touch: controls but tab, line feed, form feed and carriage return; "&"; all but ASCII.
_TOUCHED = np.array([b >= 0x7F or b == ord("&") or (b < 0x20 and b not in b"\t\n\f\r") for b in range(256)])


def make(batch: TextBatch, settings: UnicodeSettings) -> Made:
    """Repair and normalize; a span is a word, or what of a line became another."""
    touched = _TOUCHED[batch.data]
    ends = np.concatenate([[0], np.cumsum(touched)])[batch.offsets]
    changes: list[tuple[int, list[Change]]] = []
    for row in np.flatnonzero(np.diff(ends)).tolist():
        text = batch.data[batch.offsets[row] : batch.offsets[row + 1]].tobytes().decode()
        changes.append((row, list(_changes(text, settings))))
    return Made(batch, _as_cuts(batch, changes))


def _as_cuts(batch: TextBatch, changes: list[tuple[int, list[Change]]]) -> Cuts:
    """Return the changes of rows as cuts, with a kind for each replacement."""
    counts = np.zeros(batch.rows + 1, np.int64)
    spans: list[tuple[int, int]] = []
    kinds: list[int] = []
    table: dict[str, int] = {}
    for row, changed in changes:
        base = int(batch.offsets[row])
        counts[row + 1] = len(changed)
        for start, end, new in changed:
            spans.append((base + start, base + end))
            kinds.append(table.setdefault(new, len(table)))
    starts, ends = np.array(spans, np.int64).reshape(-1, 2).T.copy()
    reasons = tuple(Kind(f"{NAME}.repair", new) for new in table)
    return Cuts(np.cumsum(counts), starts, ends, np.array(kinds, np.int64), reasons)


def _changes(text: str, settings: UnicodeSettings) -> Iterator[Change]:
    """Yield what changes in a text: first and last byte, and what stands there then."""
    done = 0
    for line, fixed in _lines(text, settings):
        if line != fixed:
            yield from ((done + start, done + end, new) for start, end, new in _differences(line, fixed))
        done += len(line.encode())


def _lines(text: str, settings: UnicodeSettings) -> Iterator[tuple[str, str]]:
    """Yield each line of a text with what it becomes: the pieces that ``ftfy.fix_text`` treats apart.

    Entities stay from the first line on that has a ``<``: there the text may be HTML that is meant to be read.
    """
    import ftfy  # 60 ms, and only one edit needs it

    config = ftfy.TextFixerConfig(
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        normalization=settings.normalization,
        max_decode_length=_WHOLE,
        explain=False,
    )
    start = 0
    while start < len(text):
        stop = text.find("\n", start) + 1 or len(text)
        stop = min(stop, start + _WHOLE)
        line = text[start:stop]
        if not settings.repair:
            yield line, unicodedata.normalize(settings.normalization or "NFC", line)
        else:
            if "<" in line:
                config = config._replace(unescape_html=False)
            yield line, _repaired(line, config)
        start = stop


def _repaired(line: str, config: Any) -> str:
    import ftfy
    from ftfy.badness import is_bad

    if line.isascii() or not is_bad(line):
        form = config.normalization
        if not _SPECIAL.search(line) and (form is None or unicodedata.is_normalized(form, line)):
            return line
    fixed: str = ftfy.fix_and_explain(line, config).text
    return fixed.encode("utf-8", "replace").decode()


def _differences(line: str, fixed: str) -> Iterator[Change]:
    """Yield spans of the line's bytes and their replacements, word by word where the words correspond."""
    before, after = _PIECES.split(line), _PIECES.split(fixed)
    if len(before) != len(after):
        before, after = [line], [fixed]
    done = 0
    for old, new in zip(before, after, strict=True):
        if old != new:
            first, last = _common(old, new), 0
            last = _common(old[first:][::-1], new[first:][::-1])
            start = done + len(old[:first].encode())
            yield start, start + len(old[first : len(old) - last].encode()), new[first : len(new) - last]
        done += len(old.encode())


def _common(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginnings."""
    least = min(len(one), len(other))
    return next((i for i in range(least) if one[i] != other[i]), least)


def uses() -> Mapping[str, str]:
    """Return the versions of what repairs."""
    return {"ftfy": version("ftfy"), "unicode": unicodedata.unidata_version}


EDIT: Final = Edit(
    name=NAME,
    source="ftfy (Speer 2019), with the options of FTFYFormatter of datatrove 0.10; UAX 15",
    version=1,
    make=make,
    facts=(EDIT_COUNT,),
    rules=lambda settings: (not_emptied(NAME),),
    uses=uses,
)
