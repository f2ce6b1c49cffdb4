"""Which documents a model is trained on, and which it is measured on: by content and host, never by arrival.

Of copies one stays. A text that is among the positives and among the negatives says nothing: all its copies go. Hosts
are held out whole, by their hash, so that no host is on both sides. The larger class is cut to the size of the smaller,
on each side for itself, by the documents' hashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gristmill.errors import UsageError

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

LEAST_HELD_OUT: Final = 10
_CLASSES: Final = ((True, "positive"), (False, "negative"))


@dataclass(frozen=True)
class Rows:
    """What is known of each document: its class, and hashes of its normal form (128 bits), its line and its host.

    ``is_empty``: no word is left of it. All are arrays of one length.
    """

    positive: Mask
    is_empty: Mask
    keys: npt.NDArray[np.uint64]
    orders: Hashes
    hosts: Hashes


@dataclass(frozen=True)
class Choosing:
    """``share`` of the hosts is held out; a class has ``most`` documents, None for all, and ``least`` to train on."""

    share: float = 0.1
    most: int | None = None
    least: int = 100
    balance: bool = True


@dataclass(frozen=True)
class ClassCounts:
    """What became of the documents of a class; ``spared`` are those over the most, and those that balance leaves out.

    documents = empty + copies + in_both + spared + trained + held_out.
    """

    documents: int
    empty: int
    copies: int
    in_both: int
    spared: int
    trained: int
    held_out: int
    trained_hosts: int
    held_out_hosts: int


@dataclass(frozen=True)
class Selection:
    """Rows to train on, in the order of training; rows held out, in the same kind of order; counts by class."""

    train: Numbers
    held_out: Numbers
    counts: dict[str, ClassCounts]


def select(rows: Rows, choosing: Choosing) -> Selection:
    """Return the documents to train on and those held out.

    Raises UsageError if a class has too few on either side, saying where its documents went.
    """
    survives, in_both = unlike(rows)
    held = is_held_out(rows.hosts, choosing.share)
    groups = {
        (name, side): _first(rows, survives & (rows.positive == label) & (held == side), _most(choosing, side))
        for label, name in _CLASSES
        for side in (False, True)
    }
    if choosing.balance:
        for side in (False, True):
            fewest = min(len(groups[name, side]) for _, name in _CLASSES)
            groups |= {(name, side): groups[name, side][:fewest] for _, name in _CLASSES}
    sides = [np.concatenate([groups[name, side] for _, name in _CLASSES]) for side in (False, True)]
    train, held_out = (side[np.lexsort((rows.keys[side, 1], rows.keys[side, 0], rows.orders[side]))] for side in sides)
    counts = {name: _counts(rows, label, (survives, in_both), (train, held_out)) for label, name in _CLASSES}
    selection = Selection(train, held_out, counts)
    _check(selection, rows, choosing, survives & ~held, survives & held)
    return selection


def is_held_out(hosts: Hashes, share: float) -> Mask:
    """Return which hosts are held out: those whose hash is among the lowest ``share`` of all hashes there can be."""
    return np.asarray(hosts < np.uint64(min(int(share * 2.0**64), 2**64 - 1)))


def is_known(rows: Rows, trained: Rows) -> Mask:
    """Return which documents are copies of one of those trained on."""
    pair = np.dtype([("high", np.uint64), ("low", np.uint64)])
    own, others = (np.ascontiguousarray(one.keys).view(pair).ravel() for one in (rows, trained))
    return np.isin(own, others)


def taken(rows: Rows, numbers: Numbers) -> Rows:
    """Return some of the rows."""
    return Rows(
        rows.positive[numbers], rows.is_empty[numbers], rows.keys[numbers], rows.orders[numbers], rows.hosts[numbers]
    )


def _most(choosing: Choosing, side: bool) -> int | None:
    """Return the most documents of a class on a side: the cap is split as the hosts are."""
    if choosing.most is None:
        return None
    held = round(choosing.most * choosing.share)
    return held if side else choosing.most - held


def unlike(rows: Rows) -> tuple[Mask, Mask]:
    """Return which rows stay of copies, and which are copies of a text that both classes have.

    Of copies in one class, the one stays whose host's hash is least, then whose line's is.
    """
    survives = np.zeros(len(rows.positive), np.bool_)
    in_both = np.zeros(len(rows.positive), np.bool_)
    order = np.lexsort((rows.orders, rows.hosts, rows.keys[:, 1], rows.keys[:, 0], rows.is_empty))
    order = order[: len(order) - int(rows.is_empty.sum())]
    if not len(order):
        return survives, in_both
    keys = rows.keys[order]
    begins = np.concatenate([[True], np.any(keys[1:] != keys[:-1], axis=1)])
    starts = np.flatnonzero(begins)
    sizes = np.diff(np.append(starts, len(order)))
    positives = np.add.reduceat(rows.positive[order].astype(np.int64), starts)
    mixed = (positives > 0) & (positives < sizes)
    survives[order[starts[~mixed]]] = True
    in_both[order[np.repeat(mixed, sizes)]] = True
    return survives, in_both


def _first(rows: Rows, chosen: Mask, most: int | None) -> Numbers:
    """Return the chosen rows in the order of their hashes, no more than the most."""
    found = np.flatnonzero(chosen)
    return found[np.lexsort((rows.keys[found, 1], rows.keys[found, 0], rows.orders[found]))][:most]


def _counts(rows: Rows, label: bool, fates: tuple[Mask, Mask], sides: tuple[Numbers, Numbers]) -> ClassCounts:
    own = rows.positive == label
    survives, in_both = fates
    train, held_out = (side[rows.positive[side] == label] for side in sides)
    documents, empty, both = (int(np.count_nonzero(mask)) for mask in (own, own & rows.is_empty, own & in_both))
    left = int(np.count_nonzero(own & survives))
    return ClassCounts(
        documents=documents,
        empty=empty,
        copies=documents - empty - both - left,
        in_both=both,
        spared=left - len(train) - len(held_out),
        trained=len(train),
        held_out=len(held_out),
        trained_hosts=len(np.unique(rows.hosts[train])),
        held_out_hosts=len(np.unique(rows.hosts[held_out])),
    )


def _check(selection: Selection, rows: Rows, choosing: Choosing, train: Mask, held: Mask) -> None:
    """Raise UsageError for a class that has too few documents, before it is balanced, on a side."""
    for label, name in _CLASSES:
        counts, own = selection.counts[name], rows.positive == label
        there = f"of {counts.documents:,} {name} documents"
        if not counts.documents:
            raise UsageError(f"there are no {name} documents; a model is trained on both kinds: name more --{name}")
        found = int(np.count_nonzero(train & own))
        if found < choosing.least:
            raise UsageError(
                f"{there}, {found:,} are left to train on, and --least asks for {choosing.least:,} "
                f"({_where_they_went(counts, int(np.count_nonzero(held & own)))}): name more --{name}, or lower --least"
            )
        found = int(np.count_nonzero(held & own))
        if found < LEAST_HELD_OUT:
            raise UsageError(
                f"{there}, {found:,} are held out, and a measure needs {LEAST_HELD_OUT} of each kind: raise --held-out "
                f"(now {choosing.share}), try another --seed, or let `by` name what has more values than the host"
            )
    for name, counts in selection.counts.items():
        if counts.trained < choosing.least or counts.held_out < LEAST_HELD_OUT:
            raise UsageError(
                f"--most {choosing.most:,} leaves {counts.trained:,} {name} documents to train on and "
                f"{counts.held_out:,} held out; {choosing.least:,} and {LEAST_HELD_OUT} are needed: raise it"
            )


def _where_they_went(counts: ClassCounts, held: int) -> str:
    return (
        f"{counts.empty:,} without a word, {counts.copies:,} copies, {counts.in_both:,} in both classes, "
        f"{held:,} held out"
    )
