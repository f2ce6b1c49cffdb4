"""What each Unicode character is: bit classes, word-break classes, cases, normal forms; tables that kernels index.

Tables cover every code point (0x110000 entries), are built on first use from Python's own Unicode database, and are
read-only. They follow ``str.isalpha``, ``str.isspace``, ``str.isalnum`` and ``str.splitlines`` of the running Python,
so ``UNICODE_VERSION`` belongs into the hash of whatever is computed with them.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

UNICODE_VERSION: Final = unicodedata.unidata_version
CODE_POINTS: Final = 0x110000
_DOTTED_I: Final = 0x130  # its lower case is two characters

# bits of character_classes()
ALPHA: Final = 1  # str.isalpha: any letter
SPACE: Final = 2  # str.isspace
PUNCTUATION: Final = 4  # datatrove's set
LINE_BREAK: Final = 8  # str.splitlines breaks here
ALPHANUMERIC: Final = 16  # str.isalnum: a letter, digit or other number
MARK: Final = 32  # combining: accents, vowel signs, viramas
ALONE: Final = 64  # a letter that is a word of its own: ideographs, kana, Thai, Lao, Khmer, Myanmar, ...
TERMINAL: Final = 128  # datatrove's set of marks that end a sentence

# bits of letter_cases(); a letter without case has none
UPPER: Final = 1  # str.isupper
NOT_UPPER: Final = 2  # lower case, or title case: a word with it is not str.isupper

# bits of normal_forms()
POINT: Final = 0x1FFFFF  # the code point; with SEVERAL, where its code points stand in the sequences
COMBINES_AT: Final = 21  # the first of eight bits: the canonical combining class
COMBINES: Final = 0xFF << COMBINES_AT
NUMERIC: Final = 1 << 29  # str.isnumeric
SEVERAL: Final = 1 << 30  # the normal form has several code points
DROPPED: Final = 1 << 31  # for callers to set: the character is left out

# values of word_breaks(), in an order that lets a kernel compare ranges; the names are those of UAX 29, table 3
BLANK: Final = 0  # white space and U+200B, which separate words
FORMAT: Final = 1  # invisible; belongs to the character before it
EXTEND: Final = 2  # combining; belongs to the character before it
OTHER: Final = 3
SINGLE: Final = 4  # a letter that is a word of its own
LETTER: Final = 5
HEBREW: Final = 6
NUMBER: Final = 7
JOINER: Final = 8  # "_" and its like: joins letters and digits (ExtendNumLet)
MID_LETTER: Final = 9  # joins two letters
MID_NUMBER: Final = 10  # joins two digits
MID_BOTH: Final = 11  # joins two letters or two digits: full stop, apostrophe (MidNumLet, Single_Quote)
DOUBLE_QUOTE: Final = 12  # joins two Hebrew letters

# datatrove 0.10, utils/text.py, PUNCTUATION_SET: 281 characters as hexadecimal ranges. Not Unicode's punctuation: it
# has controls, "=", "~" and fullwidth "1", and has neither the middle dot nor the left single quotation mark.
_PUNCTUATION = """0-8 b-1f 21-2f 3a-40 5b-60 7b-9f ab b4 bb 589 61d-61f 6d4 700-702 7f9 837 839 83d-83e 964-965
104a-104b 1362 1367-1368 166e 1735-1736 17d4-17d6 17d9-17da 1803 1809 1944-1945 1aa8-1aab 1b5a-1b5b 1b5e-1b5f 1b7d-1b7e
1c3b-1c3c 1c7e-1c7f 2013-2014 2019 201c-201e 2026 203c-203d 2047-2049 2236 2501 25ba 2e2e 2e3c 2e53-2e54 3001-3002
3008-300d 3010-3011 a4ff a60e-a60f a6f3 a6f7 a876-a877 a8ce-a8cf a92f a9c8-a9c9 aa5d-aa5f aaf0-aaf1 abeb fe52 fe56-fe57
ff01 ff05 ff08-ff09 ff0c ff0e ff11 ff1a-ff1b ff1f ff5e ff61 10a56-10a57 10f55-10f59 10f86-10f89 11047-11048 110be-110c1
11141-11143 111c5-111c6 111cd 111de-111df 11238-11239 1123b-1123c 112a9 1144b-1144c 115c2-115c3 115c9-115d7 11641-11642
1173c-1173e 11944 11946 11a42-11a43 11a9b-11a9c 11c41-11c42 11ef7-11ef8 11f43-11f44 16a6e-16a6f 16af5 16b37-16b38 16b44
16e98 1bc9f 1da88"""
# datatrove 0.10, utils/text.py, TERMINAL_PUNCTUATION: 159 characters that end a sentence in some script.
_TERMINAL = """21 2e 3f 589 61d-61f 6d4 700-702 7f9 837 839 83d-83e 964-965 104a-104b 1362 1367-1368 166e 1735-1736
17d4-17d6 17d9-17da 1803 1809 1944-1945 1aa8-1aab 1b5a-1b5b 1b5e-1b5f 1b7d-1b7e 1c3b-1c3c 1c7e-1c7f 203c-203d
2047-2049 2e2e 2e3c 2e53-2e54 3002 a4ff a60e-a60f a6f3 a6f7 a876-a877 a8ce-a8cf a92f a9c8-a9c9 aa5d-aa5f aaf0-aaf1
abeb fe52 fe56-fe57 ff01 ff0e ff1f ff61 10a56-10a57 10f55-10f59 10f86-10f89 11047-11048 110be-110c1 11141-11143
111c5-111c6 111cd 111de-111df 11238-11239 1123b-1123c 112a9 1144b-1144c 115c2-115c3 115c9-115d7 11641-11642
1173c-1173e 11944 11946 11a42-11a43 11a9b-11a9c 11c41-11c42 11ef7-11ef8 11f43-11f44 16a6e-16a6f 16af5 16b37-16b38
16b44 16e98 1bc9f 1da88"""
# Where str.splitlines breaks.
_LINE_BREAKS = "a-d 1c-1e 85 2028-2029"
# Scripts whose letters stand alone: kana, ideographs (CJK, Tangut, Nushu, Khitan), and the scripts of South East Asia
# that are written without spaces (Line_Break=Complex_Context).
_ALONE = """e00-eff 1000-109f 1780-17ff 1950-19df 1a20-1aaf a9e0-a9ff aa60-aadf 11700-1174f
3005-3007 3021-3029 3031-3035 3038-303b 3041-30fa 30fc-30ff 31f0-31ff 3400-4dbf 4e00-9fff f900-faff ff66-ff9d
16fe0-16fe4 17000-18d08 1aff0-1b2fb 20000-323af"""
# The joining punctuation of UAX 29, table 3, but that a colon joins digits instead of letters and a slash joins digits
# too: "12:30" and "24/7" are words, "Note:see" is two.
_MID_LETTER = "b7 387 55f 5f4 2027 fe13 fe55 ff1a"
_MID_NUMBER = "2c 2f 3a-3b 37e 589 60c-60d 66c 7f8 2044 fe50 fe54 ff0c ff1b"
_MID_BOTH = "27 2e 2018-2019 2024 fe52 ff07 ff0e"
# Alphabetic although not of a letter's category: circled and squared Latin, and modifier symbols.
_LETTERS_TOO = """2c2-2c5 2d2-2d7 2de-2df 2e5-2eb 2ed 2ef-2ff 55a-55c 55e 58a 5f3 70f 24b6-24e9 a708-a716 a720-a721
a789-a78a ab5b 1f130-1f149 1f150-1f169 1f170-1f189"""
_HEBREW = "5d0-5f2 fb1d-fb4f"
# Format characters that stand before the number they belong to.
_NUMBERS_TOO = "600-605 66b 6dd 890-891 8e2 19da 110bd 110cd"
# Assigned characters all lie here; the test of the tables looks at every code point.
_ASSIGNED = (range(0x32400), range(0xE0000, 0xE0200))

Mask = npt.NDArray[np.bool_]


@functools.cache
def character_classes() -> npt.NDArray[np.uint8]:
    """Return the bit classes (``ALPHA``, ``SPACE``, ...) of every code point: uint8[0x110000]."""
    table = np.zeros(CODE_POINTS, np.uint8)
    table[_in_categories("L")] |= ALPHA
    table[_spaces()] |= SPACE
    table[code_points(_PUNCTUATION)] |= PUNCTUATION
    table[code_points(_LINE_BREAKS)] |= LINE_BREAK
    table[_alphanumeric()] |= ALPHANUMERIC
    table[_in_categories("M")] |= MARK
    table[_alone()] |= ALONE
    table[code_points(_TERMINAL)] |= TERMINAL
    table.flags.writeable = False
    return table


@functools.cache
def word_breaks() -> npt.NDArray[np.uint8]:
    """Return the word-break class (``LETTER``, ``EXTEND``, ...) of every code point: uint8[0x110000].

    After UAX 29, table 3, derived from general categories; it differs where a tailoring is wanted: white space
    separates, kana and South East Asian letters stand alone, and a colon or a slash joins digits. Later classes win.
    """
    classes = {
        LETTER: _in_categories("L", "Nl") | code_points(_LETTERS_TOO),
        HEBREW: _in_categories("Lo") & code_points(_HEBREW),
        JOINER: _in_categories("Pc"),
        SINGLE: _alone(),
        MID_LETTER: code_points(_MID_LETTER),
        MID_NUMBER: code_points(_MID_NUMBER),
        MID_BOTH: code_points(_MID_BOTH),
        DOUBLE_QUOTE: code_points("22"),
        FORMAT: _in_categories("Cf") & ~code_points("70f"),
        NUMBER: _in_categories("Nd") | code_points(_NUMBERS_TOO),
        EXTEND: _in_categories("M") | code_points("200c ff9e-ff9f 1f3fb-1f3ff e0020-e007f"),
        BLANK: _spaces() | code_points("200b"),
    }
    table = np.full(CODE_POINTS, OTHER, np.uint8)
    for value, mask in classes.items():
        table[mask] = value
    table.flags.writeable = False
    return table


@functools.cache
def lower_case() -> npt.NDArray[np.uint32]:
    """Return the lower case of every code point, one character for one: uint32[0x110000].

    ``str.lower`` differs in two cases: it makes two characters of U+0130, here ``i``, and a final sigma of the
    last capital sigma of a word, here the ordinary one.
    """
    table = np.arange(CODE_POINTS, dtype=np.uint32)
    points = np.concatenate([table[block.start : block.stop] for block in _ASSIGNED])
    points[points == _DOTTED_I] = ord("i")
    alone = np.zeros((len(points), 2), np.uint32)  # a NUL after each, so that none is in a word with another
    alone[:, 0] = points
    lower = alone.tobytes().decode("utf-32-le", "surrogatepass").lower().encode("utf-32-le", "surrogatepass")
    found = np.frombuffer(lower, np.uint32)[::2]
    for block in _ASSIGNED:
        table[block.start : block.stop], found = found[: len(block)], found[len(block) :]
    table.flags.writeable = False
    return table


def categories(*names: str) -> Mask:
    """Return where the general category starts with one of the names: bool[0x110000]."""
    return _in_categories(*names)


@functools.cache
def letter_cases() -> npt.NDArray[np.uint8]:
    """Return the cases (``UPPER``, ``NOT_UPPER``) of every code point: uint8[0x110000]."""
    assigned = ~_in_categories("Cn")
    upper = _where(str.isupper, assigned)
    table = UPPER * upper + NOT_UPPER * (_where(str.islower, assigned) | (_where(str.istitle, assigned) & ~upper))
    table = table.astype(np.uint8)
    table.flags.writeable = False
    return table


@functools.cache
def normal_forms() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return the canonical decomposition (NFD) of the lower case of every code point, and sequences.

    An entry of the first, uint32[0x110000], holds the code point, its combining class and whether it is numeric. If
    there are several, it points into the sequences: their number, then an entry for each. Each character is lower-cased
    on its own: a final sigma is an ordinary one. Marks must still be put in the order of their classes.
    """
    table = np.arange(CODE_POINTS, dtype=np.uint32)
    sequences: list[int] = []
    for block in _ASSIGNED:
        for point in block:
            form = unicodedata.normalize("NFD", chr(point).lower())
            entries = [_form(character) for character in form]
            table[point] = entries[0] if len(entries) == 1 else SEVERAL | len(sequences)
            sequences += [len(entries), *entries] if len(entries) > 1 else []
    table.flags.writeable = False
    return table, np.array(sequences, np.uint32)


