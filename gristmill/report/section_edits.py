"""The part of the report's page that tells what edits cut and put into texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gristmill.report import charts, figures
from gristmill.report.markup import Markup, Row, code, element, join, table
from gristmill.report.stage_names import does_of, what_stages_do

Stats = Mapping[str, Any]


def edits_section(stats: Stats) -> Markup | None:
    """Return, for each edit, how much of the texts it took, and a table of its reasons."""
    edits = [edit for edit in stats["edits"] if edit["documents"]]
    does = what_stages_do(stats)
    return join(*(_edit_of(edit, does.get(edit["stage"], "")) for edit in edits)) if edits else None


def _edit_of(edit: Stats, does: str) -> Markup:
    before, after = edit["bytes_before"], edit["bytes_after"]
    edited = figures.share(edit["documents_edited"], edit["documents"])
    text = (
        f"{figures.count(edit['documents'])} documents came in, with {figures.size(before)} of text. "
        f"{figures.count(edit['documents_edited'])} ({edited}) were changed; {figures.size(after)} are left."
    )
    most = max([1, *(reason["bytes_cut"] for reason in edit["reasons"])])
    rows = [
        Row(
            (
                code(reason["reason"]),
                charts.bar([("dropped", reason["bytes_cut"])], most, f"{reason['bytes_cut']} bytes"),
                *(figures.count(reason[kind]) for kind in ("documents", "spans")),
                figures.size(reason["bytes_cut"]),
            )
        )
        for reason in edit["reasons"]
    ]
    headers = {"reason": "code", "": "draw", "documents": "n", "spans": "n", "cut": "n"}
    found = table(headers, [(None, rows)]) if rows else Markup()
    return join(element("h3", None, edit["stage"], *does_of(does)), element("p", {"class": "soft"}, text), found)
