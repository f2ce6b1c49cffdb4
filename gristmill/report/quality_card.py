"""The model card of a quality model: Markdown that says what it was made of, how well it does, and what it is not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from gristmill import __version__
from gristmill.pipeline.train_quality import Mistake, TrainedQuality
from gristmill.report import figures
from gristmill.report.escape import fenced, for_markdown
from gristmill.report.quality_view import (
    Cells,
    calibration_cells,
    documents_cells,
    histogram_lines,
    measures_cells,
    notes,
    thresholds_cells,
)

_SETTINGS: Final = {
    "form": "normalization",
    "word_ngrams": "words in a row, at most",
    "dim": "dimensions",
    "epochs": "epochs",
    "learning_rate": "learning rate",
    "min_count": "least count of a word",
    "buckets": "buckets of n-grams",
    "quantize": "quantized",
    "seed": "seed",
    "share": "share of hosts held out",
    "balance": "classes balanced",
    "most": "most documents of a class",
    "text_column": "column of the text",
    "unit": "document of a text file",
}
_LIMITS: Final = """\
## Limits

- The model tells these positives from these negatives, by their words alone. Whatever else parts the two (language,
  subject, age, how lines end, how punctuation is spaced) it has learnt as well.
- The measures are those of documents like the ones above, in equal shares unless the classes were not balanced. On
  other text the score means something else: measure it there, on documents that were read by people.
- The probability is that of a text drawn like the held-out ones. Where good text is rarer, it is less.
- Documents without a host, and near-duplicates that differ in their letters, can stand on both sides of the split;
  that makes the measures too good.
"""


def render_quality_card(trained: TrainedQuality, name: str) -> str:
    """Return the card of a model of that name; crawled text, paths and conditions are escaped."""
    parts = [
        f"# {for_markdown(name)}\n",
        _summary(trained),
        "## What it was made of\n",
        _sources(trained),
        _markdown(documents_cells(trained)),
        _list([for_markdown(sentence) for sentence in notes(trained)]),
        "## How well it does\n",
        _markdown(measures_cells(trained)),
        "What a bound on the score keeps:\n",
        _markdown(thresholds_cells(trained)),
        "What a score says of the chance that a text is positive, by isotonic regression on the held-out documents:\n",
        _markdown(calibration_cells(trained)),
        "How the scores of held-out documents are spread:\n",
        fenced("\n".join(histogram_lines(trained)), "text"),
        "## Mistakes it is surest of\n",
        _mistakes(trained.mistakes),
        _LIMITS,
        "## How it was made\n",
        _settings(trained),
    ]
    return "\n".join(part for part in parts if part)


def _summary(trained: TrainedQuality) -> str:
    return (
        f"A fastText model that tells `{trained.sidecar.positive}` from `{trained.sidecar.negative}` documents, with a "
        f"ROC-AUC of {trained.evaluation.roc_auc:.4f} on hosts that it was not trained on. Texts are normalized as "
        f"`{trained.sidecar.form}` before they are scored.\n"
    )


def _sources(trained: TrainedQuality) -> str:
    rows = tuple(
        (
            source["label"],
            for_markdown(source["source"]),
            figures.count(source["documents"]),
            figures.size(source["bytes"]),
            source["digest"],
        )
        for source in (*trained.sidecar.sources, *_of_test(trained))
    )
    return _markdown(Cells(("class", "source", "documents", "text", "digest of the texts"), rows, left=2))


def _of_test(trained: TrainedQuality) -> list[dict[str, Any]]:
    sources = trained.test.sources if trained.test is not None else ()
    return [{**asdict(source), "label": f"{source.label}, test"} for source in sources]


def _mistakes(mistakes: tuple[Mistake, ...]) -> str:
    if not mistakes:
        return "No held-out document is called wrongly at a score of 0.5.\n"
    rows = tuple(
        ("positive" if one.is_positive else "negative", f"{one.score:.4f}", *map(for_markdown, (one.name, one.excerpt)))
        for one in mistakes
    )
    return _markdown(Cells(("class", "score", "document", "begins"), rows, left=4))


def _settings(trained: TrainedQuality) -> str:
    settings, sidecar = trained.sidecar.settings, trained.sidecar
    rows = [(label, for_markdown(_value(settings[key]))) for key, label in _SETTINGS.items()]
    rows += [(f"version of {name}", for_markdown(version)) for name, version in sorted(sidecar.versions.items())]
    rows += [("gristmill", for_markdown(__version__)), ("sha256 of the model", f"`{sidecar.digest}`")]
    again = "The same sources, settings and versions give the same bytes, whatever the order of the files.\n"
    return f"{_markdown(Cells(('', ''), tuple(rows), left=2))}\n{again}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "all" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _list(items: list[str]) -> str:
    return "".join(f"- {item}\n" for item in items)


def _markdown(cells: Cells) -> str:
    """Return a table; its cells are escaped already."""
    rule = ["---" if number < cells.left else "---:" for number in range(len(cells.headers))]
    lines = (cells.headers, rule, *cells.rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
