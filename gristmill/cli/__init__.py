"""The commands. Each imports what it needs when it is chosen, so that `--help` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gristmill import __version__
from gristmill.cli import recall, train
from gristmill.errors import UsageError

if TYPE_CHECKING:
    from gristmill.pipeline.run import Run

app = typer.Typer(
    name="gristmill",
    help="WARC in, training tokens out, every record accounted for.\n\n"
    "Start with `gristmill sample sample` and `gristmill run configs/quickstart.yaml`.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

app.add_typer(train.app, name="train")

RecipeArgument = Annotated[Path, typer.Argument(help="The recipe, a YAML file.", show_default=False)]
RunArgument = Annotated[
    str, typer.Argument(help="A run's folder, such as runs/quickstart; or its name in ./runs.", show_default=False)
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", "-w", min=1, help="Tasks at the same time. Default: the recipe's, else the cores."),
]
Workdir = Annotated[str, typer.Option(help="Folder or fsspec URL that holds the runs, each under its recipe's name.")]
Executor = Annotated[str | None, typer.Option(help="`local` or `slurm`. Default: the recipe's.")]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Show what would be done, and do nothing; for Slurm, write the scripts."),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a key of the recipe: `--set stages.filter.house.word_count.min=100`."
    ),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write a Parquet file too.", show_default=False)]


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"gristmill {__version__}")
        raise typer.Exit


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="Folder to write the sample to.")] = Path("sample"),
    seed: Annotated[int, typer.Option(help="Another seed writes another crawl.")] = 0,
) -> None:
    """Write a small crawl of pages made for gristmill, with planted cases whose fate truth.jsonl tells."""
    from gristmill.sample import write_sample

    summary = write_sample(folder, seed)
    typer.echo(f"{summary.pages} records of {summary.hosts} hosts in {len(summary.warcs)} WARC files: {folder}/")


@app.command()
def crawls(
    crawl: Annotated[
        str | None, typer.Argument(help="One crawl, to be told how many files it has.", show_default=False)
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="Where the crawls lie: a mirror's address or folder. Default: Common Crawl's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the crawls that a recipe can name, newest first."""
    import json

    from rich.console import Console

    from gristmill.pipeline.session import known_crawls
    from gristmill.report.tables import crawls_table

    found = known_crawls(base, crawl)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        Console().print(crawls_table(found))


@app.command()
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


def _stage_command(kind: str, summary: str) -> None:
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


for _kind, _summary in {
    "extract": "Read the WARCs and extract text.",
    "language": "Identify languages, and keep those that the recipe names.",
    "edit": "Find what is to be cut or replaced in the texts.",
    "quality": "Score texts with fastText classifiers, and keep by the scores.",
    "ensemble": "Make one score of several, by the ranks that they give each document.",
    "importance": "Weigh documents by how like a target they are, and draw by that.",
    "filter": "Decide by the rules; reads no text.",
    "dedup": "Find documents that are copies of each other, or nearly.",
    "decontaminate": "Find n-grams of benchmarks.",
    "tokenize": "Encode, shuffle and pack what is kept into token shards.",
}.items():
    _stage_command(_kind, _summary)


@app.command(rich_help_panel="One stage")
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


@app.command()
def plan(recipe: RecipeArgument, workdir: Workdir = "runs", override: Set = None) -> None:
    """Check a recipe, and show its shards and steps with the digests that name their folders."""
    from rich.console import Console

    from gristmill.pipeline.session import planned
    from gristmill.report.tables import curve_lines, plan_table

    found = planned(recipe, override or (), workdir)
    Console().print(plan_table(found))
    for line in curve_lines(found):
        Console().print(line, markup=False, highlight=False)


@app.command()
def status(run: RunArgument) -> None:
    """Show how far each step of a run is, and what failed."""
    from rich.console import Console

    from gristmill.pipeline.status import status as look
    from gristmill.report.tables import status_table

    Console().print(status_table(look(_open(run))))


@app.command()
def funnel(run: RunArgument) -> None:
    """Show documents, bytes and shares at each stage."""
    from rich.console import Console

    from gristmill.report import funnel as part

    Console().print(part.render_funnel(part.funnel(_open(run))))


@app.command()
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


@app.command()
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


@app.command()
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


@app.command()
def clusters(
    run: RunArgument,
    top: Annotated[int, typer.Option(min=1, max=1000, help="How many clusters of each `dedup` stage.")] = 10,
    diff: Annotated[bool, typer.Option("--diff", help="Show how each text differs from the survivor's.")] = False,
) -> None:
    """Show the largest clusters of duplicates, each with its survivor and its members."""
    from rich.console import Console

    from gristmill.report import clusters as part
    from gristmill.report.clusters_view import render_clusters

    Console().print(render_clusters(part.clusters(_open(run), top, diff=diff)))


app.command()(recall.recall)


@app.command()
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


@app.command()
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


@app.command()
def report(run: RunArgument) -> None:
    """Write report/stats.json and report/index.html."""
    from gristmill.report.write import write_report

    typer.echo(write_report(_open(run)))


@app.command()
def card(run: RunArgument) -> None:
    """Write README.md, the dataset card."""
    from gristmill.report.write import write_card

    typer.echo(write_card(_open(run)))


@app.command()
def schema() -> None:
    """Print the JSON Schema of a recipe, for editors."""
    import json

    from gristmill.pipeline.recipe import recipe_schema

    typer.echo(json.dumps(recipe_schema(), indent=2))


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


def _print_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, indent=2, ensure_ascii=True))


def _open(name: str) -> Run:
    from gristmill.pipeline.run import open_run

    return open_run(name)
