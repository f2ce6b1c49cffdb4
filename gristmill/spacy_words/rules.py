"""The rules by which spaCy splits English, as tables that the kernels read.

The shape of the rules is in the kernels; what they are about (which characters are letters, quotes or units, and all
special cases) is read from the spaCy that is installed. A digest of its patterns tells whether they have that shape.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gristmill.characters import character_classes
from gristmill.errors import MissingError
from gristmill.spacy_words import _kernels
from gristmill.spacy_words import traits as traits_of

Array = npt.NDArray[Any]
Words = tuple[Array, Array, Array]

_KNOWN: Final = "6b3118001393206b"  # of the patterns of spaCy 3.8
_PATTERNS: Final = ("prefix_search", "suffix_search", "infix_finditer", "url_match")
_NAMED: Final = ".+-*^:<>=/,~–—°'’…$"  # characters that rules name, letters and digits apart
_LISTED: Final = 0x32400  # no character from here on is in a class of spaCy's
_PUNCTUATION: Final = (range(_LISTED), range(0xE0000, 0xE0200))
_SIEVE: Final = 1 << 15


class Rules(NamedTuple):
    """What the kernels read.

    ``traits``: the bits of each character. ``specials``: the longest special case, a sieve of their shapes, their
    hashes, and their numbers. ``parts``: where the words of each special case start, and what they are. ``pieces`` and
    ``units``: the longest, and the hashes, of prefixes of several characters and of what is a suffix after a digit.
    ``grams``: of special cases that are put together from words in a row, a sieve of pairs, hashes, numbers (-1 where
    more words follow), which of all change nothing, and the words of the longest.
    """

    traits: npt.NDArray[np.uint32]
    specials: tuple[int, Array, Array, Array]
    parts: tuple[Array, Array, Array, Array]
    pieces: tuple[int, Array]
    units: tuple[int, Array]
    grams: tuple[Array, Array, Array, Array, int]


def read_rules() -> Rules:
    """Return the rules of spaCy's blank English pipeline. Raises MissingError if they have a shape not known here."""
    import spacy
    from spacy.lang import char_classes as listed
    from spacy.pipeline import Sentencizer

    split: Any = spacy.blank("en").tokenizer
    _check(split)
    traits = _traits(Sentencizer.default_punct_chars)
    cases = {chunk: [part[65] for part in parts] for chunk, parts in split.rules.items() if not chunk.isspace()}
    currencies = [_plain(piece) for piece in listed.LIST_CURRENCY]
    names = list(cases)
    parts = [part for words in cases.values() for part in words]
    firsts = np.cumsum([0, *map(len, cases.values())])
    return Rules(
        traits,
        _specials(names, traits),
        (firsts, *_described(parts, traits)),
        _hashes([piece for piece in currencies if len(piece) > 1], traits),
        _hashes([*currencies, *listed.LIST_UNITS], traits),
        _grams(split, cases, traits),
    )


def _check(split: Any) -> None:
    patterns = [getattr(split, name).__self__.pattern for name in _PATTERNS]
    digest = hashlib.blake2b("\0".join(patterns).encode(), digest_size=8).hexdigest()
    if digest != _KNOWN or split.token_match is not None or not split.faster_heuristics:
        found = importlib.metadata.version("spacy")
        raise MissingError(
            f"spaCy {found} splits English by other rules than spaCy 3.8, the only ones that are known here; "
            "install it with: pip install 'spacy~=3.8.2'"
        )


