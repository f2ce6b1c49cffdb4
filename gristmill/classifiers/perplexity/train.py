"""A model from texts: sentences, counts, probabilities, a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from gristmill.classifiers.perplexity.arpa import ngram_count, write_arpa
from gristmill.classifiers.perplexity.binary import write_binary
from gristmill.classifiers.perplexity.columns import Scratch
from gristmill.classifiers.perplexity.corpus import SPECIAL, Corpus, read_corpus
from gristmill.classifiers.perplexity.counts import count_ngrams
from gristmill.classifiers.perplexity.estimate import Discounts, Estimated, estimate
from gristmill.errors import UsageError


@dataclass(frozen=True)
class Trained:
    """What a model was made of, and what it has: n-grams and discounts of each order."""

    sentences: int
    tokens: int
    ngrams: tuple[int, ...]
    discounts: tuple[Discounts, ...]


MOST_WORDS: Final = 6
"""The longest n-grams that KenLM reads, as it is usually built."""


def pruning(order: int, bounds: Sequence[int]) -> tuple[int, ...]:
    """Return a bound for each order: those given, the last of them for all that are longer, 0 without any.

    Raises UsageError for bounds that would leave a longer n-gram without the shorter ones in it.

    >>> pruning(5, (0, 0, 1))
    (0, 0, 1, 1, 1)
    """
    if not 2 <= order <= MOST_WORDS:
        raise UsageError(f"the order is {order}; models have from 2 to {MOST_WORDS} words in a row")
    given = tuple(bounds) or (0,)
    said = ", ".join(map(str, given))
    if len(given) > order:
        raise UsageError(f"there are {len(given)} bounds ({said}) for pruning {order} orders")
    if given[0] != 0:
        raise UsageError(f"the first bound for pruning is {given[0]}: words are never pruned, so it must be 0")
    if any(longer < shorter for shorter, longer in pairwise(given)):
        raise UsageError(f"bounds for pruning may not fall from order to order: {said}")
    return given + given[-1:] * (order - len(given))


def train(blocks: Iterable[bytes], prune: Sequence[int], path: Path, folder: Path | None = None) -> Trained:
    """Train a model on blocks of lines, and write it to a new file: as ARPA, or for ``.bin`` as KenLM's binary.

    ``prune``: for each order, how often an n-gram may stand and be left out; ``folder``: where columns lie
    meanwhile, by default the model's. Raises UsageError for text without a word.
    """
    with Scratch(folder or path.parent) as scratch:
        corpus = read_corpus(blocks, scratch)
        if len(corpus.words) == len(SPECIAL):
            raise UsageError("there is no word in the text to train on")
        orders = estimate(count_ngrams(corpus, len(prune), scratch), prune, scratch)
        _write(corpus, orders, path, scratch.folder / "model")
        return Trained(
            corpus.sentences,
            len(corpus.tokens),
            tuple(ngram_count(estimated) for estimated in orders),
            tuple(estimated.discounts for estimated in orders),
        )


def _write(corpus: Corpus, orders: Sequence[Estimated], path: Path, made: Path) -> None:
    """Write the model's file, which has its name only when it is whole."""
    if path.suffix == ".bin":
        write_binary(corpus, orders, made)
    else:
        with made.open("wb") as file:
            write_arpa(corpus, orders, file)
    made.replace(path)
