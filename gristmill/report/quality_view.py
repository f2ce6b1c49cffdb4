"""What was measured of a quality model, as tables of texts: for the terminal and, by `quality_card`, for Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gristmill.classifiers.quality.calibration import probabilities
from gristmill.classifiers.quality.evaluation import BINS
from gristmill.pipeline.train_quality import Mistake, TrainedQuality
from gristmill.report import figures
from gristmill.report.escape import for_terminal
from gristmill.report.text_plots import bar

_WIDTH: Final = 24
_SCORES: Final = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
_MISTAKES_SHOWN: Final = 3
_EXCERPT_SHOWN: Final = 200


@dataclass(frozen=True)
class Cells:
    """A table of texts that are gristmill's own; all columns but ``left`` first ones are aligned to the right."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1


def documents_cells(trained: TrainedQuality) -> Cells:
    """Return what became of the documents of each class."""
    headers = ("", "read", "no word", "copies", "in both", "not needed", "trained on", "hosts", "held out", "hosts")
    rows = []
    for name, one in trained.counts.items():
        numbers = (one.documents, one.empty, one.copies, one.in_both, one.spared)
        sides = (one.trained, one.trained_hosts, one.held_out, one.held_out_hosts)
        rows.append((name, *map(figures.count, numbers), *map(figures.count, sides)))
    return Cells(headers, tuple(rows))


def measures_cells(trained: TrainedQuality) -> Cells:
    """Return the measures on held-out hosts, and on the test if there is one."""
    found = [trained.evaluation] + ([trained.test.evaluation] if trained.test is not None else [])
    headers = ("", "held-out hosts", "the test")[: len(found) + 1]
    measures = (
        ("positives", [figures.count(one.positives) for one in found]),
        ("negatives", [figures.count(one.negatives) for one in found]),
        ("ROC-AUC", [f"{one.roc_auc:.4f}" for one in found]),
        ("average precision", [f"{one.average_precision:.4f}" for one in found]),
        ("accuracy at score 0.5", [f"{one.accuracy:.4f}" for one in found]),
        ("calibration error of the score", [f"{one.raw_calibration_error:.4f}" for one in found]),
        ("calibration error of the probability", [f"{one.calibration_error:.4f}" for one in found]),
        ("Brier score of the probability", [f"{one.brier_score:.4f}" for one in found]),
    )
    return Cells(headers, tuple((name, *values) for name, values in measures))


def thresholds_cells(trained: TrainedQuality) -> Cells:
    """Return what bounds on the score keep."""
    rows = tuple(
        (f"{one.score:.6f}", f"{one.recall:.1%}", f"{one.false_positive_rate:.1%}", f"{one.precision:.1%}")
        for one in trained.evaluation.thresholds
    )
    return Cells(("keep from score", "of positives", "of negatives", "precision"), rows, left=0)


def calibration_cells(trained: TrainedQuality) -> Cells:
    """Return the probability for some scores."""
    found = probabilities(trained.sidecar.calibration, np.array(_SCORES)).tolist()
    rows = tuple((f"{score:.2f}", f"{one:.3f}") for score, one in zip(_SCORES, found, strict=True))
    return Cells(("score", "probability"), rows, left=0)


def histogram_lines(trained: TrainedQuality) -> list[str]:
    """Return a line for each part of the scores: where it begins, positives, negatives, each with a bar."""
    found = trained.evaluation.histogram
    most = max(*found.positive, *found.negative)
    lines = [f"{'score':>5}  {'positive':<{_WIDTH + 8}}negative"]
    for number, (positive, negative) in enumerate(zip(found.positive, found.negative, strict=True)):
        left, right = (f"{count:>7,} {bar(count, most, _WIDTH)}" for count in (positive, negative))
        lines.append(f"{number / BINS:>5.2f}{left:<{_WIDTH + 8}}  {right}".rstrip())
    return lines


def notes(trained: TrainedQuality) -> list[str]:
    """Return what is to be known of the documents: which are their own hosts, and which the test is without."""
    sentences = [_own_hosts(source) for source in trained.sidecar.sources if source["without_host"]]
    if (test := trained.test) is not None:
        known, unfit = figures.count(test.known), figures.count(test.unfit)
        sentences.append(f"The test is without {known} that it was trained on, and {unfit} that are copies or no text")
    return sentences


def _own_hosts(source: Mapping[str, Any]) -> str:
    documents, without = figures.count(source["documents"]), figures.count(source["without_host"])
    return f"{without} of {documents} documents of {source['source']} have no host: each counts as its own"


def render_trained(trained: TrainedQuality) -> Group:
    """Return all of it for a terminal; crawled text is escaped."""
    parts: list[RenderableType] = [_table(documents_cells(trained))]
    parts += [for_terminal(sentence) for sentence in notes(trained)]
    for cells in (measures_cells(trained), thresholds_cells(trained), calibration_cells(trained)):
        parts += ["", _table(cells)]
    parts += ["", Text("\n".join(histogram_lines(trained))), *_mistakes(trained.mistakes)]
    return Group(*parts)


def _mistakes(mistakes: Sequence[Mistake]) -> list[RenderableType]:
    """Return the worst few of each class."""
    parts: list[RenderableType] = []
    for is_positive, sentence in ((True, "Positives with the lowest scores"), (False, "Negatives with the highest")):
        own = [one for one in mistakes if one.is_positive == is_positive][:_MISTAKES_SHOWN]
        parts += ["", Text(f"{sentence}{':' if own else ': no held-out document is called wrongly'}", style="bold")]
        for one in own:
            parts.append(for_terminal(f"{one.score:.4f}  {one.name}"))
            parts.append(for_terminal(f"        {one.excerpt[:_EXCERPT_SHOWN]}", style="dim"))
    return parts


def _table(cells: Cells) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, header in enumerate(cells.headers):
        table.add_column(header, justify="left" if number < cells.left else "right")
    for row in cells.rows:
        table.add_row(*row)
    return table
