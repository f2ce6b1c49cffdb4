"""Slow, obvious twins of Dolma's Gopher signals, from their definitions."""

from __future__ import annotations

from collections import Counter
from statistics import median

from reference import STOP_WORDS, ngrams, ratio


def repetition(text: str, words: list[str]) -> dict[str, float]:
    lines = Counter(text.split("\n"))
    copies = [line for line, count in lines.items() for _ in range(count) if count > 1]
    characters = sum(map(len, words))
    found = {
        "dup_line_ratio_dolma": ratio(len(copies), lines.total()),
        "dup_line_char_ratio_dolma": ratio(sum(map(len, copies)), characters),
    }
    for n in range(2, 11):
        counts = Counter(ngrams(words, n))
        size = {ngram: count * sum(map(len, ngram)) for ngram, count in counts.items()}
        if n < 5:
            top = max(counts, key=counts.__getitem__, default=None)
            found[f"top_{n}gram_char_ratio_dolma"] = ratio(size[top], characters) if top else 0.0
        else:
            repeated = sum(size[ngram] for ngram, count in counts.items() if count > 1)
            found[f"dup_{n}gram_char_ratio_dolma"] = ratio(repeated, sum(size.values()))
    return found


def quality(text: str, words: list[str]) -> dict[str, float]:
    lines = text.split("\n")
    return {
        "word_count_dolma": len(words),
        "median_word_length_dolma": median(map(len, words)) if words else 0.0,
        "symbol_word_ratio_dolma": ratio(sum("#" in word or "…" in word for word in words), len(words)),
        "alphabetic_word_ratio_dolma": ratio(sum(any(map(str.isalpha, word)) for word in words), len(words)),
        "stop_word_count_dolma": sum(word in STOP_WORDS for word in words),
        "bullet_line_ratio_dolma": ratio(sum(line.startswith(("*", "-")) for line in lines), len(lines)),
        "ellipsis_line_ratio_dolma": ratio(sum(line.endswith("…") for line in lines), len(lines)),
    }
