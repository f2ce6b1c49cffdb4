"""Lists of words by language, and the looking up of words in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill import schema
from gristmill.filters.signals import _kernels
from gristmill.filters.signals.tables import slots
from gristmill.text import Integers, TextBatch, Words

Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class WordLists:
    """Words by language; what is made of a list is made once for all batches.

    ``labels`` are further labels that documents can have, each with the language that it stands for.
    """

    words: Mapping[str, Sequence[str]]
    labels: Mapping[str, str] = field(default_factory=dict)
    _made: dict[tuple[str, Callable[..., Any]], Any] = field(default_factory=dict, init=False, repr=False)

    def language(self, label: str) -> str:
        """Return by which name the lists have the language that a document's label stands for."""
        return self.labels.get(label, label)

    def of(self, label: str) -> Sequence[str] | None:
        """Return the words of a label's language; None if there is no list of it."""
        return self.words.get(self.language(label))

    def made(self, label: str, make: Callable[[Sequence[str]], Made]) -> Made:
        """Return ``make(words)`` of the words of a label's language, computed once."""
        key = (self.language(label), make)
        if key not in self._made:
            self._made[key] = make(self.words[key[0]])
        result: Made = self._made[key]
        return result


def by_language(batch: TextBatch, lists: WordLists) -> Iterator[tuple[str, Integers]]:
    """Yield each language of the batch that has a list, with the rows of its documents in ascending order."""
    labels = batch.columns[schema.LANGUAGE].dictionary_encode()
    codes = np.asarray(labels.indices.fill_null(-1), dtype=np.int64)
    for code, label in enumerate(labels.dictionary.to_pylist()):
        if label is not None and lists.of(label) is not None:
            yield label, np.flatnonzero(codes == code)


def word_table(words: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Return a hash table of words as `listed_words` reads it; what holds white space is no word, and is left out."""
    alone = [word for word in words if word.split() == [word]]
    return hash_table(np.unique(TextBatch(pa.array(alone, pa.large_string()), "whitespace").words.hashes))


def hash_table(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return a read-only table of a power of two slots that holds different hashes; 0 is a free slot."""
    table = np.zeros(slots(4 * len(hashes)), np.uint64)
    for word in hashes:
        slot = int(word) % len(table)
        while table[slot]:
            slot = (slot + 1) % len(table)
        table[slot] = word
    table.flags.writeable = False
    return table


def listed_words(words: Words, table: npt.NDArray[np.uint64], rows: Integers | None = None) -> Integers:
    """Return int64[rows, 2]: how many different words of a table occur in each text, and how often any does."""
    chosen = np.arange(len(words.counts) - 1) if rows is None else rows
    out = np.empty((len(chosen), 2), np.int64)
    _kernels.listed_words(words.counts, chosen, words.hashes, table, np.zeros(len(table), np.int64), out)
    return out
