"""Slow, obvious twins of gristmill/dedup/substrings: every window of every document, in a dictionary."""

from __future__ import annotations


def repeated_windows(documents: list[list[str]], n: int) -> list[set[int]]:
    """For each document, its order being that of the list, the places of windows that stand somewhere before."""
    seen: set[tuple[str, ...]] = set()
    found: list[set[int]] = []
    for words in documents:
        found.append(set())
        for place in range(len(words) - n + 1):
            window = tuple(words[place : place + n])
            if window in seen:
                found[-1].add(place)
            seen.add(window)
    return found


def cut_words(windows: set[int], n: int) -> set[int]:
    """The words that lie in a repeated window."""
    return {place + k for place in windows for k in range(n)}


def anchor_of(hashes: list[int], gram: int) -> int:
    """Where the gram with the least hash starts, the last of equal ones, among the grams of a window."""
    step = 0x9E3779B97F4A7C15
    values = []
    for i in range(len(hashes) - gram + 1):
        value = 0
        for item in hashes[i : i + gram]:
            value = (value * step + item) % 2**64
        for _ in range(2):
            value = (value ^ value >> 32) * 0xD6E8FEB86659FD93 % 2**64
        values.append(value ^ value >> 32)
    return max(i for i, value in enumerate(values) if value == min(values))
