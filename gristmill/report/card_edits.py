"""The card's account of an edit: where it comes from, and each of its settings beside what was published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from gristmill.filters.edits.catalogue import EDITS
from gristmill.filters.edits.edit import Edit
from gristmill.filters.edits.settings import EditSettings
from gristmill.report import figures
from gristmill.report.escape import for_markdown, for_text

Stats = Mapping[str, Any]


def edit_of(step: Stats) -> tuple[Edit, BaseModel]:
    """Return the edit that a step makes, and its settings."""
    settings = EditSettings.model_validate(dict(step["settings"]))
    return EDITS[settings.name], settings.own


def edit_parts(step: Stats) -> Iterator[str]:
    """Yield where a step's edit comes from, then a table of its settings, if it has any."""
    edit, settings = edit_of(step)
    source = edit.source if edit.is_published else f"{edit.source}'s own"
    yield f"- {for_text(edit.name)}: {for_text(source)}\n"
    published = edit.published_settings(settings)
    lines = ["| setting | value | as published |", "|---|---|---|"]
    for name, value in settings:
        default = type(settings).model_fields[name].get_default(call_default_factory=True)
        there = published.get(name, default)
        known = value in (default, there)
        said = "yes" if known else _shown(there)
        cells = (name.replace("_", " "), _shown(there if known else value), said if edit.is_published else figures.NONE)
        lines.append(f"| {' | '.join(cells)} |")
    if len(lines) > 2:
        yield "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    """Return a setting for a cell of a table, in the words of a recipe; a dash for none."""
    if isinstance(value, Mapping):
        return "; ".join(f"{for_text(key)}: {_shown(inner)}" for key, inner in value.items()) or figures.NONE
    if isinstance(value, tuple):
        return ", ".join(map(_shown, value))
    if value is None or value == "":
        return figures.NONE
    return str(value).lower() if isinstance(value, bool) else for_markdown(str(value))
