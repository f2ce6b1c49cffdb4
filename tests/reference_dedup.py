"""Slow, obvious twins of gristmill/dedup: what its kernels and Arrow code must agree with."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from dataclasses import dataclass


def text_digest(text: str | None) -> bytes | None:
    return None if text is None else hashlib.blake2b(text.encode(), digest_size=16).digest()


def order(value: float | None, *, largest_first: bool = False) -> tuple:
    """What sorts documents by a value: those without one, or with NaN, come last."""
    if value is None or value != value:
        return (1, 0)
    return (0, -value if largest_first else value)


def survivors(members: list[dict]) -> list[tuple]:
    """(shard, row, duplicate_of, cluster_size) of every member of a cluster of two or more, by (shard, row)."""
    clusters = defaultdict(list)
    for member in members:
        if member["digest"] is not None:
            clusters[member["digest"]].append(member)
    found = []
    for cluster in clusters.values():
        if len(cluster) > 1:
            best = min(cluster, key=lambda m: (m["order"], m["id"].encode()))
            for member in cluster:
                partner = None if member is best else best["id"]
                found.append((member["shard"], member["row"], partner, len(cluster)))
    return sorted(found, key=lambda f: f[:2])


def words(text: str) -> list[str]:
    """Lower-cased runs of letters and digits; a combining mark goes with the word before it."""
    found, word = [], ""
    for character in text + " ":
        if character.isalnum():
            word += character.lower()[0]
        elif word and unicodedata.category(character).startswith("M"):
            word += character
        elif word:
            found.append(word)
            word = ""
    return found


def ngrams(text: str, n: int) -> list[tuple[str, ...]]:
    found = words(text)
    return [tuple(found[i : i + n]) for i in range(len(found) - n + 1)]


def is_looked_for(ngram: tuple[str, ...]) -> bool:
    return len({word for word in ngram if sum(c.isalpha() for c in word) >= 2}) >= 3


@dataclass
class Item:
    benchmark: str
    id: str
    texts: list[str]


def index(items: list[Item], n: int) -> dict[tuple[str, ...], Item]:
    """The first item that has each n-gram."""
    found: dict[tuple[str, ...], Item] = {}
    for item in items:
        for text in item.texts:
            for ngram in filter(is_looked_for, ngrams(text, n)):
                found.setdefault(ngram, item)
    return found


def short_items(items: list[Item], n: int) -> list[tuple[str, str]]:
    return [
        (i.benchmark, i.id) for i in items if not any(map(is_looked_for, (g for t in i.texts for g in ngrams(t, n))))
    ]


def contamination(text: str | None, known: dict[tuple[str, ...], Item], n: int) -> tuple:
    """(count, ratio, benchmark, item) of a text."""
    if text is None:
        return None, None, None, None
    grams = ngrams(text, n)
    hits = [known[gram] for gram in grams if gram in known]
    first = hits[0] if hits else None
    ratio = len(hits) / len(grams) if grams else 0.0
    return len(hits), ratio, first and first.benchmark, first and first.id
