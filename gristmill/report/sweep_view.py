"""A sweep on a terminal of 80 columns: what each bound does, then which other rules drop the same documents."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from gristmill.report import figures
from gristmill.report.escape import for_terminal
from gristmill.report.sweep import Sweep, SweptBound

_RULES_SHOWN = 5


def render_sweep(found: Sweep) -> Group:
    """Return a line for each bound, the one in force marked, and below a line for each rule that overlaps with it."""
    came = for_terminal(f"{figures.count(found.documents_in)} documents came into {found.stage}")
    return Group(for_terminal(f"{found.rule} {found.asked}"), came, "", _bounds(found), "", _overlaps(found))


def _bounds(found: Sweep) -> Table:
    """Return what each bound does; those that are not in force tell what they would change."""
    now = _now(found)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in ("bound", "kept", "kept %", "change", "text kept", "hits", "alone"):
        table.add_column(header, justify="right", no_wrap=True)
    for one in found.bounds:
        table.add_row(*_cells(one, now, found), style="bold" if one.is_current else None)
    return table


def _cells(one: SweptBound, now: SweptBound, found: Sweep) -> list[Text]:
    change = one.documents_kept - now.documents_kept
    return [
        Text(_name(one)),
        Text(figures.count(one.documents_kept)),
        Text(figures.share(one.documents_kept, found.documents_in)),
        Text(f"{change:+,}" if change else ""),
        Text(figures.size(one.bytes_kept)),
        Text(figures.count(one.hits)),
        Text(figures.count(one.alone)),
    ]


def _overlaps(found: Sweep) -> Table | Text:
    """Return how many of the hits other rules drop too: at the first bound, at the one in force, at the last."""
    ends = [one for one in found.bounds if one.is_current or one in (found.bounds[0], found.bounds[-1])]
    most = max(ends, key=lambda one: one.hits).overlap
    if not most:
        return Text("No other rule drops any of these hits.")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("of the hits, others drop too", overflow="fold")
    for one in ends:
        table.add_column(f"at {_name(one)}", justify="right", no_wrap=True)
    table.add_row("any of them", *(figures.count(one.hits - one.alone) for one in ends))
    for rule in list(most)[:_RULES_SHOWN]:
        table.add_row(for_terminal(rule), *(figures.count(one.overlap.get(rule, 0)) for one in ends))
    if len(most) > _RULES_SHOWN:
        table.add_row(f"and {len(most) - _RULES_SHOWN} rules more")
    return table


def _name(one: SweptBound) -> str:
    return figures.exact(one.bound) + (" now" if one.is_current else "")


def _now(found: Sweep) -> SweptBound:
    return next(one for one in found.bounds if one.is_current)
