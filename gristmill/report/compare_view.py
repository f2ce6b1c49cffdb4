"""A comparison on a terminal. Everything crawled passes `for_terminal`."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gristmill.report import figures
from gristmill.report.compare import KEPT, Change, Comparison, Side
from gristmill.report.escape import for_terminal
from gristmill.report.reasons_why import in_words

_SHOWN = 20


def render_comparison(found: Comparison) -> Group:
    """Return what changed, counted, then samples of each change."""
    parts: list[RenderableType] = [*_heads(found), Text()]
    if not found.changes:
        return Group(*parts, Text("no document that both have changed its fate"))
    parts += [_changes(found), Text()]
    for change in found.changes[:_SHOWN]:
        parts += _samples(change)
    return Group(*parts)


def _heads(found: Comparison) -> Iterator[Text]:
    yield from (_side("before", found.before), _side("after", found.after))
    changed = found.documents - found.unchanged
    yield Text(f"both have {figures.count(found.documents)} documents; {figures.count(changed)} changed fate or reason")
    if found.altered_sources:
        yield Text(f"{found.altered_sources} shards of the same name were made of other bytes", style="yellow")


def _side(name: str, side: Side) -> Text:
    said = f"{side.run}: {figures.count(side.kept)} of {figures.count(side.documents)} documents kept"
    if side.without_partner:
        alone = (
            f"{figures.count(side.without_partner)} have no partner in the other ({side.kept_without_partner:,} kept)"
        )
        said = f"{said}; {alone}"
    if side.not_done:
        said = f"{said}; not done, so left out of both: {', '.join(side.not_done)}"
    return Text.assemble((f"{name:<7}", "bold"), for_terminal(said))


def _changes(found: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("documents", justify="right", no_wrap=True)
    table.add_column("text", justify="right", no_wrap=True)
    for header in ("reason before", "reason after"):
        table.add_column(header, overflow="fold")
    for change in found.changes[:_SHOWN]:
        size = figures.size(change.bytes_before or change.bytes_after)
        row = (Text(figures.count(change.documents)), Text(size), _reason(change.before), _reason(change.after))
        table.add_row(*row)
    rest = found.changes[_SHOWN:]
    if rest:
        table.add_row(Text(figures.count(sum(change.documents for change in rest))), "", Text(f"{len(rest)} others"))
    return table


def _reason(reason: str) -> Text:
    return for_terminal(reason, "green" if reason == KEPT else "red")


def _samples(change: Change) -> Iterator[RenderableType]:
    """Yield the samples of a change: URL, id, and what either run says."""
    if not change.samples:
        return
    yield Text.assemble(_reason(change.before), " → ", _reason(change.after))
    for sample in change.samples:
        yield Padding(for_terminal(sample.url or "no URL", "bold"), (0, 0, 0, 2))
        lines = Table.grid(padding=(0, 2))
        lines.add_column(style="dim")
        lines.add_column(overflow="fold")
        for name, said in (("id", sample.id), ("before", in_words(sample.before)), ("after", in_words(sample.after))):
            lines.add_row(name, for_terminal(said))
        yield Padding(lines, (0, 0, 0, 4))
    yield Text()
