r"""Pages with their main text written down by others, and how a text is scored against it.

``shingles``: the Article Extraction Benchmark's measure. Tokens are runs of ``\w``; a page's 4-grams of tokens are
compared as multisets (a text of fewer tokens is one n-gram); precision and recall are averaged over pages, and F1 is
that of the averages. A page without text has precision 0.0. (github.com/scrapinghub/article-extraction-benchmark)

``snippets``: trafilatura's own measure. Short strings that must stand in the text are right or missed, those that must
not are wrong or left out; precision, recall and F1 are over all strings of a set. (github.com/adbar/trafilatura, tests)
"""

from __future__ import annotations

import hashlib
import json
import lzma
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

GOLD = Path(__file__).resolve().parents[2] / "shared" / "data" / "gold"

SETS = (
    "scrapinghub-aeb",
    "fundus",
    "newspaper4k-articles",
    "trafilatura-eval",
    "mozilla-readability",
    "cleanportaleval",
    "llm-webkit-bench",
)
"""Sets that are scored. Not ``wceb2026-ai``: 92 of its 119 texts are of other pages than those they stand beside."""

_TOKEN = re.compile(r"\w+")
_SUBSET = 32
"""A page is in the subset if the first byte of its id's SHA-256 is less: an eighth of them."""


class GoldPage(NamedTuple):
    """A page: ``text`` is its main text, or ``wanted`` and ``unwanted`` are snippets of what it holds."""

    id: str
    language: str
    html: str
    text: str | None
    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]


class Score(NamedTuple):
    """How well a set was extracted, each from 0.0 to 1.0."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of both; 0.0 if both are."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def gold_pages(name: str, folder: Path = GOLD, *, subset: bool = False) -> Iterator[GoldPage]:
    """Yield the pages of a set that have something to be scored by, in the order of the file."""
    with lzma.open(folder / f"{name}.jsonl.xz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if subset and hashlib.sha256(row["id"].encode()).digest()[0] >= _SUBSET:
                continue
            snippets = tuple(row.get("with") or ()), tuple(row.get("without") or ())
            text = row["text"] if _TOKEN.search(row["text"] or "") else None
            if text or any(snippets):
                yield GoldPage(row["id"], row["lang"], row["html"], text, *snippets)


def corpus_digests(folder: Path = GOLD) -> dict[str, str]:
    """Return the SHA-256 of each set's file."""
    return {name: hashlib.sha256((folder / f"{name}.jsonl.xz").read_bytes()).hexdigest() for name in SETS}


def score(pages: Iterable[GoldPage], texts: Iterable[str]) -> Score:
    """Return the score of the texts found in a set's pages: by 4-grams where it has texts, else by snippets."""
    pairs = list(zip(pages, texts, strict=True))
    if all(page.text is None for page, _ in pairs):
        return _snippet_score(pairs)
    each = [_shingle_score(page.text, text) for page, text in pairs if page.text is not None]
    return Score(fmean(one.precision for one in each), fmean(one.recall for one in each))


def _shingle_score(gold: str, found: str) -> Score:
    expected, given = _shingles(gold), _shingles(found)
    common = (expected & given).total()
    return Score(common / max(given.total(), 1), common / max(expected.total(), 1))


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    tokens = _TOKEN.findall(text)
    return Counter(tuple(tokens[at : at + 4]) for at in range(max(1, len(tokens) - 3)) if tokens)


def _snippet_score(pairs: list[tuple[GoldPage, str]]) -> Score:
    wanted = sum(len(page.wanted) for page, _ in pairs)
    right = sum(snippet in text for page, text in pairs for snippet in page.wanted)
    wrong = sum(snippet in text for page, text in pairs for snippet in page.unwanted)
    return Score(right / max(right + wrong, 1), right / max(wanted, 1))
