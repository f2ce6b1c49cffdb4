"""Language identification on labelled sentences: accuracy by length and by language, and what is taken for what.

    python benchmarks/language.py DATA [--model MODEL]

DATA has `lid/*.jsonl.gz`, whose rows have `lang` (any code of ISO 639) or `bcp47`, and `text`; and
`warc/*.provenance.jsonl.gz`, whose rows have `status`, `content_type` and `lang_cld2`: the 30 languages of most pages
there are the large ones. Prints tables in Markdown.

A sentence is judged if the model has a label for its language, or one for the macrolanguage of its language. An answer
is right if it is that label (`nob` is `nor` to a model that has no `nob`). The second figure counts an answer in the
same macrolanguage as right too (Malay for Indonesian, Croatian for Bosnian).
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from gristmill.classifiers.language import LanguageIdentifier
from gristmill.classifiers.language.codes import codes_of
from gristmill.classifiers.models import find_model
from gristmill.classifiers.settings import LanguageSettings

LENGTHS = [0, 20, 50, 100, 1 << 30]
NAMES = {"lingua_sentences_75lang": "Lingua", "tatoeba_113lang": "Tatoeba", "udhr_paragraphs": "UDHR"}
LARGE = 30
LONG = 50


class Judged(NamedTuple):
    """Sentences in languages that the model knows: set, language, answer (ISO 639-3), characters, and if it is right.

    ``same`` is true where the answer is in the same macrolanguage, too.
    """

    sets: np.ndarray
    expected: np.ndarray
    found: np.ndarray
    characters: np.ndarray
    right: np.ndarray
    same: np.ndarray


def rows(path: Path):
    """Yield the rows of a file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def language_of(code: str, known: set[str]) -> str | None:
    """Return how a model that knows these languages would call that of a code; None if it does not know it."""
    codes = codes_of([code])[code] if len(code) == 3 else codes_of([code, "en"])[code]
    return next((part for part in (codes.part3, codes.whole) if part in known), None) if codes else None


def judge(folder: Path, model: str = "lid176", chosen=lambda text: True) -> tuple[Judged, Counter]:
    """Return the judged sentences of a folder that are chosen, and how many of each set are not judged."""
    identifier = LanguageIdentifier(find_model(model), LanguageSettings(model=model, labels="iso639-3"))
    known, sentences, unknown = set(identifier.labels), [], Counter()
    for path in sorted((folder / "lid").glob("*.jsonl.gz")):
        name = path.name.removesuffix(".jsonl.gz")
        for row in filter(lambda row: chosen(row["text"]), rows(path)):
            language = language_of(row.get("bcp47", row["lang"]).split("-")[0], known)
            if language is None:
                unknown[name] += 1
            else:
                sentences.append((name, language, row["text"]))
    sets, expected, texts = zip(*sentences, strict=True)
    found = identifier.identify(pa.array(texts))["language"].to_pylist()
    whole = {code: codes.whole if codes else code for code, codes in codes_of({*found, *expected}).items()}
    right = [a == b for a, b in zip(expected, found, strict=True)]
    same = [whole[a] == whole[b] for a, b in zip(expected, found, strict=True)]
    return Judged(*map(np.array, (sets, expected, found, [len(text) for text in texts], right, same))), unknown


def large_languages(folder: Path, known: set[str]) -> list[str]:
    """Return the languages of the most HTML pages in a folder's crawls, those that the model knows."""
    pages: Counter = Counter()
    for path in sorted((folder / "warc").glob("*.provenance.jsonl.gz")):
        for row in rows(path):
            code = (row.get("lang_cld2") or "").split("-")[0]
            if row.get("status") == 200 and "html" in (row.get("content_type") or "") and code:
                pages[language_of(code, known)] += 1
    del pages[None]
    return [code for code, _ in pages.most_common(LARGE)]


def shares(judged: Judged, mask: np.ndarray) -> str:
    """Return the share of right answers, that by macrolanguage, and of how many."""
    if not mask.any():
        return ""
    return f"{judged.right[mask].mean():.1%} / {judged.same[mask].mean():.1%} of {mask.sum():,}"


def table(judged: Judged, large: list[str]) -> None:
    """Print the shares of each set by length, those of the large languages last."""
    names = list(dict.fromkeys(judged.sets))
    masks = {name: judged.sets == name for name in names} | {"all": np.ones(len(judged.sets), bool)}
    counts = [len(set(judged.expected[judged.sets == name])) for name in names]
    titles = [f"{NAMES.get(name, name)}, {count} languages" for name, count in zip(names, counts, strict=True)]
    print("\n| characters | " + " | ".join([*titles, "all"]) + " |\n|" + "---|" * (len(masks) + 1))
    for low, high in pairwise(LENGTHS):
        within = (judged.characters >= low) & (judged.characters < high)
        upper = f"{low} – {high - 1}" if high < 1 << 30 else f"{low} and more"
        print(f"| {upper} | " + " | ".join(shares(judged, mask & within) for mask in masks.values()) + " |")
    long = (judged.characters >= LONG) & np.isin(judged.expected, large)
    cells = " | ".join(f"**{shares(judged, mask & long)}**" for mask in masks.values())
    print(f"| **{LONG} and more, in the {LARGE} large languages** | {cells} |")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="lid176")
    arguments = parser.parse_args()
    judged, unknown = judge(arguments.data, arguments.model)
    large = large_languages(arguments.data, set(judged.expected))
    print(f"not judged, in languages that the model does not know: {dict(unknown)}")
    table(judged, large)
    print(f"\nlarge languages: {' '.join(large)}")
    long = judged.characters >= LONG
    print(f"\nright with {LONG} characters and more, of how many, by language:")
    for code in sorted(set(judged.expected)):
        of = long & (judged.expected == code)
        if of.any():
            print(f"{code} {judged.right[of].mean():.0%} of {of.sum()}", end="; ")
    for title, mask in (
        ("all", judged.characters >= 0),
        (f"{LONG} and more, large", long & np.isin(judged.expected, large)),
    ):
        wrong = Counter(zip(judged.expected[mask & ~judged.right], judged.found[mask & ~judged.right], strict=True))
        print(f"\n\ntaken for another most often ({title}): ", end="")
        print(", ".join(f"{e} for {f} ({n})" for (e, f), n in wrong.most_common(15)))


if __name__ == "__main__":
    main()
