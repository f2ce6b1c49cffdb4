"""The scans of characters, each done once for all families that read it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from gristmill.filters.signals.characters import _kernels
from gristmill.filters.signals.characters.tables import kinds, scripts
from gristmill.filters.signals.signal import Column
from gristmill.text import TextBatch

_HIDDEN: Final = tuple(np.frombuffer(name, np.uint8) for name in (b"script", b"style"))


class Characters(NamedTuple):
    """What the characters of each text are.

    ``kinds`` (int64[rows, kinds]) counts each kind of ``_kernels``, ``runs`` (int64[rows]) the runs of what is not
    white space, ``letters`` (int64[rows, scripts]) the letters of each script.
    """

    kinds: Column
    runs: Column
    letters: Column


def characters(batch: TextBatch) -> Characters:
    """Return what the characters of each text are."""
    out = np.zeros((batch.rows, _kernels.KINDS + 1), np.int64)
    letters = np.zeros((batch.rows, len(scripts().codes)), np.int64)
    _kernels.kinds_and_scripts(batch.data, batch.offsets, (kinds(), scripts().table), out, letters)
    return Characters(out[:, : _kernels.KINDS], out[:, _kernels.KINDS], letters)


def line_lengths(batch: TextBatch) -> Column:
    """Return int64[rows, 2]: the characters of all lines of ``str.splitlines``, and of the longest."""
    lines = batch.lines
    out = np.empty((batch.rows, 2), np.int64)
    _kernels.line_lengths(batch.data, lines.counts, (lines.starts, lines.ends), out)
    return out


def visible_characters(batch: TextBatch) -> Column:
    """Return int64[rows]: the characters that a reader would see if the text were HTML."""
    out = np.empty(batch.rows, np.int64)
    _kernels.visible_characters(batch.data, batch.offsets, _HIDDEN, out)
    return out
