"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
