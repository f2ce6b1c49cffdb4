"""The labels of a fastText model, read from its file without loading its matrices."""

from __future__ import annotations

import difflib
import mmap
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gristmill.classifiers.quality.normal import LABEL_PREFIX
from gristmill.errors import UsageError

GOOD: Final = frozenset({"positive", "hq", "wiki", "math", "edu", "high_quality", "good"})
"""Names of the good label by which it is known where nobody names it."""

_DICTIONARY: Final = 2 * 4 + 12 * 4 + 8  # after magic, version and the settings of training
_COUNTS: Final = struct.Struct("<3i2q")
_ENTRY: Final = struct.Struct("<qb")
_LABEL: Final = 1


def labels_in(path: Path) -> tuple[str, ...]:
    """Return the labels of a model's file, in its order, with their prefix. The file is whole: see `fasttext_file`."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        entries, _, count, _, _ = _COUNTS.unpack_from(data, _DICTIONARY)
        at, labels = _DICTIONARY + _COUNTS.size, []
        for _ in range(entries):
            end = data.find(b"\0", at)
            start, at = at, end + 1 + _ENTRY.size
            if _ENTRY.unpack_from(data, end + 1)[1] == _LABEL:
                labels.append(data[start:end].decode("utf-8", "replace"))
    assert len(labels) == count
    return tuple(labels)


def find_label(labels: Sequence[str], wanted: str) -> str | None:
    """Return a label as the model has it, for a name with the usual prefix or without; None if it has none such.

    >>> find_label(["__label__hq", "__label__cc"], "hq")
    '__label__hq'
    """
    return next((label for label in (wanted, f"{LABEL_PREFIX}{wanted}") if label in labels), None)


def named_label(labels: Sequence[str], wanted: str, model: str) -> str:
    """Return the label that a recipe names. Raises UsageError, with the nearest or all, if the model has none such."""
    found = find_label(labels, wanted)
    if found is None:
        near = difflib.get_close_matches(wanted, [*labels, *map(_short, labels)], n=1, cutoff=0.6)
        hint = f"did you mean '{near[0]}'?" if near else f"it has {_listed(labels)}"
        raise UsageError(f"the model {model} has no label '{wanted}'; {hint}")
    return found


def graded(labels: Sequence[str], most: int) -> tuple[tuple[str, float], ...]:
    """Return each label with its number divided by ``most``, if they are the numbers from 0 to that; else nothing.

    >>> graded(["__label__1", "__label__0"], 1)
    (('__label__0', 0.0), ('__label__1', 1.0))
    """
    found = [find_label(labels, str(grade)) for grade in range(most + 1)]
    if len(labels) != len(found) or None in found:
        return ()
    return tuple((label, grade / most) for grade, label in enumerate(found) if label is not None)


def only_good(labels: Sequence[str], model: str) -> str:
    """Return the one label that must be the good one. Raises UsageError, with all of them, where that is not plain."""
    good = [label for label in labels if _short(label) in GOOD]
    if len(good) != 1:
        raise UsageError(
            f"the model {model} has the labels {_listed(labels)}, and nothing tells which one's probability is the "
            f"score: write label: {min(map(_short, labels))}, or another of them"
        )
    return good[0]


def _short(label: str) -> str:
    return label.removeprefix(LABEL_PREFIX)


def _listed(labels: Sequence[str]) -> str:
    shown = ", ".join(sorted(map(_short, labels))[:10])
    return shown if len(labels) <= 10 else f"{shown}, … ({len(labels)} in all)"