def _form(character: str) -> int:
    return ord(character) | unicodedata.combining(character) << COMBINES_AT | NUMERIC * character.isnumeric()


@functools.cache
def _categories() -> tuple[npt.NDArray[np.uint16], ...]:
    """Return the general category of every code point of each block of ``_ASSIGNED``, its two letters as a number."""
    names = ("".join(map(unicodedata.category, map(chr, block))) for block in _ASSIGNED)
    return tuple(np.frombuffer(text.encode(), np.uint16) for text in names)


def _in_categories(*names: str) -> Mask:
    """Return where the general category starts with one of the names; it is ``Cn`` outside the assigned blocks."""
    starts = np.arange(1 << 16, dtype=np.uint16).view(np.uint8).reshape(-1, 2)
    chosen = np.zeros(1 << 16, np.bool_)
    for name in names:
        chosen |= np.logical_and.reduce([starts[:, place] == ord(letter) for place, letter in enumerate(name)])
    mask = np.full(CODE_POINTS, chosen[np.frombuffer(b"Cn", np.uint16)[0]])
    for block, found in zip(_ASSIGNED, _categories(), strict=True):
        mask[block.start : block.stop] = chosen[found]
    return mask


def _alone() -> Mask:
    return _in_categories("L", "Nl") & code_points(_ALONE)


