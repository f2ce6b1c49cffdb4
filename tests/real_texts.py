"""Real texts of many kinds, for tests that run a peer's code on the same texts."""

from __future__ import annotations

import functools
import gzip
import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def real_texts(data: Path, longest: int | None = 20_000) -> list[str]:
    """Texts of gold pages, web pages with their menus, encyclopedias, code, and over 200 languages.

    Those of ``longest`` characters and more are left out; none are for None.
    """
    return [row for row in _all(data) if longest is None or len(row) < longest]


def fewer_texts(rows: list[str]) -> list[str]:
    """Return four of five texts, and of the long ones every fifth, for peers and twins that take seconds for more.

    They are of all kinds still, and at least 5,000. Long ones are those of 4,000 characters and more.
    """
    return [row for number, row in enumerate(rows) if (number % 5 == 0) == (len(row) >= 4_000)]


@functools.cache
def _all(data: Path) -> list[str]:
    rows = [*_gold(data / "gold")]
    for name in ("noisy_web_fullpage", "dclm_human_majority_data", "wikipedia_paragraphs_12lang"):
        rows += [line["text"] for line in _lines(data / "text" / f"{name}.jsonl.gz")]
    rows += [line["output"] for line in _lines(data / "text" / "instruct_gpteacher_codegen.jsonl.gz")]
    by_language: dict[str, list[str]] = {}
    for name in ("lid/udhr_paragraphs", "text/wikipedia_paragraphs_12lang"):
        for line in _lines(data / f"{name}.jsonl.gz"):
            by_language.setdefault(line["lang"], []).append(line["text"])
    rows += ["\n".join(lines[:20]) for lines in by_language.values()]
    return [row for row in rows if row]


def _gold(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.jsonl.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)["text"] or ""


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)
