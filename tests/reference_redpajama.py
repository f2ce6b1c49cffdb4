"""Slow, obvious twins of RedPajama-V2's signals, from their definitions."""

from __future__ import annotations

import math
import re
import string
import unicodedata
from collections import Counter

from reference import ngrams, ratio

BULLETS = ("\u2022", "\u2023", "\u25b6", "\u25c0", "\u25e6", "\u25a0", "\u25a1", "\u25aa", "\u25ab", "\u2013")


def normalize(text: str) -> str:
    text = text.translate({ord(c): None for c in string.punctuation})
    text = "".join(c.lower() for c in text)  # character by character: a final sigma is an ordinary one
    return unicodedata.normalize("NFD", re.sub(r"\s+", " ", text.strip()))


def mean(values: list[float]) -> float:
    total = 0.0
    for value in values:  # in order, as the kernel adds; sum() is more exact from Python 3.12 on
        total += value
    return total / len(values) if values else 0.0


def entropy(words: list[str]) -> float:
    counts = Counter(words)
    return round(sum(-n / len(words) * math.log(n / len(words)) for n in counts.values()), 8)


def top(words: list[str], n: int) -> float:
    counts = Counter(ngrams(words, n))
    ngram, count = counts.most_common(1)[0] if counts else ((), 0)
    return ratio(len("".join(ngram)) * count, len("".join(words))) if count > 1 else 0.0


def duplicated(words: list[str], n: int) -> float:
    counts = Counter(ngrams(words, n))
    repeated = [i for i, ngram in enumerate(ngrams(words, n)) if counts[ngram] > 1]
    covered = {k for i in repeated for k in range(i, i + n)}
    return ratio(sum(len(words[k]) for k in covered), len("".join(words)))


def redpajama_v2(text: str) -> dict[str, float]:
    raw = re.findall(r"\w+|[^\w\s]+", text)
    lines = re.findall(r"[^\n]*\n|[^\n]+$", text)
    normal, normal_lines = normalize(text), list(map(normalize, lines))
    words = normal.split()
    found = {
        "character_count": len(text),
        "line_count": len(lines),
        "curly_bracket_ratio": ratio(text.count("{") + text.count("}"), len(text)),
        "all_caps_word_ratio": ratio(sum(map(str.isupper, raw)), len(raw)),
        "ellipsis_line_ratio": ratio(sum(line.rstrip().endswith(("...", "…")) for line in lines), len(lines)),
        "letterless_word_ratio": ratio(sum(not re.search("[a-zA-Z]", word) for word in raw), len(raw)),
        "lorem_ipsum_ratio": ratio(normal.count("lorem ipsum"), len(normal)),
        "mean_word_length": ratio(len("".join(words)), len(words)),
        "symbol_word_ratio": ratio(sum(map(text.count, ("#", "...", "…"))), len(raw)),
        "unique_word_ratio": ratio(len(set(words)), len(words)),
        "unigram_entropy": entropy(words),
        "word_count": len(words),
        "sentence_count": len(re.findall(r"\b[^.!?]+[.!?]*", text)),
        "terminal_line_ratio": ratio(sum(line.rstrip().endswith((".", "!", "?", "”")) for line in lines), len(lines)),
        "javascript_word_count": words.count("javascript"),
        "words_per_line": ratio(sum(len(line.split()) for line in normal_lines), len(lines)),
        "line_numeric_ratio": mean([ratio(sum(map(str.isnumeric, line)), len(line)) for line in normal_lines]),
        "bullet_line_ratio": ratio(sum(line.lstrip().startswith(BULLETS) for line in lines), len(lines)),
        "line_uppercase_ratio": mean([ratio(sum(map(str.isupper, line)), len(line)) for line in lines]),
        **{f"top_{n}gram_char_ratio": top(words, n) for n in (2, 3, 4)},
        **{f"dup_{n}gram_char_ratio": duplicated(words, n) for n in range(5, 11)},
    }
    return {f"{name}_redpajama_v2": value for name, value in found.items()}


def lists(text: str, words: str, row: dict, listed: dict) -> dict[str, float | None]:
    """The twins of the signals that need lists."""
    bad, stop = (listed[name].get(row["language"] or "") for name in ("bad_words", "stop_words"))
    found = normalize(text).split()
    raw = re.findall(r"\w+|[^\w\s]+", text)
    sizes = {entry.count(" ") + 1 for entry in bad or ()}
    grams = [" ".join(gram) for size in sizes for gram in ngrams(found, size)]
    return {
        "bad_word_count_redpajama_v2": None if bad is None else sum(gram in bad for gram in grams),
        "stop_word_ratio_redpajama_v2": None if stop is None else ratio(sum(word in stop for word in raw), len(raw)),
    }
