"""How texts become the sentences of an n-gram model, alike for training and for asking."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, Literal, NamedTuple, cast, get_args

import numpy as np
import pyarrow as pa

from gristmill.characters import UNICODE_VERSION
from gristmill.classifiers.perplexity import normal
from gristmill.classifiers.perplexity.columns import Array
from gristmill.classifiers.perplexity.corpus import SPACES
from gristmill.classifiers.perplexity.pieces import WORDS_ALONE, Pieces
from gristmill.errors import UsageError

Normalization = Literal["ccnet", "ccnet_by_line", "none"]

_VERSION: Final = "2"
_LINE_FEED: Final = 0x0A
_MORE_SPACES: Final = (b"\0", b"\x0b", b"\x0c")
_TEXTS_AT_ONCE: Final = 256
_SPECIAL: Final = re.compile(rb"(?<![^\0\t\n\r ])(?:<s>|</s>|<unk>)(?![^\0\t\n\r ])")


def normalization(name: str) -> Normalization:
    """Return the normalization of a name. Raises UsageError naming those there are."""
    for known in get_args(Normalization):
        if name == known:
            return cast(Normalization, known)
    raise UsageError(f"there is no normalization '{name}'; there are: {', '.join(get_args(Normalization))}")


class Sentences(NamedTuple):
    """Sentences of some texts: their words with spaces between them, how many those are, and which text it is.

    A sentence without words is there too. ``lengths`` and ``texts`` are int64; sentences are in the texts' order.
    """

    lines: list[bytes]
    lengths: Array
    texts: Array


@dataclass(frozen=True)
class Form:
    """A normalization, and what words are."""

    normalize: Normalization = "none"
    pieces: Pieces = WORDS_ALONE

    @property
    def is_plain(self) -> bool:
        """Whether texts are taken as they are."""
        return self.normalize == "none" and self.pieces.file is None

    def versions(self) -> dict[str, str]:
        """Return the versions of what makes the sentences; they belong into the stage's hash."""
        unicode = {} if self.normalize == "none" else {"unicode": UNICODE_VERSION}
        return {"form": _VERSION, "pieces": self.pieces.digest, **unicode, **self.pieces.versions()}

    def sentences(self, texts: Sequence[str]) -> Sentences:
        """Return the sentences that texts are judged by: their lines, or, in CCNet's form, each text as one."""
        if self.normalize != "ccnet":
            return self.lines(texts)
        return self._made(normal.ccnet(texts), np.arange(len(texts)))

    def lines(self, texts: Sequence[str]) -> Sentences:
        """Return the sentence of each line of texts; lines end at LF, the last one at the text's end."""
        lines = [text.split("\n") for text in texts]
        of = np.repeat(np.arange(len(texts)), [len(parts) for parts in lines])
        parts = list(chain.from_iterable(lines))
        if self.normalize != "none":
            parts = normal.ccnet(parts) if self.normalize == "ccnet" else normal.by_line(parts)
        return self._made(parts, of)

    def _made(self, lines: list[str], of: Array) -> Sentences:
        """Return the sentences of normalized lines, without what an n-gram model would take for an end or a begin.

        VT and FF part words too, other than in lmplz: KenLM's Python package parts what it is asked at them.
        """
        block = "\n".join((*self.pieces.split(lines), "")).encode()
        for space in _MORE_SPACES:
            block = block.replace(space, b" ")
        if b"<s>" in block or b"</s>" in block or b"<unk>" in block:
            block = _SPECIAL.sub(b"", block)
        return Sentences(block.split(b"\n")[:-1], word_counts(np.frombuffer(block, np.uint8)), of)


def word_counts(data: Array) -> Array:
    """Return how many words each line of UTF-8 has, as KenLM parts them: int64, a line for each LF."""
    is_space = SPACES[data].astype(np.bool_)
    begins = ~is_space
    begins[1:] &= is_space[:-1]
    return np.diff(np.cumsum(begins)[data == _LINE_FEED], prepend=0)


def training_blocks(texts: Iterable[pa.LargeStringArray], form: Form) -> Iterator[bytes]:
    """Yield blocks of sentences of texts in a form, one on each line. Those without words are left out."""
    for array in texts:
        for start in range(0, len(array), _TEXTS_AT_ONCE):
            found = form.sentences(array.slice(start, _TEXTS_AT_ONCE).to_pylist())
            yield b"".join(line + b"\n" for line, length in zip(found.lines, found.lengths, strict=True) if length)
