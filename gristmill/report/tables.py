"""Tables for the terminal: plans, status and audits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rich.table import Table
from rich.text import Text

from gristmill.dedup.minhash.curve import banding_of, drawing
from gristmill.dedup.minhash.settings import MinHashSettings
from gristmill.dedup.simhash import curve as simhash_curve
from gristmill.dedup.simhash.settings import SimHashSettings
from gristmill.pipeline.audit import Finding
from gristmill.pipeline.plan import Plan
from gristmill.pipeline.run import Run
from gristmill.pipeline.status import PhaseStatus, status
from gristmill.report.stage_names import name_on_terminal, steps_of, what_it_does

_SHARDS_SHOWN = 5
_MANY = 100_000_000


def plan_table(plan: Plan) -> Table:
    """Return the steps of a plan with their folders and inputs, and its first shards in the caption."""
    names = [shard.name for shard in plan.shards]
    more = f", … ({len(names)} in all)" if len(names) > _SHARDS_SHOWN else ""
    caption = "\n".join(filter(None, [f"shards: {', '.join(names[:_SHARDS_SHOWN])}{more}", plan.note]))
    table = Table(title=Text(plan.name), caption=Text(caption))
    for header in ("step", "folder", "reads", "scope", "offers rules"):
        table.add_column(header, no_wrap=header == "folder")
    for step in plan.steps:
        offers = f"{len(step.columns)} columns" if len(step.columns) > 3 else ", ".join(step.columns)
        row = (step.folder, ", ".join(step.inputs), step.scope, offers)
        table.add_row(name_on_terminal(step.name, what_it_does(step.kind, step.settings)), *map(Text, row))
    return table


def curve_lines(plan: Plan) -> Iterator[str]:
    """Yield, for each step that finds near-duplicates, how likely documents of a similarity are found."""
    for step in plan.steps:
        of_kind = step.settings if step.kind == "dedup" else {}
        if minhash := of_kind.get("minhash"):
            yield from _minhash_lines(step.name, MinHashSettings.model_validate(minhash))
        if simhash := of_kind.get("simhash"):
            yield from _simhash_lines(step.name, SimHashSettings.model_validate(simhash))


def _minhash_lines(name: str, settings: MinHashSettings) -> Iterator[str]:
    banding = banding_of(settings)
    steepest = f"{banding.threshold:.2f}"
    yield f"{name}: {banding.bands} bands of {banding.rows} rows, steepest near a similarity of {steepest}"
    yield "similarity  probability that two documents share a band"
    yield from drawing(banding)


def _simhash_lines(name: str, settings: SimHashSettings) -> Iterator[str]:
    chance = simhash_curve.chance_pairs(_MANY, settings.bits, settings.distance)
    bits, least = f"{settings.distance} of {settings.bits} bits", settings.min_ngrams
    yield f"{name}: at most {bits} differ; texts of fewer than {least} shingles are not compared"
    pairs = f"{chance:,.0f}" if chance >= 1 else f"{chance:.1g}"
    yield f"{_MANY:,} unlike documents have {pairs} such pairs by chance"
    yield "   Jaccard  probability that two texts of one length are found"
    yield from simhash_curve.drawing(settings.bits, settings.distance)


def crawls_table(crawls: Sequence[Mapping[str, Any]]) -> Table:
    """Return the crawls, with everything that is known of them."""
    table = Table()
    for header in crawls[0] if crawls else ("id",):
        table.add_column(header.replace("_", " "), justify="right" if header.endswith("_files") else "left")
    for crawl in crawls:
        table.add_row(*(Text(f"{value:,}" if isinstance(value, int) else str(value)) for value in crawl.values()))
    return table


def status_of(run: Run) -> Table:
    """Return how far each phase of a run is."""
    return status_table(status(run), steps_of(run.plan))


def status_table(phases: Sequence[PhaseStatus], does: Mapping[str, str] = MappingProxyType({})) -> Table:
    """Return how far each phase is; those in which there is nothing to do are left out beside others of their step.

    ``does`` says what steps of one kind do.
    """
    table = Table()
    for header in ("step", "phase", "done", "working", "documents", "failed"):
        table.add_column(header, justify="left" if header in ("step", "phase", "failed") else "right")
    working = {phase.step for phase in phases if phase.total != 0}
    for phase in phases:
        if phase.total == 0 and phase.step in working and not phase.failed:
            continue
        total = "?" if phase.total is None else str(phase.total)
        failed = "\n".join(f"{item}: {why}" for item, why in phase.failed.items())
        row = (phase.phase, f"{phase.done}/{total}", str(phase.working), f"{phase.rows:,}", failed)
        table.add_row(name_on_terminal(phase.step, does.get(phase.step)), *map(Text, row))
    return table


def audit_table(findings: Sequence[Finding]) -> Table:
    """Return each law, how many things were checked, and how many are broken."""
    table = Table()
    table.add_column("law")
    table.add_column("checked", justify="right")
    table.add_column("broken", justify="right")
    for finding in findings:
        style = "red" if finding.broken else "green"
        table.add_row(finding.law, f"{finding.checked:,}", Text(f"{len(finding.broken):,}", style=style))
    return table
