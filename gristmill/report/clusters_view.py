"""Clusters on a terminal. Everything crawled passes `for_terminal`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from rich.console import Group
from rich.table import Table
from rich.text import Text

from gristmill.report import figures
from gristmill.report.clusters import LINES_COMPARED, Cluster, Member
from gristmill.report.escape import for_terminal
from gristmill.report.stage_names import name_on_terminal

_STYLES = {"+": "green", "-": "red", "@": "dim"}
_FATE = 12


def render_clusters(found: Mapping[str, Sequence[Cluster]], does: Mapping[str, str] = MappingProxyType({})) -> Group:
    """Return what Rich prints: for each stage its clusters, each with its survivor, then the members dropped for it.

    ``does`` says of stages which kind of deduplication they are.
    """
    names = {stage: name_on_terminal(stage, does.get(stage), "bold") for stage in found}
    return Group(*(line for stage, clusters in found.items() for line in _stage(names[stage], clusters)))


def _stage(name: Text, clusters: Sequence[Cluster]) -> Iterator[Text | Table]:
    yield Text.assemble(name, "" if clusters else "  no document has a copy")
    for cluster in clusters:
        yield Text()
        size = figures.count(cluster.size)
        elsewhere = ":" in cluster.survivor.id
        yield Text(f"  {size} copies of a document of an older run" if elsewhere else f"  {size} documents")
        yield _members(cluster)
        more = cluster.dropped - len(cluster.members)
        if more:
            yield Text(f"    and {figures.count(more)} more", style="dim")
    yield Text()


def _members(cluster: Cluster) -> Table:
    """Return survivor and members: columns for fates, for the signs of diffs, and for the rest, which wraps."""
    found = Table.grid()
    found.add_column(width=_FATE)
    found.add_column(width=1)
    found.add_column(overflow="fold")
    for fate, style, member in [
        ("kept", "green", cluster.survivor),
        *(("dropped", "red", member) for member in cluster.members),
    ]:
        url = for_terminal(member.url, "bold") if member.url is not None else Text(figures.NONE)
        found.add_row(Text(f"    {fate}", style=style), "", url)
        found.add_row("", "", for_terminal(member.id, "dim"))
        if member.facts:
            facts = ", ".join(f"{name} {figures.number(value)}" for name, value in member.facts)
            found.add_row("", "", for_terminal(facts, "dim"))
        for line in _diff(member):
            style = _STYLES.get(line[:1], "")
            found.add_row("", Text(line[:1], style=style), for_terminal(line[1:], style, keep="\t"))
    return found


def _diff(member: Member) -> Sequence[str]:
    """Return the lines of a member's diff; nothing where texts were not read or the survivor's is elsewhere."""
    if member.diff is None:
        return ()
    return member.diff or (f" the same lines, in the first {LINES_COMPARED}",)
