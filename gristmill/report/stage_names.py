"""What a stage does, in a word or two, for stages whose kind stands in a recipe more than once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gristmill.report.markup import Markup, element

Stats = Mapping[str, Any]

_KINDS = ("edit", "dedup")


def what_stages_do(stats: Stats) -> dict[str, str]:
    """Return, for each stage that edits or looks for duplicates, the edit or the way of looking: ``c4_lines``."""
    return {
        step["stage"]: key
        for step in stats["steps"]
        if step["kind"] in _KINDS
        for key in list(step["settings"])[:1]
        if key != "scope"
    }


def does_of(does: str) -> Iterator[Markup]:
    """Yield what a stage does, to stand behind its name; nothing where there is nothing to add."""
    if does:
        yield element("span", {"class": "does"}, f" {does}")
