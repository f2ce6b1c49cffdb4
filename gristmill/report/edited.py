"""A text with what edits cut out of it and put into it, piece by piece, for a reader to see what went and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gristmill import schema


@dataclass(frozen=True)
class Piece:
    """A stretch of a text: it stays, or it was cut, or an edit put it there; ``reason`` says why."""

    text: bytes
    state: Literal["stays", "cut", "new"] = "stays"
    reason: str = ""


def pieces_of(text: str, layers: Iterable[Sequence[Mapping[str, Any]]]) -> list[Piece]:
    """Return a text's pieces after the edits of each layer, in order; those that are not cut make the edited text."""
    pieces = [Piece(text.encode())]
    for edits in layers:
        pieces = list(_edited(pieces, edits))
    return [piece for piece in pieces if piece.text]


def _edited(pieces: Sequence[Piece], edits: Sequence[Mapping[str, Any]]) -> Iterator[Piece]:
    """Yield pieces with one layer's edits made in those that are not cut already."""
    waiting = list(reversed(edits))
    at = 0
    for piece in pieces:
        left = b"" if piece.state == "cut" else piece.text
        if piece.state == "cut":
            yield piece
        while left:
            edit = waiting[-1] if waiting else None
            before = len(left) if edit is None else max(0, min(len(left), edit[schema.START] - at))
            yield Piece(left[:before], piece.state, piece.reason)
            at, left = at + before, left[before:]
            if edit is None or at < edit[schema.START] or (not left and edit[schema.END] > at):
                continue
            size = min(len(left), edit[schema.END] - at)
            yield Piece(left[:size], "cut", edit[schema.REASON])
            at, left = at + size, left[size:]
            if at == edit[schema.END]:
                yield Piece(edit[schema.REPLACEMENT].encode(), "new", edit[schema.REASON])
                waiting.pop()
    for edit in reversed(waiting):
        yield Piece(edit[schema.REPLACEMENT].encode(), "new", edit[schema.REASON])
