"""`gristmill recall`: hosts that a classifier finds good, for its next round."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class By(StrEnum):
    """What is counted."""

    HOST = "host"
    DOMAIN = "domain"


Run = Annotated[str, typer.Argument(help="A run's folder, or its name in ./runs.", show_default=False)]
Model = Annotated[
    str | None,
    typer.Option(
        help="A fastText model, as a recipe names it. The run's own scores of it are used if it has them; else the "
        "texts are scored now, in this process.",
        show_default=False,
    ),
]
Score = Annotated[
    str | None,
    typer.Option(help="A column of the run, such as `dclm_score`. Default: its only score.", show_default=False),
]
Over = Annotated[
    float, typer.Option(min=0.0, max=1.0, help="Hosts are found whose share of positive pages is more than this.")
]
Threshold = Annotated[
    float | None,
    typer.Option(
        help="A page is positive from this score on. Default: the run's own bound on the score, else 0.5.",
        show_default=False,
    ),
]
Label = Annotated[str | None, typer.Option(help="The label of the model whose probability counts.", show_default=False)]
LeastPages = Annotated[int, typer.Option(min=1, help="Hosts of fewer pages are not judged.")]
CountedBy = Annotated[By, typer.Option(help="Count by `host`, or by registered `domain`.")]
Samples = Annotated[int, typer.Option(min=0, max=1000, help="Positive pages to show of each host.")]
Every = Annotated[
    bool,
    typer.Option("--all", help="Count dropped documents too. By default those kept, whatever their score."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write the list of hosts, a host a line.", show_default=False),
]


def recall(
    run: Run,
    model: Model = None,
    score: Score = None,
    over: Over = 0.10,
    threshold: Threshold = None,
    label: Label = None,
    least_pages: LeastPages = 10,
    by: CountedBy = By.HOST,
    samples: Samples = 3,
    every: Every = False,
    as_json: AsJson = False,
    output: Output = None,
) -> None:
    """Find the hosts of which many pages are positive, with samples: the next round's positives (DeepSeekMath's loop).

    The list is what `source: {index: {hosts: "@hosts.txt"}}` reads, and `train quality` after `host in`. The run stays
    as it is.
    """
    import json
    from dataclasses import asdict

    from rich.console import Console

    from gristmill.pipeline.run import open_run
    from gristmill.pipeline.storage import Folder
    from gristmill.report import recall as part
    from gristmill.report.live import watcher
    from gristmill.report.recall_hosts import list_lines
    from gristmill.report.recall_scores import scores_of
    from gristmill.report.recall_view import render_recall

    _check_list(output)
    opened = open_run(run)
    scores = scores_of(opened, model, label, score)
    least = scores.threshold if threshold is None else threshold
    asked = part.Asked(over, least, least_pages, samples, by.value, every)
    found = part.recall(opened, scores, asked, watcher(Console(stderr=True)))
    if output is not None:
        text = "".join(f"{line}\n" for line in list_lines(found))
        Folder(str(output.parent)).write_bytes(output.name, text.encode())
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2, ensure_ascii=True))
    else:
        Console().print(render_recall(found))
        if output is not None:
            typer.echo(f"{len(found.found):,} in {output}")


def _check_list(output: Path | None) -> None:
    """Raise UsageError for a name by which a list of hosts would be read as something else, or is none of a file."""
    from gristmill.errors import UsageError
    from gristmill.pipeline.training_texts import PACKED, kind_of

    if output is None:
        return
    if output.is_dir():
        raise UsageError(f"--output {output} is a folder; name a file in it: -o {output / 'hosts.txt'}")
    if output.suffix in PACKED or kind_of(output.name) in (".parquet", ".jsonl", ".ndjson", ".json"):
        raise UsageError(
            f"--output {output}: the list is plain text, and by that name it would be read as another "
            f"kind; write -o {output.with_suffix('.txt')}"
        )
