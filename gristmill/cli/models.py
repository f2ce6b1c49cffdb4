"""`gristmill models`: the registry's models, fetched and verified."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gristmill.classifiers.models.digests import Tell
    from gristmill.classifiers.models.registry import Model
    from gristmill.classifiers.models.verify import Verdict

app = typer.Typer(
    help="List, fetch and verify the models that a recipe can name.",
    no_args_is_help=True,
)

_NARROWEST, _WIDEST = 80, 120

Name = Annotated[str, typer.Argument(metavar="NAME", help="A name that `gristmill models list` shows.")]


@app.callback()
def _root() -> None:
    """List, fetch and verify the models that a recipe can name.

    Wherever a recipe names a model, it can be one of these names, a path, or an fsspec URL.
    """


@app.command("list")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with addresses and digests.")] = False,
) -> None:
    """List the models that have a name: what each is for, its size and licence, and whether it is on this machine."""
    import json
    import shutil

    from gristmill.classifiers.models.registry import MODELS

    if as_json:
        typer.echo(json.dumps([_described(model) for model in MODELS.values()], indent=2))
    else:
        typer.echo(_listed(list(MODELS.values()), shutil.get_terminal_size().columns))


@app.command()
def pull(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME...", help="Names from `gristmill models list`, or URLs.", show_default=False),
    ],
) -> None:
    """Fetch models into the cache, so that runs find them there, without a network too.

    What is fetched is checked against the published digest before it counts. An interrupted fetch is gone on with by
    the same command. A URL's copy has no published digest; runs take it as long as the address has the same version.
    """
    from gristmill.classifiers.models import find_model
    from gristmill.classifiers.models.registry import registered
    from gristmill.errors import GristmillError

    for name in names:
        if "://" not in name:
            registered(name)
    failed: list[GristmillError] = []
    for name in names:
        try:
            with _progress(name) as tell:
                found = find_model(name, tell=tell)
            typer.echo(f"{name}: {found.path} ({found.path.stat().st_size:,} bytes, sha256 {found.digest})")
        except GristmillError as error:
            failed.append(error)
    if failed:
        raise type(failed[0])("\n".join(str(error) for error in failed))


@app.command()
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help="Without names, all models that are here.", show_default=False),
    ] = None,
) -> None:
    """Read models anew, and compare them with their published digests. Exit 1 names what is wrong, and the way out."""
    from gristmill.classifiers.models.verify import to_verify
    from gristmill.classifiers.models.verify import verify as check
    from gristmill.errors import CorruptError

    verdicts: list[Verdict] = []
    for model in to_verify(names or ()):
        with _progress(model.name) as tell:
            verdicts.append(check(model, tell))
        if verdicts[-1].wrong is None:
            typer.echo(f"{model.name}: {verdicts[-1].path} is the published file")
    if not verdicts:
        typer.echo("no model of the registry is on this machine; `gristmill models pull` fetches one")
    wrong = [
        f"{verdict.name}: {verdict.path or ''}{' ' if verdict.path else ''}{verdict.wrong}"
        for verdict in verdicts
        if verdict.wrong is not None
    ]
    if wrong:
        raise CorruptError("\n".join([f"{len(wrong)} of {len(verdicts)} models are wrong:", *wrong]))


@app.command()
def path(name: Name) -> None:
    """Print where a model lies on this machine, for scripts. Fetches nothing."""
    from gristmill.classifiers.models.find import cache_folder, place_of
    from gristmill.classifiers.models.registry import registered
    from gristmill.errors import MissingError

    model = registered(name)
    place = place_of(model)
    if place is None:
        raise MissingError(
            f"model {name!r} is not on this machine: `gristmill models pull {name}` fetches it to "
            f"{cache_folder() / model.filename}"
        )
    typer.echo(place[1])


def _described(model: Model) -> dict[str, Any]:
    from dataclasses import asdict

    from gristmill.classifiers.models.find import place_of

    place = place_of(model)
    return {
        **asdict(model),
        "here": place[0] if place else None,
        "path": str(place[1]) if place else None,
    }


def _listed(models: list[Model], width: int) -> str:
    """Return two lines and more for each model: what tells it from others, and below that what it is."""
    import textwrap

    from rich.filesize import decimal

    from gristmill.classifiers.models.find import cache_folder, place_of

    width = max(_NARROWEST, min(width, _WIDEST))
    lines = [f"{'name':21}{'kind':15}{'size':>8}  {'here':7}licence"]
    for model in models:
        place = place_of(model)
        here = place[0] if place else "-"
        lines.append(f"{model.name:21}{model.kind:15}{decimal(model.size):>8}  {here:7}{model.licence}")
        lines += textwrap.wrap(model.what, width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    ways = f"here: cache is {cache_folder()}, wheel an installed package. `gristmill models pull NAME` fetches one."
    return "\n".join([*lines, "", *textwrap.wrap(ways, width, break_on_hyphens=False, break_long_words=False)])


@contextmanager
def _progress(name: str) -> Iterator[Tell | None]:
    """Yield what draws a bar on a terminal, from the first bytes on; None without one."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(compact=True), console=console, transient=True) as bar:
        task = bar.add_task(name, total=None, visible=False)
        yield lambda done, of: bar.update(task, completed=done, total=of, visible=True)
