"""Slow, obvious twins of gristmill/classifiers/importance."""

from __future__ import annotations

import math
import re
from collections import Counter
from hashlib import sha256
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc
from reference import unicode_words
from reference_minhash import MASK, STEP, fnv, mix


def lower(text: str) -> str:
    return pc.utf8_lower(pa.scalar(text)).as_py()


def features(text: str | None, longest: int, buckets: int) -> list[int]:
    """The bucket of each n-gram, in the order in which they are added up."""
    hashes = [fnv(word) for word in unicode_words(lower(text))] if text else []
    found = []
    for start in range(len(hashes)):
        value = None
        for item in hashes[start : start + longest]:
            value = item if value is None else mix((value * STEP & MASK) ^ item)
            found.append(value % buckets)
    return found


def counts(texts: list[str | None], longest: int, buckets: int) -> list[int]:
    counted = Counter(bucket for text in texts for bucket in features(text, longest, buckets))
    return [counted[bucket] for bucket in range(buckets)]


def ratios(target: list[int], raw: list[int], smoothing: float) -> list[float]:
    return [
        math.log(t / sum(target) + smoothing) - math.log(r / sum(raw) + smoothing)
        for t, r in zip(target, raw, strict=True)
    ]


def published_features(text: str, buckets: int = 10_000) -> list[int]:
    """The buckets of words and pairs as Xie et al.'s program has them, NLTK's wordpunct_tokenize written out.

    The pattern is matched by ``re``, whose word characters leave combining marks out; NLTK 3.10 asks ``regex``, whose
    word characters have them. On texts without such marks both give data-selection 1.0.3's counts.
    """
    words = re.findall(r"\w+|[^\w\s]+", text.lower())
    grams = words + [" ".join(pair) for pair in pairwise(words)]
    return [int(sha256(gram.encode()).hexdigest(), 16) % buckets for gram in grams]


def gumbel(value: int) -> float:
    return -math.log(-math.log(((value >> 12) + 0.5) / 2**52))