@functools.cache
def _spaces() -> Mask:
    """Return where ``str.isspace`` holds: at control characters and separators only."""
    return _where(str.isspace, _in_categories("Cc", "Z"))


def _alphanumeric() -> Mask:
    """Return where ``str.isalnum`` holds: at all letters, and at numbers."""
    letters = _in_categories("L")
    return letters | _where(str.isalnum, _in_categories("N"))


def _where(predicate: Callable[[str], bool], among: Mask) -> Mask:
    """Return where the predicate holds, of the code points that the mask has."""
    mask = np.zeros(CODE_POINTS, np.bool_)
    points = np.flatnonzero(among)
    mask[points] = np.fromiter(map(predicate, map(chr, points.tolist())), np.bool_, len(points))
    return mask


def code_points(text: str) -> Mask:
    """Return where the code points lie in the hexadecimal ranges: bool[0x110000].

    >>> np.flatnonzero(code_points("9-b 20")).tolist()
    [9, 10, 11, 32]
    """
    mask = np.zeros(CODE_POINTS, np.bool_)
    for first, last in _bounds(text.split()):
        mask[first : last + 1] = True
    return mask


def _bounds(ranges: Iterable[str]) -> Iterable[tuple[int, int]]:
    for item in ranges:
        first, _, last = item.partition("-")
        yield int(first, 16), int(last or first, 16)
