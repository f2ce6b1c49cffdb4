"""Hosts that were recalled, on a terminal. Everything crawled passes `for_terminal`."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gristmill.report import figures
from gristmill.report.escape import for_terminal
from gristmill.report.recall import Host, Recall

_SHOWN = 50


def render_recall(found: Recall) -> Group:
    """Return what was asked, the hosts, and samples of each; beyond the first fifty hosts only how many there are."""
    parts: list[RenderableType] = [*_heads(found)]
    if found.found:
        parts += [Text(), _table(found)]
    for host in found.found[:_SHOWN]:
        parts += _samples(host)
    return Group(*parts)


def _heads(found: Recall) -> Iterator[Text]:
    asked, what = found.asked, "domains" if found.asked.by == "domain" else "hosts"
    share = figures.share(found.positive, found.pages)
    yield Text.assemble(for_terminal(found.run, "bold"), ": ", for_terminal(found.score))
    yield Text(
        f"{figures.count(found.positive)} of {figures.count(found.pages)} pages ({share}) score {asked.threshold:g} "
        f"or more, of {figures.count(found.hosts)} {what}"
    )
    if found.without_host:
        yield Text(f"{figures.count(found.without_host)} pages have an address without a host, and are left out")
    yield Text(
        f"{figures.count(len(found.found))} {what} of {asked.least_pages} pages and more have over {asked.over:.2%} of "
        "such pages",
        style="bold",
    )
    if not found.found and found.best is not None:
        best = found.best
        yield Text.assemble(
            "the highest share is that of ",
            for_terminal(best.name),
            f": {best.positive} of {best.pages} pages ({figures.share(best.positive, best.pages)})",
        )
    elif not found.found:
        yield Text(f"none has {asked.least_pages} pages; --least-pages takes fewer")


def _table(found: Recall) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(found.asked.by, overflow="fold")
    for header in ("pages", "positive", "share"):
        table.add_column(header, justify="right", no_wrap=True)
    for host in found.found[:_SHOWN]:
        counts = (figures.count(host.pages), figures.count(host.positive), figures.share(host.positive, host.pages))
        table.add_row(for_terminal(host.name), *map(Text, counts))
    if len(found.found) > _SHOWN:
        table.add_row(Text(f"and {figures.count(len(found.found) - _SHOWN)} more"))
    return table


def _samples(host: Host) -> Iterator[RenderableType]:
    if host.samples:
        yield Text()
        yield for_terminal(host.name, "bold")
    for sample in host.samples:
        yield Padding(Text.assemble(f"{sample.score:.4f} ", for_terminal(sample.url)), (0, 0, 0, 2))
        yield Padding(for_terminal(sample.excerpt, "dim"), (0, 0, 0, 9))
