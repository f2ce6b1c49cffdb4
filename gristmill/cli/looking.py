"""The commands that look at a run, and change nothing in it but its report and card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gristmill.cli.options import AsJson, Output, RunArgument
from gristmill.cli.recall import recall

if TYPE_CHECKING:
    from gristmill.pipeline.run import Run


def status(run: RunArgument) -> None:
    """Show how far each step of a run is, and what failed."""
    from rich.console import Console

    from gristmill.report.tables import status_of

    Console().print(status_of(_open(run)))


def funnel(run: RunArgument) -> None:
    """Show documents, bytes and shares at each stage."""
    from rich.console import Console

    from gristmill.report import funnel as part

    Console().print(part.render_funnel(part.funnel(_open(run))))


def explain(
    run: RunArgument,
    query: Annotated[str, typer.Argument(metavar="URL-OR-ID", help="A URL as crawled, or an id `<shard>/<offset>`.")],
    text: Annotated[bool, typer.Option("--text", help="Show the text too, with what edits cut and why.")] = False,
    original: Annotated[bool, typer.Option("--original", help="Show the text as it was extracted.")] = False,
) -> None:
    """Tell what became of a record: every stage, every rule with its value and bound, what it duplicates."""
    from rich.console import Console

    from gristmill.report import explain as part

    shown: part.Shown = "original" if original else "edited" if text else "nothing"
    for explanation in part.explain(_open(run), query.encode("utf-8", "replace").decode()):
        Console().print(part.render_explanation(explanation, text=shown))


def sweep(
    run: RunArgument,
    rule: Annotated[str, typer.Option(help="A bound's reason code, such as `gopher_quality.word_count.min`.")],
    low: Annotated[float, typer.Option("--from", help="First bound.")],
    high: Annotated[float, typer.Option("--to", help="Last bound.")],
    steps: Annotated[int, typer.Option(min=1, max=1000, help="How many bounds, at equal distances.")] = 11,
    language: Annotated[str | None, typer.Option(help="Of a rule with bounds by language, that of this one.")] = None,
    bound: Annotated[str | None, typer.Option(help="In a choice (`any`), this one, such as `word_count.min`.")] = None,
    json: AsJson = False,
    output: Output = None,
) -> None:
    """Tell what other bounds would keep: documents, bytes, overlap with other rules. Reads no text, changes nothing."""
    from dataclasses import asdict

    from rich.console import Console

    from gristmill.report import sweep as part
    from gristmill.report.live import watcher
    from gristmill.report.sweep_view import render_sweep
    from gristmill.report.swept import find_rule
    from gristmill.report.write import write_table

    opened = _open(run)
    bounds, swept = part.bounds_between(low, high, steps), find_rule(opened, rule, language, bound)
    found = part.sweep(opened, swept, bounds, watcher(Console(stderr=True)))
    if output is not None:
        write_table(part.sweep_table(found), output, opened.plan.digest)
    if json:
        _print_json(asdict(found))
    else:
        Console().print(render_sweep(found))


def compare(
    before: Annotated[str, typer.Argument(metavar="RUN_A", help="A run's folder, or its name in ./runs.")],
    after: Annotated[str, typer.Argument(metavar="RUN_B", help="Another run.")],
    samples: Annotated[int, typer.Option(min=0, max=1000, help="Documents to show of each change.")] = 3,
    json: AsJson = False,
    output: Output = None,
) -> None:
    """Tell which documents have another fate in a second run, counted by reason before and after, with samples."""
    from contextlib import ExitStack
    from dataclasses import asdict

    from rich.console import Console

    from gristmill.pipeline.storage import Folder
    from gristmill.report import compare as part
    from gristmill.report.compare_view import render_comparison
    from gristmill.report.live import watcher

    runs = _open(before), _open(after)
    with ExitStack() as stack:
        sink = output and stack.enter_context(Folder(str(output.parent)).writing(output.name))
        found = part.compare(*runs, samples, watcher(Console(stderr=True)), sink or None)
    if json:
        _print_json(asdict(found))
    else:
        Console().print(render_comparison(found))


def clusters(
    run: RunArgument,
    top: Annotated[int, typer.Option(min=1, max=1000, help="How many clusters of each `dedup` stage.")] = 10,
    diff: Annotated[bool, typer.Option("--diff", help="Show how each text differs from the survivor's.")] = False,
) -> None:
    """Show the largest clusters of duplicates, each with its survivor and its members."""
    from rich.console import Console

    from gristmill.report import clusters as part
    from gristmill.report.clusters_view import render_clusters
    from gristmill.report.stage_names import stages_of

    opened = _open(run)
    Console().print(render_clusters(part.clusters(opened, top, diff=diff), stages_of(opened.plan)))


def fates(
    run: RunArgument,
    output: Annotated[Path, typer.Option("-o", "--output", help="Parquet file to write.", show_default=False)],
) -> None:
    """Write one row for each record: id, url, shard, row, kept, stage, reason, reasons, duplicate_of, fate_detail."""
    from gristmill.pipeline.ledger import finished_deciders, write_fates
    from gristmill.pipeline.storage import Folder

    opened = _open(run)
    with Folder(str(output.parent)).writing(output.name) as sink:
        rows = write_fates(opened, sink, finished_deciders(opened))
    typer.echo(f"{rows:,} fates: {output}")


def audit(run: RunArgument) -> None:
    """Check the laws: rows in = kept + dropped, digests, alignment, duplicates, tokens. Exit 1 names what is broken."""
    from rich.console import Console

    from gristmill.errors import AuditError
    from gristmill.pipeline.audit import audit as check
    from gristmill.report.tables import audit_table

    findings = check(_open(run))
    Console().print(audit_table(findings))
    broken = [sentence for finding in findings for sentence in finding.broken]
    if broken:
        raise AuditError("\n".join([f"{len(broken)} things are broken:", *broken]))


def report(run: RunArgument) -> None:
    """Write report/stats.json and report/index.html."""
    from gristmill.report.write import write_report

    typer.echo(write_report(_open(run)))


def card(run: RunArgument) -> None:
    """Write README.md, the dataset card."""
    from gristmill.report.write import write_card

    typer.echo(write_card(_open(run)))


def _print_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, indent=2, ensure_ascii=True))


def _open(name: str) -> Run:
    from gristmill.pipeline.run import open_run

    return open_run(name)


COMMANDS = (status, funnel, explain, sweep, compare, clusters, recall, fates, audit, report, card)
