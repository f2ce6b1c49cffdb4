"""The commands. Each imports what it needs when it is chosen, so that `--help` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gristmill import __version__
from gristmill.cli import benchmarks, looking, models, running, train

app = typer.Typer(
    name="gristmill",
    help="WARC in, training tokens out, every record accounted for.\n\n"
    "Start with `gristmill sample sample` and `gristmill run configs/quickstart.yaml`.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

app.add_typer(models.app, name="models")
app.add_typer(benchmarks.app, name="benchmarks")
app.add_typer(train.app, name="train")


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


running.add_to(app)
for _command in looking.COMMANDS:
    app.command()(_command)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a recipe, for editors."""
    import json

    from gristmill.pipeline.recipe import recipe_schema

    typer.echo(json.dumps(recipe_schema(), indent=2))
