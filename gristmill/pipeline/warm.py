"""Compiling the kernels once, before any worker needs them.

Cold workers would each compile the same kernels, for ten seconds and more. Compiled once, they are loaded from disk:
by the fork server for all its workers, by a Slurm task for itself. Kernels come in parts, and a plan compiles only
those that its steps need: a family of signals on one kind of words is a part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import product
from types import MappingProxyType
from typing import Final

import numpy as np
import pyarrow as pa

from gristmill import jit, schema
from gristmill.classifiers.fasttext_inference.predictor import warm_predictor
from gristmill.classifiers.importance.settings import ImportanceSettings
from gristmill.classifiers.importance.weights import features_of, gumbel_noise, weigh
from gristmill.classifiers.language.lines import warm_lines
from gristmill.columns import text_column
from gristmill.dedup.benchmarks import FIELDS, ITEMS, KINDS, SPLIT
from gristmill.dedup.bloom.filters import Filter
from gristmill.dedup.bloom.sizes import size_for
from gristmill.dedup.contamination import index_items
from gristmill.dedup.contamination.cuts.pages import cut_pages
from gristmill.dedup.lines.paragraphs import ngrams_of
from gristmill.dedup.lines.settings import LinesSettings, ParagraphsSettings
from gristmill.dedup.lines.units import span_keys, units_of
from gristmill.dedup.minhash.clusters import compare
from gristmill.dedup.minhash.shingles import SHINGLES, shingles
from gristmill.dedup.minhash.signatures import SCHEMES, signatures
from gristmill.dedup.normal import normal_texts
from gristmill.dedup.simhash.blocks import near_edges
from gristmill.dedup.simhash.clusters import led
from gristmill.dedup.simhash.fingerprints import fingerprints
from gristmill.dedup.substrings.anchors import find_words
from gristmill.dedup.substrings.cuts import byte_cuts
from gristmill.dedup.substrings.repeats import repeats
from gristmill.dedup.substrings.snippets import keys_of, snippets
from gristmill.filters.edits import catalogue as edits
from gristmill.filters.edits.settings import EDIT_SETTINGS, EditSettings
from gristmill.filters.signals.families import FAMILIES, SIGNALS, measure
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.filters.signals.word_lists import WordLists
from gristmill.pipeline.plan import Step
from gristmill.text import WORDS, TextBatch
from gristmill.tokenize.lookup import WordLookup
from gristmill.tokenize.words import PATTERNS

_TEXT: Final = "One line of text [1], to compile for.\n\nSign-in, and 2 likes, a@example.com, 8.8.8.8.\n***\n***\u2028"
_TEXTS: Final = pa.array([_TEXT], pa.large_string())
_COLUMNS: Final = {schema.URL: pa.array(["https://example.com/page.html"]), schema.LANGUAGE: pa.array(["en"])}
_WORDS: Final = WordLists({"en": ("a", "and", "of")})


class _NoCategories:
    def of(self, url: str) -> tuple[str, ...]:
        return ()


_LISTS: Final = {"stop_words": _WORDS, "bad_words": _WORDS, "ut1": _NoCategories()}


def is_warm(steps: Sequence[Step]) -> bool:
    """Return whether the kernels that these steps need were compiled on this machine before."""
    return all(jit.is_compiled(part) for part in parts_of(steps))


def warm_up(steps: Sequence[Step]) -> None:
    """Compile the kernels that these steps need, or load what was compiled before."""
    for part in parts_of(steps):
        _PARTS[part]()
        with suppress(OSError):  # a cache that cannot be written to costs time, not correctness
            jit.mark_compiled(part)


def load_compiled(parts: Iterable[str]) -> None:
    """Load the kernels of those of the parts that were compiled before; names of no part are passed over."""
    for part in parts:
        if part in _PARTS and jit.is_compiled(part):
            _PARTS[part]()


def parts_of(steps: Iterable[Step]) -> list[str]:
    """Return the parts that steps need, each once, in a fixed order."""
    needed = {part for step in steps for part in _parts_of(step)}
    return [part for part in _PARTS if part in needed]


def _parts_of(step: Step) -> list[str]:
    if screen := step.settings.get("screen"):
        families = dict.fromkeys(SIGNALS[name].family for name in screen["bounds"])
        return ["language", *(f"{family}.{screen['words']}" for family in families)]
    if step.kind == "signals":
        settings = SignalsSettings.model_validate(dict(step.settings))
        return [f"{family}.{settings.words}" for family in settings.families]
    if step.kind == "edit":
        return [f"edit.{name}" for name in EDIT_SETTINGS if step.settings.get(name) is not None]
    if step.kind == "dedup":
        if minhash := step.settings.get("minhash"):
            return [f"minhash.{minhash['scheme']}"]
        if step.settings.get("simhash"):
            return ["simhash"]
        normal = ["normalized_text"] if step.settings.get("exact") == "normalized_text" else []
        return [*normal, "bloom"] if step.settings.get("bloom") else normal
    if lines := step.settings.get("lines") if step.kind == "dedup_spans" else None:
        return [f"lines.{LinesSettings.model_validate(lines).meant.unit}"]
    if step.kind == "dedup_spans":
        return ["paragraphs" if step.settings.get("paragraphs") else "substrings"]
    return [step.kind] if step.kind in _PARTS else []


def _signals(family: str, words: str) -> None:
    measure(_TEXTS, SignalsSettings.model_validate({"families": [family], "words": words}), _COLUMNS, _LISTS)


def _edit(name: str) -> None:
    edits.annotate(_TEXTS, EditSettings.model_validate({name: {}}))


def _contamination() -> None:
    named = dict.fromkeys((schema.BENCHMARK, schema.BENCHMARK_ITEM), "x") | {SPLIT: "test"}
    item = named | {schema.TEXT: _TEXTS.to_pylist(), FIELDS: ["x"], KINDS: ["prose"]}
    index_items(pa.Table.from_pylist([item], ITEMS), 6, 5).find(_TEXTS)
    cut_pages(_TEXTS, (np.zeros(1, np.int64), np.zeros(1, np.int64), np.ones(1, np.int64)))


def _language() -> None:
    warm_predictor()
    warm_lines()


def _normalized_text() -> None:
    normal_texts(_TEXTS)


def _bloom() -> None:
    made = Filter.empty(size_for(1, 0.01))
    made.add(np.zeros(1, np.uint64))
    made.has(np.zeros(1, np.uint64))


def _lines(unit: str) -> None:
    for equal in ("text", "ccnet"):
        units_of(TextBatch(_TEXTS), LinesSettings.model_validate({"unit": unit, "equal": equal}))


def _paragraphs() -> None:
    ngrams_of(TextBatch(_TEXTS), ParagraphsSettings.model_validate({}))
    span_keys(text_column(_TEXTS).data, np.zeros(1, np.int64), np.ones(1, np.int64))


def _minhash(scheme: str) -> None:
    kinds = (scheme,) if scheme in SHINGLES else ("words", "characters")
    for kind in kinds:
        signed = signatures(shingles(_TEXTS, kind, 1), scheme, 2, 1)
        compare(signed, (np.empty(0, np.uint64), np.empty(0, np.int64)), np.zeros((1, 1), np.int64), 0.5)


def _simhash() -> None:
    for kind in ("words", "characters"):
        prints = fingerprints(shingles(_TEXTS, kind, 1), 64)
        near_edges(np.zeros(1, np.uint64), np.zeros(1, np.uint64), prints, 1)
        led(prints, np.zeros(1, np.uint64), 1)


def _substrings() -> None:
    member = {schema.ORDER: 0, schema.ID: "x", schema.SHARD: "x", schema.ROW: 0, schema.TEXT: _TEXT * 2}
    documents = pa.Table.from_pylist([member, member | {schema.ID: "y", schema.TEXT: f"a {_TEXT}"}])
    texts = documents.column(schema.TEXT).cast(pa.large_string()).combine_chunks()
    known = np.unique(keys_of(texts, 4))
    repeats(snippets(documents, known, 4), 4)
    repeats(snippets(documents, known, 4), 4, chunk_bytes=1)
    places = np.zeros(1, np.int64)
    byte_cuts(find_words(texts), places, places + 1, places + 2)


def _importance() -> None:
    settings = ImportanceSettings(target=("-",))
    features_of(_TEXTS, settings)
    weigh(_TEXTS, np.zeros(settings.buckets), settings)


def _importance_key() -> None:
    gumbel_noise(np.zeros(1, np.uint64))


def _tokenize() -> None:
    for pattern, kind in product(PATTERNS, (np.uint16, np.uint32)):
        WordLookup(pattern, lambda words: [[0] for _ in words], np.dtype(kind)).tokens(*text_column(_TEXTS))


_PARTS: Final[Mapping[str, Callable[[], None]]] = MappingProxyType(
    {
        **{f"{family}.{words}": partial(_signals, family, words) for family, words in product(FAMILIES, WORDS)},
        **{f"edit.{name}": partial(_edit, name) for name in EDIT_SETTINGS},
        "language": _language,
        "quality": warm_predictor,
        "normalized_text": _normalized_text,
        "bloom": _bloom,
        **{f"lines.{unit}": partial(_lines, unit) for unit in ("line", "sentence")},
        "paragraphs": _paragraphs,
        **{f"minhash.{scheme}": partial(_minhash, scheme) for scheme in SCHEMES},
        "simhash": _simhash,
        "substrings": _substrings,
        "contamination": _contamination,
        "importance": _importance,
        "importance_key": _importance_key,
        "tokenize": _tokenize,
    }
)
