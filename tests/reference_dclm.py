"""Slow, obvious twins of DCLM's Gopher signals and of RefinedWeb's lines, from their definitions."""

from __future__ import annotations

import re
from collections import Counter

from reference import STOP_WORDS, ngrams, ratio, words_of
from reference_edits import COUNTER, PHRASES, refinedweb_lines, trimmed, without_phrase


def plain_words(text: str) -> list[str]:
    """What stands between NULs and white space of ASCII, if it begins with a letter or digit."""
    return [word for word in re.split("[ \t\n\v\f\r\0]+", text) if word[:1].isalnum()]


def segments(text: str, end: str) -> list[str]:
    return [segment.strip() for segment in text.split(end) if segment.strip()]


def copies(items: list) -> list:
    """All copies of those that occur more than once."""
    counts = Counter(items)
    return [item for item in items if counts[item] > 1]


def size(items: list[str]) -> int:
    return sum(map(len, items))


def quality(text: str, _: str) -> dict[str, float]:
    words, lines = text.split(), segments(text, "\n")
    symbols = sum(text.count(symbol) for symbol in ("#", "...", ". . .", "…"))
    bullets = [line for line in lines if line.startswith(("●", "•", "*", "-"))]
    ellipses = [line for line in lines if line.endswith(("...", ". . .", "…"))]
    return {
        "word_count_dclm": len(plain_words(text)),
        "mean_word_length_dclm": ratio(size(words), len(words)),
        "symbol_word_ratio_dclm": ratio(symbols, len(words)),
        "bullet_line_ratio_dclm": ratio(len(bullets), len(lines)),
        "ellipsis_line_ratio_dclm": ratio(len(ellipses), len(lines)),
        "alphabetic_word_ratio_dclm": ratio(sum(any(map(str.isalpha, word)) for word in words), len(words)),
        "stop_word_count_dclm": sum(word.lower() in STOP_WORDS for word in words),
    }


def repetition(text: str, kind: str) -> dict[str, float]:
    found = {}
    for name, end in (("line", "\n"), ("paragraph", "\n\n")):
        whole = segments(text, end)
        found[f"dup_{name}_ratio_dclm"] = ratio(len(copies(whole)), len(whole))
        found[f"dup_{name}_char_ratio_dclm"] = ratio(size(copies(whole)), size(whole))
    order = ("dup_line_ratio", "dup_paragraph_ratio", "dup_line_char_ratio", "dup_paragraph_char_ratio")
    found = {f"{name}_dclm": found[f"{name}_dclm"] for name in order}
    words = [word for word in words_of(text, kind) if word[0].isalnum()]
    for n in range(2, 11):
        grams = list(ngrams(words, n))
        counts = Counter(grams)
        if n < 5:
            times = max(counts.values(), default=1)
            longest = max((size(gram) for gram, count in counts.items() if count == times), default=0)
            found[f"top_{n}gram_char_ratio_dclm"] = ratio(longest * times, size(words)) if times > 1 else 0.0
        else:
            covered = {k for start, gram in enumerate(grams) if counts[gram] > 1 for k in range(start, start + n)}
            found[f"dup_{n}gram_char_ratio_dclm"] = ratio(size([words[k] for k in covered]), size(words))
    return found


CHECKS = {
    "upper_case_line": lambda line: sum(map(str.isupper, line)) / len(line) > 0.5,
    "digit_line": lambda line: all(map(str.isdigit, line)),
    "counter_line": lambda line: COUNTER.fullmatch(line.lower()) is not None,
    "short_line": lambda line: len(line.split()) < 2,
}


def phrase_lines(text: str) -> tuple[int, int]:
    """How many lines lose a phrase, of those that no other check takes, and how many have nothing left."""
    lines = [line for line in text.split("\n") if line and not any(check(line) for check in CHECKS.values())]
    left = [list(enumerate(line)) for line in lines]
    numbers, lost = list(range(len(left))), set()
    for pattern in PHRASES:
        whole = trimmed(left)
        found = [without_phrase(pattern, line) for line in whole]
        lost |= {n for n, a, b in zip(numbers, whole, found, strict=True) if b != [a]}
        numbers = [n for n, b in zip(numbers, found, strict=True) if b]
        left = [line for b in found for line in b]
    return len(lost), len(lines) - len(left)


def refinedweb(text: str, _: str) -> dict[str, float]:
    lines = [line for line in text.split("\n") if line]
    phrased, emptied = phrase_lines(text)
    counts = {name: sum(map(check, lines)) for name, check in CHECKS.items()} | {"phrase_line": phrased}
    cut = sum(any(check(line) for check in CHECKS.values()) for line in lines) + emptied
    words, left = len(plain_words(text)), len(plain_words(refinedweb_lines(text)))
    return {
        **{f"{name}_count_refinedweb": count for name, count in counts.items()},
        **{f"{name}_ratio_refinedweb": ratio(count, len(lines)) for name, count in counts.items()},
        "cut_line_ratio_refinedweb": ratio(cut, len(lines)),
        "cut_word_ratio_refinedweb": ratio(max(words - left, 0), words),
    }
