"""The commands that carry out a recipe, whole or a stage of it, or say what that would do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gristmill.cli.options import DryRun, Executor, RecipeArgument, Set, Workdir, Workers
from gristmill.errors import UsageError

_STAGES = {
    "extract": "Read the WARCs and extract text.",
    "language": "Identify languages, and keep those that the recipe names.",
    "edit": "Find what is to be cut or replaced in the texts.",
    "perplexity": "Ask n-gram models how likely texts are, and keep by that.",
    "quality": "Score texts with fastText classifiers, and keep by the scores.",
    "ensemble": "Make one score of several, by the ranks that they give each document.",
    "importance": "Weigh documents by how like a target they are, and draw by that.",
    "filter": "Decide by the rules; reads no text.",
    "dedup": "Find documents that are copies of each other, or nearly.",
    "decontaminate": "Find n-grams of benchmarks.",
    "tokenize": "Encode, shuffle and pack what is kept into token shards.",
}


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(run)
    for kind, summary in _STAGES.items():
        _stage_command(app, kind, summary)
    app.command(rich_help_panel="One stage")(signals)
    app.command()(plan)


def run(
    recipe: RecipeArgument,
    workers: Workers = None,
    workdir: Workdir = "runs",
    executor: Executor = None,
    until: Annotated[str | None, typer.Option(metavar="STAGE", help="Stop after this stage.")] = None,
    only: Annotated[str | None, typer.Option(metavar="STAGE", help="Do this stage alone.")] = None,
    dry_run: DryRun = False,
    override: Set = None,
) -> None:
    """Carry out a recipe. What is done and current is not done again, so the same command resumes."""
    if until and only:
        raise UsageError("--until and --only contradict each other; give one of them")
    _run(recipe, workers, workdir, executor, (until, only), dry_run, override)


def _stage_command(app: typer.Typer, kind: str, summary: str) -> None:
    """Add the command that does one stage of a recipe."""

    def command(
        recipe: RecipeArgument,
        workers: Workers = None,
        workdir: Workdir = "runs",
        executor: Executor = None,
        dry_run: DryRun = False,
        override: Set = None,
    ) -> None:
        _run(recipe, workers, workdir, executor, (None, kind), dry_run, override)

    app.command(kind, help=f"{summary} The stages before it must be done.", rich_help_panel="One stage")(command)


def signals(
    recipe: Annotated[
        Path | None, typer.Argument(help="The recipe; without one, list what can be measured.", show_default=False)
    ] = None,
    workers: Workers = None,
    workdir: Workdir = "runs",
    executor: Executor = None,
    dry_run: DryRun = False,
    override: Set = None,
) -> None:
    """Measure the signals of a recipe (the stages before it must be done), or list all signals by family."""
    if recipe is not None:
        _run(recipe, workers, workdir, executor, (None, "signals"), dry_run, override)
        return
    from rich.console import Console

    from gristmill.filters.catalogue import signals_listing

    typer.echo(signals_listing(Console().width if Console().is_terminal else None))


def plan(recipe: RecipeArgument, workdir: Workdir = "runs", override: Set = None) -> None:
    """Check a recipe, and show its shards and steps with the digests that name their folders."""
    from rich.console import Console

    from gristmill.pipeline.session import planned
    from gristmill.report.tables import curve_lines, plan_table

    found = planned(recipe, override or (), workdir)
    Console().print(plan_table(found))
    for line in curve_lines(found):
        Console().print(line, markup=False, highlight=False)


def _run(
    recipe: Path,
    workers: int | None,
    workdir: str,
    executor: str | None,
    choice: tuple[str | None, str | None],
    dry_run: bool,
    override: list[str] | None,
) -> None:
    from rich.console import Console

    from gristmill.pipeline import session
    from gristmill.report.closing import tell
    from gristmill.report.live import watcher
    from gristmill.report.write import write_card, write_report

    begun = session.begin(recipe, workdir, override or (), *choice).changed(executor, workers)
    console = Console(stderr=True)
    if begun.run.plan.note:
        typer.echo(begun.run.plan.note, err=True)
    if dry_run:
        for line in session.dry_run(begun):
            typer.echo(line)
    elif begun.settings.executor == "slurm" and not session.is_finished(begun):
        for line in session.submit(begun):
            typer.echo(line)
    else:
        complete = session.carry_out(begun, watcher(console))
        if complete:
            write_report(begun.run)
            write_card(begun.run)
        tell(begun.run, complete)
