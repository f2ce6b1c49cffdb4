"""Units: the lines or sentences of texts, with a key for each, and for so many in a row."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gristmill._kernels import stripped_spans
from gristmill.characters import SPACE, UNICODE_VERSION, character_classes, word_breaks
from gristmill.dedup.lines import _kernels
from gristmill.dedup.lines.normal import FORMS
from gristmill.dedup.lines.settings import Equal, LinesSettings
from gristmill.text import Integers, TextBatch, words_versions

Keys = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]
Spans32 = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

_VERSION: Final = "1"
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_NO_WORD = 2  # of word_breaks(): up to FORMAT, no word starts with it


class Units(NamedTuple):
    """The units of a batch, in order; those of row *i* are ``counts[i]`` to ``counts[i + 1]``.

    ``starts`` and ``ends`` are byte positions in the batch's ``data``; what stands between units is none. Equal
    ``keys`` are equal units.
    """

    counts: Integers
    starts: Integers
    ends: Integers
    keys: Keys


class Compared(NamedTuple):
    """What is compared of a batch: keys in order, those of row *i* from ``counts[i]`` to ``counts[i + 1]``.

    ``places`` say where in its row each is.
    """

    counts: Integers
    keys: Keys
    places: Integers


def versions(settings: LinesSettings) -> dict[str, str]:
    """Return the versions of what decides a key; they belong into the stage's hash."""
    found = {"lines": _VERSION, "unicode": UNICODE_VERSION}
    return found | words_versions(settings.words) if settings.meant.unit == "sentence" else found


def units_of(batch: TextBatch, settings: LinesSettings) -> Units:
    r"""Return the units of each text that have a character in their form: the others are blank, and no units.

    Lines are the pieces of ``text.split("\\n")``. Sentences are found in each line of ``str.splitlines`` on its own.
    """
    if settings.meant.unit == "line":
        counts, starts, ends = batch.single_lines
    else:
        counts, starts, ends = sentences(batch)
    data, begins, stops = in_form(batch, starts, ends, settings.meant.equal)
    has_text = stops > begins
    keys = span_keys(data, begins[has_text], stops[has_text])
    left = np.concatenate([[0], np.cumsum(has_text)])[counts]
    return Units(left, starts[has_text].astype(np.int64), ends[has_text].astype(np.int64), keys)


def windows(units: Units, span: int) -> Compared:
    """Return the key of each ``span`` units in a row, whose place is that of the first; a short row has none."""
    sizes = np.diff(units.counts)
    places = np.arange(len(units.keys)) - np.repeat(units.counts[:-1], sizes)
    whole = places + span <= np.repeat(sizes, sizes)
    counts = np.concatenate([[0], np.cumsum(np.maximum(sizes - span + 1, 0))])
    first = np.flatnonzero(whole)
    keys = units.keys[first]
    for further in range(1, span):
        keys = (keys ^ keys >> np.uint64(32)) * _STEP + units.keys[first + further]
    return Compared(counts, keys, places[first])


def sentences(batch: TextBatch) -> tuple[Integers, Spans32, Spans32]:
    """Return the sentences of each text: counts, starts and ends, as `Units` has them."""
    lines, words = batch.lines, batch.words
    of, starts, ends = (np.empty(len(words.flags), np.int32) for _ in range(3))
    found = (batch.line_words, words.lengths, words.flags)
    n = _kernels.sentences(batch.data, (lines.starts, lines.ends), found, _between(batch.kind), (of, starts, ends))
    return np.searchsorted(of[:n], lines.counts), starts[:n], ends[:n]


def _between(words: str) -> Bytes:
    """Return what no word of a kind starts with: uint8[0x110000]."""
    if words == "unicode":
        return np.asarray(word_breaks() < _NO_WORD, np.uint8)
    return np.asarray(character_classes() & SPACE != 0, np.uint8)


def in_form(batch: TextBatch, starts: Spans32, ends: Spans32, equal: Equal) -> tuple[Bytes, Integers, Integers]:
    """Return bytes, and where in them the form of each span starts and ends."""
    classes = character_classes()
    if equal == "text":
        begins, stops = np.empty(len(starts), np.int64), np.empty(len(starts), np.int64)
        stripped_spans(batch.data, (starts, ends), classes, begins, stops)
        return batch.data, begins, stops
    size = int((ends - starts).sum())
    out = np.empty(size + size // 2 + 4, np.uint8)
    bounds = np.empty(len(starts) + 1, np.int64)
    _kernels.normal_spans(batch.data, (starts, ends), (classes, FORMS[equal]()), out, bounds)
    return out, bounds[:-1], bounds[1:]


def span_keys(data: Bytes, starts: Integers, ends: Integers) -> Keys:
    """Return the first 8 bytes of each span's SHA-1, read as a little-endian number."""
    keys = np.empty(len(starts), np.uint64)
    _kernels.sha1_heads(data, starts, ends, keys)
    return keys
