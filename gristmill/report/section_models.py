"""The parts of the report's page that tell what models found: the cuts of perplexities, and what was drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gristmill.classifiers.perplexity.settings import EVERY
from gristmill.report import figures
from gristmill.report.markup import Markup, Row, element, join, table

Stats = Mapping[str, Any]

HEADERS = ("language", "documents", "head up to", "middle up to")


def perplexity_section(stats: Stats) -> Markup | None:
    """Return a table of cuts for each stage that sorts documents by perplexity."""
    stages = stats["perplexity_buckets"]
    headers = {HEADERS[0]: "label"} | dict.fromkeys(HEADERS[1:], "n")
    parts = (
        join(
            element("p", {"class": "soft"}, f"{stage['stage']}: {how_it_cuts(stage)}"),
            table(headers, [(None, [Row(cells) for cells in cuts_of(stage)])]),
        )
        for stage in stages
    )
    return join(*parts) if stages else None


def importance_section(stats: Stats) -> Markup | None:
    """Return sentences for each stage that weighs documents by a target."""
    stages = stats["importance"]
    lines = (element("li", None, f"{stage['stage']}: {sentence}") for stage in stages for sentence in in_words(stage))
    return element("ul", None, *lines) if stages else None


def how_it_cuts(stage: Stats) -> str:
    """Return where head and middle end, in a sentence."""
    if stage["percentiles"] is None:
        return "The recipe gives the cuts. What is above both is tail."
    head, middle = map(figures.number, stage["percentiles"])
    return (
        f"Head ends at percentile {head} of each language's perplexities, middle at {middle}; what is above is tail. "
        "Only documents that all stages before kept count."
    )


def cuts_of(stage: Stats) -> Sequence[tuple[str, ...]]:
    """Return the cells of a stage's cuts, below `HEADERS`."""
    return [
        (
            "all" if of["language"] == EVERY else of["language"],
            figures.count(of["documents"]),
            figures.number(of["head"]),
            figures.number(of["middle"]),
        )
        for of in stage["cuts"]
    ]


def in_words(stage: Stats) -> Sequence[str]:
    """Return how far a run is from its target, and what was drawn of it, in sentences."""
    target, run = (
        f"{figures.count(of['texts'])} texts with {figures.count(of['ngrams'])} n-grams"
        for of in (stage["target"], stage["run"])
    )
    said = [
        f"The target has {target}; the stages before kept {run}. Their n-grams are {stage['divergence']:.3f} nats from "
        "the target's (Kullback-Leibler)."
    ]
    if stage["draw"] is not None:
        taken, whole = figures.count(stage["draw"]["taken"]), figures.count(stage["draw"]["documents"])
        least = figures.number(stage["draw"]["least_key"])
        said.append(f"{taken} of {whole} documents with enough words were drawn; the last one's key is {least}.")
    return said
