"""CCNet's form of a text, which its language models are trained on and asked about.

Wenzek et al. 2020, section 3.3, and the code that goes with it (cc_net, ``text_normalizer.py``, ``normalize`` as it is
called for perplexity), character for character. In this order:

    white space  at both ends goes
    case         lower
    accents      the text is decomposed (NFD), and nonspacing marks (Mn) go
    digits       decimal ones of any script become ``0``
    punctuation  `PUNCTUATION` of other scripts and of typesetting becomes ASCII
    controls     C0 and C1, and DEL, go

That code has two quirks, which are part of what its models expect, and which `by_line` does without:

1. It is given a whole text, and line feeds are controls: they go. The last word of a line and the first of the next
   become one, and the text is one sentence with one end. `by_line` takes each line for a sentence.
2. It takes accents off by taking off all nonspacing marks, and puts nothing together again. So viramas and
   vowel signs of Indic scripts and Thai, points of Hebrew and Arabic and the voicing of kana go too, and Hangul falls
   apart into its letters.
   `by_line` takes off diacritical marks alone, those of Unicode's five blocks of that name, and composes (NFC).

A third never shows: its table has a full-width 1 for a quotation mark, but digits were made ``0`` before.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

PUNCTUATION: Final = {
    "，": ",", "、": ",", "。": ".", "．": ". ", "…": "...", "：": ":", "∶": ":", "；": ";", "？": "?", "！": "!",
    "„": '"', "“": '"', "”": '"', "«": '"', "»": '"', "「": '"', "」": '"', "《": '"', "》": '"', "´": "'", "’": "'",
    "–": "-", "━": "-", "►": "-", "—": " - ", "（": "(", "）": ")", "〈": "<", "〉": ">", "【": "[", "】": "]",
    "％": "%", "～": "~",
}  # fmt: skip
"""What stands for a character of punctuation in the form."""

ACCENTS: Final = ((0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F))
"""Blocks of combining diacritical marks, first and last code point."""

_GONE: Final = 0x110000
_LONGER: Final = {before: after for before, after in PUNCTUATION.items() if len(after) > 1}
_LINE_FEED: Final = 0x0A
_ZEROS: Final = bytes.maketrans(b"123456789", b"000000000")
_ASCII_CONTROLS: Final = bytes({*range(0x20), 0x7F} - {_LINE_FEED})
Table = npt.NDArray[np.uint32]


def ccnet(texts: Sequence[str]) -> list[str]:
    """Return each text in CCNet's form, both quirks included: one line, empty if nothing is left."""
    return _formed(
        [text.strip().replace("\n", "\0") for text in texts], lambda joined: _looked_up(joined, characters())
    )


def by_line(lines: Sequence[str]) -> list[str]:
    """Return each line in CCNet's form without its quirks. Lines hold no line feed."""

    def formed(joined: str) -> str:
        return unicodedata.normalize("NFC", _looked_up(joined, accents_alone()))

    return _formed([line.strip() for line in lines], formed)


@functools.cache
def characters() -> Table:
    """Return what stands for each code point of a decomposed text: uint32[0x110000], 0x110000 where it goes.

    Line feeds stay: they part texts here.
    """
    return _table(lambda point: unicodedata.category(chr(point)) == "Mn")


@functools.cache
def accents_alone() -> Table:
    """Return `characters`, with only diacritical marks going."""
    return _table(lambda point: any(first <= point <= last for first, last in ACCENTS))


def _table(is_accent: Callable[[int], bool]) -> Table:
    table = np.arange(_GONE, dtype=np.uint32)
    for point in range(0x80, _GONE):
        if is_accent(point):
            table[point] = _GONE
        elif chr(point).isdecimal():
            table[point] = 0x30
    table[0x30:0x3A] = 0x30
    for before, after in PUNCTUATION.items():
        if len(after) == 1:
            table[ord(before)] = ord(after)
    for control in (*range(0x20), *range(0x7F, 0xA0)):
        table[control] = _GONE
    table[_LINE_FEED] = _LINE_FEED
    table.flags.writeable = False
    return table


def _formed(texts: Sequence[str], form: Callable[[str], str]) -> list[str]:
    """Return stripped texts without line feeds in the form; ``form`` takes those that are not ASCII, joined by LF."""
    plain = iter(_joined_by([text for text in texts if text.isascii()], _ascii))
    others = iter(_joined_by([text for text in texts if not text.isascii()], form))
    return [next(plain if text.isascii() else others) for text in texts]


def _joined_by(texts: Sequence[str], form: Callable[[str], str]) -> list[str]:
    """Return texts in a form that is made of all of them at once.

    Neither lower case nor normal forms look across a line feed.
    """
    return form("\n".join(texts)).split("\n") if texts else []


def _ascii(joined: str) -> str:
    return joined.lower().encode("ascii").translate(_ZEROS, _ASCII_CONTROLS).decode("ascii")


def _looked_up(joined: str, table: Table) -> str:
    decomposed = unicodedata.normalize("NFD", joined.lower())
    for before, after in _LONGER.items():
        decomposed = decomposed.replace(before, after)
    points = table[np.frombuffer(decomposed.encode("utf-32-le"), np.uint32)]
    return str(points[points != _GONE].tobytes(), "utf-32-le")
