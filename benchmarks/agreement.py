"""How often the fast words lead to the verdict of datatrove as it is, which has spaCy's words: by preset.

    PYTHONPATH=tests python benchmarks/agreement.py [--text FILE] [--documents N] [--pairs 5]

Without FILE: the real texts of the tests, whose verdicts by datatrove are kept in tests/golden. FILE is JSONL or
Parquet as for `signals.py`, such as a shard of a run's documents; datatrove is run on those of its texts whose verdicts
are not kept. A text is English if lid.176 gives English at least 0.65, as FineWeb asks.

`verdict`: texts that both keep or both drop. `first reason`: texts that both keep, or drop for the same first reason.
`all four` is the presets in FineWeb's order, each on what those before it kept.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import datatrove_golden as golden
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from datatrove_filters import FILTERS, in_our_names
from real_texts import real_texts
from signals import read_texts

from gristmill.classifiers.language import LanguageIdentifier
from gristmill.classifiers.models import find_model
from gristmill.classifiers.settings import LanguageSettings
from gristmill.filters.rules.evaluate import evaluate, rules_of
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.families import measure
from gristmill.filters.signals.settings import SignalsSettings

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
WORDS = ("unicode", "whitespace", "spacy")
CHAIN = ("gopher_repetition", "gopher_quality", "c4", "fineweb")
ALL = "all four"
ENGLISH = 0.65

Reasons = dict[str, list[str | None]]


def main() -> None:
    """Print a table for each kind of words, and the most frequent pairs of verdicts that are not the same."""
    options = arguments()
    texts = chosen_texts(options)
    theirs = with_all(datatrove_reasons(texts))
    english = is_english(texts)
    print(f"datatrove {version('datatrove')}; {len(texts):,} texts, {english.sum():,} of them English")
    print(f"{'':32}{'verdict':>9}{'first reason':>14}   {'English: verdict':>16}{'first reason':>14}")
    for words in WORDS:
        ours = with_all(our_reasons(texts, words))
        for preset in (*CHAIN, ALL):
            shares = [*agreement(ours[preset], theirs[preset]), *agreement(ours[preset], theirs[preset], english)]
            print(f"{words:12}{preset:20}{shares[0]:9.2%}{shares[1]:14.2%}   {shares[2]:16.2%}{shares[3]:14.2%}")
        if words == WORDS[0]:
            unlike = {preset: pairs(ours[preset], theirs[preset], english) for preset in CHAIN}
    print(f"\nVerdicts that are not the same on {WORDS[0]} words, and how many of them are of English texts")
    for preset, counts in unlike.items():
        for (our, their), (number, in_english) in counts[: options.pairs]:
            print(f"{preset:20}{number:6}{in_english:6}   here {our or 'kept':36} there {their or 'kept'}")


def with_all(reasons: Reasons) -> Reasons:
    """Return the reasons with those of the presets one after the other."""
    chained = [next((r for r in row if r is not None), None) for row in zip(*(reasons[p] for p in CHAIN), strict=True)]
    return {**reasons, ALL: chained}


def agreement(
    ours: Sequence[str | None], theirs: Sequence[str | None], among: npt.NDArray[np.bool_] | None = None
) -> tuple[float, float]:
    """Return the share of texts, of those ``among``, with the same verdict, and with the same first reason."""
    pairs = [pair for i, pair in enumerate(zip(ours, theirs, strict=True)) if among is None or among[i]]
    verdict = sum((a is None) == (b is None) for a, b in pairs)
    return verdict / max(len(pairs), 1), sum(a == b for a, b in pairs) / max(len(pairs), 1)


def pairs(
    ours: Sequence[str | None], theirs: Sequence[str | None], english: npt.NDArray[np.bool_]
) -> list[tuple[tuple[str | None, str | None], tuple[int, int]]]:
    """Return pairs of reasons of which one keeps, with their count and that of English texts, the most first."""
    both = list(zip(ours, theirs, strict=True))
    counts = Counter(pair for pair in both if (pair[0] is None) != (pair[1] is None))
    of_english = Counter(pair for pair, is_one in zip(both, english, strict=True) if is_one)
    return [(pair, (number, of_english[pair])) for pair, number in counts.most_common()]


def our_reasons(texts: list[str], words: str) -> Reasons:
    """Return gristmill's first reason for each text, by preset."""
    values = measure(pa.array(texts, pa.large_string()), SignalsSettings(families=CHAIN, words=words))
    rules = {preset: rules_of(FilterSettings(use=(preset,))) for preset in CHAIN}
    return {p: evaluate(rules[p], values, len(texts)).column("reason").to_pylist() for p in CHAIN}


def datatrove_reasons(texts: list[str]) -> Reasons:
    """Return the first reason of datatrove as it is, in our names, by preset; kept ones are not asked for again."""
    known = golden.known_digests()
    old = [text for text in texts if golden.digest(text) in known]
    new = [text for text in texts if golden.digest(text) not in known]
    kept = golden.kept_verdicts(old)
    found: Reasons = {}
    for preset in FILTERS:
        fresh = dict(zip(new, (reason for reason, _ in golden.verdicts(new, preset, "spacy")), strict=True))
        fresh |= dict(zip(old, kept[golden.column(preset, "spacy")], strict=True))
        found[preset] = [in_our_names(preset, fresh[text]) for text in texts]
    return found


def is_english(texts: list[str]) -> npt.NDArray[np.bool_]:
    """Return which texts are English."""
    identifier = LanguageIdentifier(find_model("lid176"), LanguageSettings(model="lid176"))
    found = identifier.identify(pa.array(texts, pa.large_string()))
    labels, scores = (np.asarray(found.column(name)) for name in found.schema.names[:2])
    return (labels == "en") & (scores >= ENGLISH)


def chosen_texts(options: argparse.Namespace) -> list[str]:
    """Return the texts, each once."""
    if options.text is None:
        texts = real_texts(DATA, longest=None)
    else:
        _, texts = read_texts(options.text, options.documents)
    return list(dict.fromkeys(texts))


def arguments() -> argparse.Namespace:
    """Return the command line: text, documents, pairs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, help="JSONL or Parquet with texts")
    parser.add_argument("--documents", type=int, default=5_000, help="how many of FILE's texts")
    parser.add_argument("--pairs", type=int, default=5, help="how many pairs of unlike verdicts to show")
    return parser.parse_args()


if __name__ == "__main__":
    main()
