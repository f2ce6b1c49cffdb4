"""Slow, obvious twins of what a quality model's training and measuring compute."""

from __future__ import annotations

import re

SEPARATORS = re.compile("[ \t\n\x0b\x0c\r\0]+")


def line(text, form):
    """Return the line of a text, character by character where Arrow has functions."""
    joined = " ".join((text or "").strip().splitlines())
    if form != "lines":
        joined = "".join(map(lower_of_one, joined))
    if form == "words":
        import unicodedata

        joined = "".join(f" {c} " if unicodedata.category(c)[0] in "PS" else c for c in joined)
    return joined


def lower_of_one(character):
    """Return the lower case of a character as one character, as Arrow has it: no final sigma, no second character."""
    lower = character.lower()
    return lower[0] if len(lower) > 1 else lower


def words(text):
    """Return the words that fastText sees."""
    return [word for word in SEPARATORS.split(text) if word]


def roc_auc(scores, positive):
    pairs = [(p, n) for p, one in zip(scores, positive, strict=True) if one
             for n, other in zip(scores, positive, strict=True) if not other]  # fmt: skip
    return sum((p > n) + 0.5 * (p == n) for p, n in pairs) / len(pairs) if pairs else 0.5


def average_precision(scores, positive):
    total, found, before = sum(positive), 0.0, 0
    for bound in sorted(set(scores), reverse=True):
        kept = [one for score, one in zip(scores, positive, strict=True) if score >= bound]
        found += (sum(kept) - before) / total * sum(kept) / len(kept) if total else 0.0
        before = sum(kept)
    return found


def rising(values, weights):
    """Return the isotonic regression by its min-max formula: of all upper sets from before, the least of lower ones."""

    def mean(i, j):
        return sum(v * w for v, w in zip(values[i : j + 1], weights[i : j + 1], strict=True)) / sum(weights[i : j + 1])

    n = len(values)
    return [max(min(mean(i, j) for j in range(k, n)) for i in range(k + 1)) for k in range(n)]


def chosen(condition, row):
    """Return whether a condition, as nested tuples, holds of a row: True, False, or None if it cannot be told."""
    kind, *rest = condition
    if kind == "not":
        found = chosen(rest[0], row)
        return None if found is None else not found
    if kind in ("and", "or"):
        found = [chosen(one, row) for one in rest]
        decisive = kind == "or"
        if decisive in found:
            return decisive
        return None if None in found else not decisive
    value = row[rest[0]]
    if kind == "null":
        return value is None
    if value is None:
        return None
    if kind == "in":
        return value in rest[1]
    return {"==": value == rest[1], "!=": value != rest[1], "<": value < rest[1], ">=": value >= rest[1]}[kind]


def select(documents, is_held_out):
    """Return what is trained on and what is held out, as sets of (label, key), of documents (label, key, host).

    Copies and texts of both classes are out; nothing is balanced. ``is_held_out`` tells it of a host.
    """
    labels = {}
    for label, key, _ in documents:
        labels.setdefault(key, set()).add(label)
    alone = [(label, key, host) for label, key, host in documents if len(labels[key]) == 1]
    first = {}
    for label, key, host in alone:
        first[key] = min(first.get(key, (label, host)), (label, host))
    held = {(label, key) for key, (label, host) in first.items() if is_held_out(host)}
    return {(label, key) for key, (label, _) in first.items()} - held, held
