"""A sweep on a terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from gristmill.report import figures
from gristmill.report.escape import for_terminal
from gristmill.report.sweep import Sweep, SweptBound


def render_sweep(found: Sweep) -> Table:
    """Return a line for each bound; the one in force is marked, and the others tell what they would change."""
    now = next(one for one in found.bounds if one.is_current)
    title = for_terminal(f"{found.rule} {found.asked}: {figures.count(found.documents_in)} documents came into ")
    title.append_text(for_terminal(found.stage))
    table = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for header in ("bound", "kept", "kept %", "change", "text kept", "hits", "alone"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("of its hits, others drop", overflow="fold")
    for one in found.bounds:
        table.add_row(*_cells(one, now, found), style="bold" if one.is_current else None)
    return table


def _cells(one: SweptBound, now: SweptBound, found: Sweep) -> list[Text]:
    change = one.documents_kept - now.documents_kept
    overlap = [f"{name} {figures.count(count)}" for name, count in list(one.overlap.items())[:2]]
    more = f", and {len(one.overlap) - 2} rules more" if len(one.overlap) > 2 else ""
    return [
        Text(figures.exact(one.bound) + (" now" if one.is_current else "")),
        Text(figures.count(one.documents_kept)),
        Text(figures.share(one.documents_kept, found.documents_in)),
        Text(f"{change:+,}" if change else ""),
        Text(figures.size(one.bytes_kept)),
        Text(figures.count(one.hits)),
        Text(figures.count(one.alone)),
        for_terminal(f"{figures.count(one.hits - one.alone)}: {', '.join(overlap)}{more}" if overlap else "none"),
    ]
