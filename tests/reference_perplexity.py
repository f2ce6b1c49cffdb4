"""Slow twins of n-gram models: Kneser-Ney by its definition, on dictionaries of words, and a reader of ARPA files."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict

BEGIN, END, UNKNOWN = b"<s>", b"</s>", b"<unk>"


def sentences(text):
    """Return the words of each line, with the begin and the end around them."""
    lines = text.split(b"\n")
    lines = lines[:-1] if lines[-1] == b"" else lines
    words = [[w for w in re.split(rb"[\x00\t\r ]+", line) if w and w not in (BEGIN, END, UNKNOWN)] for line in lines]
    return [(BEGIN, *line, END) for line in words]


def model(text, prune):
    """Return {n-gram: (probability, back-off weight)} of all orders; ``prune`` has a bound for each."""
    order = len(prune)
    said = sentences(text)
    raw = [Counter(s[i : i + n] for s in said for i in range(len(s) - n + 1)) for n in range(1, order + 1)]
    raw[0] = Counter({(UNKNOWN,): 0, **raw[0]})
    counts = [adjusted(raw, n, order) for n in range(1, order + 1)]
    discounts = [amounts(c) for c in counts]
    vocabulary = len(raw[0]) - 1
    weights = [context_weights(counts[k], raw[k], discounts[k], prune[k]) for k in range(order)]
    lower, found = {(): 1 / vocabulary}, {}
    for k in range(order):
        probability = {}
        for gram, count in counts[k].items():
            total, backoff = weights[k][gram[:-1]]
            kept = count - discounts[k][min(count, 3)] if is_kept(raw[k][gram], prune[k]) else 0
            probability[gram] = kept / total + backoff * lower[gram[1:]]
        for gram, value in probability.items():
            if is_kept(raw[k][gram], prune[k]):
                own = weights[k + 1].get(gram, (0, 1.0))[1] if k + 1 < order else None
                found[gram] = (1.0 if gram == (BEGIN,) else value, own)
        lower = probability
    return found


def is_kept(raw, least):
    return not least or raw > least


def adjusted(raw, n, order):
    """Return the adjusted counts: different words before an n-gram, or how often it stands there."""
    if n == order:
        found = dict(raw[n - 1])
    else:
        before = defaultdict(set)
        for gram in raw[n]:
            before[gram[1:]].add(gram[0])
        found = {g: c if g[0] == BEGIN else len(before[g]) for g, c in raw[n - 1].items()}
    if n == 1:
        found[(BEGIN,)] = 0
    return found


def amounts(counts):
    """Return the discounts of counts of 0, 1, 2, and from 3 on."""
    t = Counter(counts.values())
    if not (t[1] and t[2] and t[3]):
        return (0, 0.5, 1.0, 1.5)
    y = t[1] / (t[1] + 2 * t[2])
    found = tuple(j - (j + 1) * y * t[j + 1] / t[j] for j in (1, 2, 3))
    return (0, *found) if all(0 <= d <= j for j, d in enumerate(found, 1)) else (0, 0.5, 1.0, 1.5)


def context_weights(counts, raw, discounts, least):
    """Return for each context the sum of the counts, and the share that goes to shorter n-grams."""
    totals, held = defaultdict(int), defaultdict(float)
    for gram, count in counts.items():
        totals[gram[:-1]] += count
        held[gram[:-1]] += discounts[min(count, 3)] if is_kept(raw[gram], least) else count
    return {c: (totals[c], held[c] / totals[c]) for c in totals}


def read_arpa(data):
    """Return {n-gram: (log10 probability, log10 back-off weight or None)}, and the counts that the file states."""
    found, stated = {}, {}
    for line in data.split(b"\n"):
        if match := re.fullmatch(rb"ngram (\d+)=(\d+)", line):
            stated[int(match[1])] = int(match[2])
        fields = line.split(b"\t")
        if len(fields) > 1:
            weight = float(fields[2]) if len(fields) > 2 else None
            found[tuple(fields[1].split(b" "))] = (float(fields[0]), weight)
    return found, stated


def score(grams, context, word):
    """Return the log10 probability of a word after a context, backing off where the n-gram is not there."""
    while (*context, word) not in grams:
        if not context:
            return grams[(UNKNOWN,)][0]
        backoff = grams.get(context, (0, 0.0))[1] or 0.0
        return backoff + score(grams, context[1:], word)
    return grams[(*context, word)][0]


def total(grams, context):
    """Return the sum of the probabilities of all words after a context; the sentence's begin is no word."""
    words = [g[0] for g in grams if len(g) == 1 and g[0] != BEGIN]
    return math.fsum(10 ** score(grams, context, word) for word in words)