def _traits(sentence_ends: Sequence[str]) -> npt.NDArray[np.uint32]:
    """Return the bits of each character."""
    from spacy.lang import char_classes as listed
    from spacy.lang.en import English

    before_dot = f"0-9{listed.ALPHA_LOWER}%²\\-\\+{listed.PUNCT}(?:{listed.CONCAT_QUOTES})"
    classes = {
        traits_of.ICON: listed.ICONS,
        traits_of.LETTER: listed.ALPHA,
        traits_of.LOWER: listed.ALPHA_LOWER,
        traits_of.UPPER: listed.ALPHA_UPPER,
        traits_of.QUOTE: listed.CONCAT_QUOTES,
        traits_of.BEFORE_DOT: before_dot,
        traits_of.DECIMAL: r"\d",
        traits_of.WORD: r"\w",
    }
    sets = {
        traits_of.MARK_ENDS: sentence_ends,
        traits_of.PREFIX: _singles(English.Defaults.prefixes),
        traits_of.SUFFIX: _singles(English.Defaults.suffixes),
        traits_of.SYMBOL: "#…",
        traits_of.ENDS_UNIT: [_plain(piece)[-1] for piece in (*listed.LIST_UNITS, *listed.LIST_CURRENCY)],
        traits_of.STARTS_PREFIX: [_plain(piece)[0] for piece in listed.LIST_CURRENCY if len(_plain(piece)) > 1],
    }
    traits = character_classes().astype(np.uint32)
    for bit, ends in classes.items():
        traits[:_LISTED][_members(ends)] |= np.uint32(bit)
    for bit, characters in sets.items():
        traits[[ord(character) for character in characters]] |= np.uint32(bit)
    traits[traits & traits_of.ICON != 0] |= np.uint32(traits_of.PREFIX | traits_of.SUFFIX)
    traits[0xA1:0x10000] |= np.uint32(traits_of.HOST)
    traits[[point for point in range(0x80) if chr(point).isalnum()]] |= np.uint32(traits_of.HOST)
    for block in _PUNCTUATION:
        closes = (unicodedata.category(chr(point)).startswith("P") for point in block)
        traits[block.start : block.stop] |= np.fromiter(closes, np.bool_, len(block)) * np.uint32(traits_of.MARK_CLOSES)
    inert = traits & (traits_of.PREFIX | traits_of.SUFFIX) == 0
    inert[[ord(character) for character in _NAMED]] = False
    traits[inert] |= np.uint32(traits_of.INERT)
    traits.flags.writeable = False
    return traits


def _members(characters: str) -> npt.NDArray[np.bool_]:
    """Return which characters a class of a regular expression has: bool[0x32400]."""
    mask = np.zeros(_LISTED, np.bool_)
    everything = np.arange(_LISTED, dtype=np.uint32).tobytes().decode("utf-32-le", "surrogatepass")
    for found in re.finditer(f"[{characters}]+", everything):
        mask[found.start() : found.end()] = True
    return mask


def _plain(piece: str) -> str:
    return piece.replace("\\", "")


def _singles(pieces: Any) -> list[str]:
    """Return the rules that are one character."""
    return [_plain(piece) for piece in pieces if len(_plain(piece)) == 1]


def _points(texts: Sequence[str]) -> tuple[Array, Array]:
    """Return the code points of all texts, and the length of each."""
    points = np.frombuffer("".join(texts).encode("utf-32-le"), np.int32)
    return points, np.array([len(text) for text in texts], np.int64)


def _described(texts: Sequence[str], traits: Array) -> Words:
    """Return the hashes, lengths and flags of words."""
    points, lengths = _points(texts)
    words = np.empty(len(texts), np.uint64), np.empty(len(texts), np.int32), np.empty(len(texts), np.uint8)
    _kernels.describe_words(points, lengths, traits, words)
    return words


def _table(items: int) -> Array:
    """Return an empty table of hashes that stays nearly empty."""
    return np.zeros(1 << (8 * items).bit_length(), np.uint64)


def _hashes(texts: Sequence[str], traits: Array) -> tuple[int, Array]:
    """Return the length of the longest text, and the hashes of all."""
    keys = _table(len(texts))
    for key in _described(texts, traits)[0]:
        keys[_kernels.slot_of(keys, key)] = key
    return max(map(len, texts)), keys


def _specials(names: Sequence[str], traits: Array) -> tuple[int, Array, Array, Array]:
    """Return the special cases as a table of their hashes and numbers, with a sieve."""
    sieve, keys = np.zeros(_SIEVE, np.uint8), _table(len(names))
    numbers = np.full(len(keys), -1, np.int32)
    _kernels.fill_shapes(*_points(names), sieve)
    for number, key in enumerate(_described(names, traits)[0]):
        slot = _kernels.slot_of(keys, key)
        keys[slot], numbers[slot] = key, number
    return max(map(len, names)), sieve, keys, numbers


def _grams(split: Any, cases: dict[str, list[str]], traits: Array) -> tuple[Array, Array, Array, Array, int]:
    """Return the special cases that are put together from words in a row, each as spaCy splits it without them."""
    patterns = {getattr(split, name): name for name in _PATTERNS}
    bare = type(split)(split.vocab, **{name: pattern for pattern, name in patterns.items()})
    runs = {}
    for number, (name, parts) in enumerate(cases.items()):
        if split.find_prefix(name) or split.find_suffix(name) or split.find_infix(name):
            runs[number] = [token.text for token in bare(name)]
            assert len(runs[number]) > 1 or runs[number] == parts, name
    size = sum(map(len, runs.values()))
    grams = np.zeros(_SIEVE, np.uint8), _table(size), np.full(len(_table(size)), -1, np.int32)
    same = np.zeros(len(cases), np.bool_)
    for number, words in runs.items():
        same[number] = words == list(cases.values())[number]
        _kernels.add_gram(_described(words, traits)[0], number, grams)
    return *grams, same, max(map(len, runs.values()))
