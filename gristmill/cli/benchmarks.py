"""`gristmill benchmarks`: the registry's evaluation sets, listed, fetched and looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gristmill.dedup.benchmarks.registered import Registered
    from gristmill.dedup.benchmarks.settings import BenchmarkSettings
    from gristmill.dedup.benchmarks.summary import FieldSummary, Summary

app = typer.Typer(
    help="List, fetch and look at the evaluation sets that a recipe can name.",
    no_args_is_help=True,
)


@app.callback()
def _root() -> None:
    """List, fetch and look at the evaluation sets that a recipe can name.

    Wherever a recipe names a benchmark, it can be one of these names, or a file: JSON Lines, JSON, Parquet, CSV or TSV.
    """


@app.command("list")
def list_benchmarks(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with addresses and fields.")] = False,
) -> None:
    """List the benchmarks that have a name: what each is, its items and licence, and whether it is on this machine."""
    import json

    from rich.console import Console

    from gristmill.dedup.benchmarks.registered import BENCHMARKS

    if as_json:
        typer.echo(json.dumps([_described(benchmark) for benchmark in BENCHMARKS.values()], indent=2))
    else:
        Console().print(_table(list(BENCHMARKS.values())))


@app.command()
def pull(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME...", help="Names from `gristmill benchmarks list`, or `all`.", show_default=False),
    ],
    again: Annotated[bool, typer.Option("--again", help="Fetch what is here too, as it may have changed.")] = False,
) -> None:
    """Fetch benchmarks into the cache, so that runs find them there, without a network too.

    The addresses are not pinned: what is fetched once is used until it is fetched `--again`. A run notes its digest.
    A set that the Hub does not have is told at the end; a Hub that does not answer ends it.
    """
    from gristmill.dedup.benchmarks.registered import BENCHMARKS
    from gristmill.dedup.benchmarks.registry import registered
    from gristmill.errors import AccessError, GristmillError

    chosen = [registered(name) for name in (BENCHMARKS if names == ["all"] else names)]
    failed: list[GristmillError] = []
    for benchmark in chosen:
        try:
            _pull(benchmark, again)
        except GristmillError as error:
            failed.append(error)
            if isinstance(error, AccessError):
                break
    if failed:
        raise type(failed[0])("\n".join(str(error) for error in failed))


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A name that `gristmill benchmarks list` shows, or a file.")
    ],
    items: Annotated[int, typer.Option(min=0, help="How many items to print, evenly spread.")] = 2,
    fields: Annotated[
        list[str] | None,
        typer.Option(
            help="Fields of a file's items; several times for several. Default: every text.", show_default=False
        ),
    ] = None,
    ngram: Annotated[int, typer.Option(min=1, max=100, help="Words in a row that must be equal.")] = 13,
) -> None:
    """Read a benchmark as a run would: its fields, how long their texts are, how many items are too short, a few items.

    An item is too short if none of its texts has as many words as an n-gram.
    """
    from rich.console import Console

    from gristmill.dedup.benchmarks.sources import benchmark_files
    from gristmill.dedup.benchmarks.summary import summarized

    benchmark = _chosen(name, fields)
    summary = summarized(benchmark, ngram)
    console = Console()
    for file in benchmark_files([benchmark]):
        console.print(_plain(f"{file['address']}  sha256 {file['sha256']}"), soft_wrap=True)
    console.print(_plain(f"{benchmark.name}: {_counted(summary, ngram)}"))
    console.print(_fields_table(summary.fields))
    for item in summary.sample(items):
        console.print()
        console.print(_plain(f"{benchmark.name} {item.id}", "bold"))
        for field, text in zip(item.fields, item.texts, strict=True):
            console.print(_plain(f"{field}: ", "cyan"), _plain(text, keep="\n"), soft_wrap=True)


def _counted(summary: Summary, ngram: int) -> str:
    ignored = f", {summary.train:,} of them to be ignored" if summary.train else ""
    return f"{summary.items:,} items{ignored}; {summary.short:,} have no text of {ngram} words or more"


def _pull(benchmark: Registered, again: bool) -> None:
    from gristmill.dedup.benchmarks.settings import BenchmarkSettings
    from gristmill.dedup.benchmarks.sources import benchmark_files, definition

    settings = BenchmarkSettings.model_validate({"name": benchmark.name})
    if again:
        for file in definition(settings).files:
            if file.kept is not None:
                file.kept.unlink(missing_ok=True)
    for found in benchmark_files([settings]):
        typer.echo(f"{benchmark.name}: {found['address']} (sha256 {found['sha256']})")


def _chosen(name: str, fields: list[str] | None) -> BenchmarkSettings:
    """Return the benchmark that a recipe would mean by a name, or by a path with fields."""
    from pathlib import Path

    from pydantic import TypeAdapter

    from gristmill.dedup.benchmarks.settings import Benchmark

    given: Any = {"path": name} if Path(name).is_file() else name
    benchmark: BenchmarkSettings = TypeAdapter(Benchmark).validate_python(given)
    if not fields:
        return benchmark
    said = benchmark.model_dump(exclude_unset=True) | {"fields": fields}
    return type(benchmark).model_validate(said)


def _described(benchmark: Registered) -> dict[str, Any]:
    fields = [field.model_dump(exclude_defaults=True) for field in benchmark.fields]
    return {
        "name": benchmark.name,
        "what": benchmark.what,
        "dataset": benchmark.dataset,
        "configs": list(benchmark.configs),
        "split": benchmark.split,
        "kinds": list(benchmark.kinds),
        "items": benchmark.items,
        "licence": benchmark.licence,
        "fields": fields,
        "addresses": list(benchmark.addresses),
        "here": _is_here(benchmark),
    }


def _is_here(benchmark: Registered) -> bool:
    from gristmill.dedup.benchmarks.sources import kept_at

    return all(kept_at(address).is_file() for address in benchmark.addresses)


def _table(benchmarks: list[Registered]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("name", "items", "kind", "here", "licence", "what it is"):
        table.add_column(title, justify="right" if title == "items" else "left", no_wrap=title in ("name", "items"))
    for benchmark in benchmarks:
        items = "?" if benchmark.items is None else f"{benchmark.items:,}"
        here = "yes" if _is_here(benchmark) else "-"
        table.add_row(benchmark.name, items, " + ".join(benchmark.kinds), here, benchmark.licence, benchmark.what)
    return table


def _fields_table(fields: tuple[FieldSummary, ...]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("field", "kind", "texts", "words: least", "median", "most"):
        table.add_column(title, justify="left" if title in ("field", "kind") else "right")
    for field in fields:
        least, median, most = (f"{words:,}" for words in field.words)
        table.add_row(_plain(field.name), field.kind, f"{field.texts:,}", least, median, most)
    return table


def _plain(text: str, style: str = "", keep: str = "") -> Any:
    from gristmill.report.escape import for_terminal

    return for_terminal(text, style, keep)
