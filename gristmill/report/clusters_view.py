"""Clusters on a terminal. Everything crawled passes `for_terminal`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group
from rich.text import Text

from gristmill.report import figures
from gristmill.report.clusters import LINES_COMPARED, Cluster, Member
from gristmill.report.escape import for_terminal

_STYLES = {"+": "green", "-": "red", "@": "dim"}


def render_clusters(found: Mapping[str, Sequence[Cluster]]) -> Group:
    """Return what Rich prints: for each stage its clusters, each with its survivor, then the members dropped for it."""
    return Group(*(line for stage, clusters in found.items() for line in _stage(stage, clusters)))


def _stage(stage: str, clusters: Sequence[Cluster]) -> Iterator[Text]:
    yield Text.assemble((stage, "bold"), "" if clusters else "  no document has a copy")
    for cluster in clusters:
        yield Text()
        size = figures.count(cluster.size)
        elsewhere = ":" in cluster.survivor.id
        yield Text(f"  {size} copies of a document of an older run" if elsewhere else f"  {size} documents")
        yield _member("kept", "green", cluster.survivor)
        for member in cluster.members:
            yield _member("dropped", "red", member)
            yield from _diff(member)
        more = cluster.dropped - len(cluster.members)
        if more:
            yield Text(f"    and {figures.count(more)} more", style="dim")
    yield Text()


def _member(fate: str, style: str, member: Member) -> Text:
    facts = "".join(f"  {name} {figures.number(value)}" for name, value in member.facts)
    url = for_terminal(member.url, "bold") if member.url is not None else Text(figures.NONE)
    return Text.assemble("    ", (f"{fate:<8}", style), url, "  ", for_terminal(member.id + facts, "dim"))


def _diff(member: Member) -> Iterator[Text]:
    """Yield the lines of a member's diff; nothing where texts were not read or the survivor's is elsewhere."""
    if member.diff is None:
        return
    for line in member.diff:
        yield Text.assemble("      ", for_terminal(line, _STYLES.get(line[:1], ""), keep="\t"))
    if not member.diff:
        yield Text(f"      the same lines, in the first {LINES_COMPARED}", style="dim")
