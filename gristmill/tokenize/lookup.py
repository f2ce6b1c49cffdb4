"""Encoding by looking words up: each distinct word is encoded once, by `tokenizers`, and copied wherever it stands.

A tokenizer encodes the words that its pattern splits off independently of each other, so this gives its own ids. It
can be done where the pattern is one of ours, and nothing else changes or splits the text before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.tokenize import _kernels as kernels
from gristmill.tokenize._kernels import GPT2, GPT4
from gristmill.tokenize.words import GPT4_PATTERN, WordFinder, Words, grown

_MOST_WORDS: Final = 1 << 20  # then the words seen so far are forgotten, to bound memory
_BYTE_LEVEL: Final = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
_SPLIT: Final = {"type": "Split", "pattern": {"Regex": GPT4_PATTERN}, "behavior": "Isolated", "invert": False}
_SEQUENCE: Final = {"type": "Sequence", "pretokenizers": [_SPLIT, _BYTE_LEVEL | {"use_regex": False}]}

Array = npt.NDArray[Any]


def pattern_of(tokenizer: Mapping[str, Any]) -> int | None:
    """Return the pattern of a tokenizer.json whose words can be looked up, None for any other.

    It may not normalize text, nor take tokens from it that are not special.
    """
    if tokenizer.get("normalizer") or not all(token["special"] for token in tokenizer.get("added_tokens", ())):
        return None
    found = _without_offsets(tokenizer.get("pre_tokenizer"))
    return GPT2 if found == _BYTE_LEVEL else GPT4 if found == _SEQUENCE else None


class WordLookup:
    """The tokens of every word seen so far."""

    def __init__(self, pattern: int, encode: Callable[[list[str]], list[list[int]]], kind: np.dtype[Any]) -> None:
        """``encode``: what gives the ids of new words, each alone; ``kind``: the type of the ids."""
        self._pattern, self._encode, self._kind = pattern, encode, kind
        self._forget()

    def tokens(self, data: Array, offsets: Array) -> tuple[Array, npt.NDArray[np.int64]]:
        """Return the tokens of rows of text, end to end, and the number of each row's."""
        if self._finder.known > _MOST_WORDS:
            self._forget()
        before = self._finder.known
        found, bounds = self._finder.find(data, offsets)
        if self._finder.known > before:
            self._learn(self._finder.words(before), before)
        sizes = np.diff(self._firsts)[found]
        totals = np.append(0, np.cumsum(sizes))[bounds]
        tokens = np.empty(int(totals[-1]), self._kind)
        kernels.spell(found, self._firsts, self._tokens, tokens)
        return tokens, np.diff(totals)

    def _forget(self) -> None:
        self._finder = WordFinder(self._pattern)
        self._firsts = np.zeros(1, np.int64)
        self._tokens = np.empty(0, self._kind)

    def _learn(self, words: Words, first: int) -> None:
        """Encode new words, of which the first has this number."""
        column = pa.LargeStringArray.from_buffers(
            len(words.starts) - 1, pa.py_buffer(np.ascontiguousarray(words.starts)), pa.py_buffer(words.data)
        )
        ids = self._encode(column.to_pylist())
        ends = self._firsts[first] + np.cumsum([len(tokens) for tokens in ids])
        if ends[-1] > len(self._tokens):
            self._tokens = grown(self._tokens, 2 * int(ends[-1]))
        self._tokens[self._firsts[first] : ends[-1]] = np.fromiter(chain.from_iterable(ids), self._kind)
        self._firsts = np.append(self._firsts[: first + 1], ends)


def _without_offsets(value: Any) -> Any:
    """Return a pre-tokenizer without what it says of character offsets, which nothing here uses."""
    if isinstance(value, dict):
        return {key: _without_offsets(item) for key, item in value.items() if key != "trim_offsets"}
    return [_without_offsets(item) for item in value] if isinstance(value, list) else value
