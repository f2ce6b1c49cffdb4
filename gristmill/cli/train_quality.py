"""`gristmill train quality`: a classifier of good and bad text."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from gristmill.pipeline.train_quality import TrainedQuality

_SOURCE = (
    "`PATH`, or `PATH text COLUMN by COLUMN where CONDITION`, of which each part may be left out; several times for "
    "several. PATH is text, JSONL or Parquet, packed or not: a path, a pattern or a URL; or a finished run."
)

_MOST = 2**31 - 1
"""The largest number that fastText holds."""


HELP = """Train a fastText classifier that tells good text from bad, and measure it on hosts that it never saw.

A condition chooses documents by their columns, in a run also by what its stages measured and decided:

`--positive "runs/a where word_count >= 200 and language in (en, fr) and kept"`

`--positive "runs/a where url in cited-by-wikipedia.txt"`

`--positive "runs/a where host in good-hosts.txt"`

`--negative "runs/a where dropped by filter"`

`--negative "pages.jsonl.gz by site where label == 0"`

Tests are `==`, `!=`, `<`, `<=`, `>`, `>=`, `in (A, B)`, `in FILE` (a value on each line; URLs are compared in one
form; `.example.org` is a host with all below it), `not in`, `is null`, `is not null`, `kept`, `dropped`, `kept by
STAGE` (by all up to it), `dropped by STAGE` (that one first); they are joined by `and`, `or`, `not` and
parentheses. A run without a condition gives what every stage kept; with one, exactly what it says.

`text` names the column of one source's text where it is not `--text-column`.

Copies count once, and texts of both classes not at all. Hosts are held out whole: a document's host is its URL's,
or what `by` names (a column, or `file`); one without any is its own host. Beside the model come `MODEL.json`
(normalization, calibration, all measures; scoring reads it) and `MODEL.md`, the model card. The same documents and
settings give the same bytes.
"""

Output = Annotated[
    Path,
    typer.Option(
        "--output", "-o", help="The model: quality.bin, or quality.ftz for a quantized one.", show_default=False
    ),
]
Positive = Annotated[
    list[str] | None,
    typer.Option("--positive", metavar="SOURCE", help=f"Good documents. {_SOURCE}", show_default=False),
]
Negative = Annotated[
    list[str] | None,
    typer.Option("--negative", metavar="SOURCE", help="What they are told from, the same way.", show_default=False),
]
TestPositive = Annotated[
    list[str] | None,
    typer.Option(
        "--test-positive",
        metavar="SOURCE",
        help="Good documents of another kind, such as ones that people read, to measure the model on too.",
        show_default=False,
    ),
]
TestNegative = Annotated[
    list[str] | None,
    typer.Option("--test-negative", metavar="SOURCE", help="What they are told from.", show_default=False),
]
TextColumn = Annotated[str, typer.Option(help="The column of Parquet, or the key of JSONL, with the text.")]
TextUnit = Annotated[
    Literal["line", "paragraph", "file"],
    typer.Option(help="What a document is in a text file; a blank line parts paragraphs."),
]
Normalize = Annotated[
    str,
    typer.Option(
        help="What is done to a text, here and when it is scored. lines: its lines become one, as DCLM does it; "
        "lowercase: that, in lower case; words: that, with punctuation apart from words, for few documents."
    ),
]
WordNgrams = Annotated[int, typer.Option(min=1, max=10, help="The most words in a row that are a feature.")]
Dim = Annotated[int, typer.Option(min=1, max=_MOST, help="Numbers for each word and each bucket.")]
Epochs = Annotated[int, typer.Option(min=1, max=_MOST, help="How often every document is learnt from.")]
Lr = Annotated[float, typer.Option(min=1e-6, max=10.0, help="Learning rate at the begin; it falls to 0.")]
MinCount = Annotated[int, typer.Option(min=1, max=_MOST, help="Leave out words that stand less often.")]
Buckets = Annotated[
    int,
    typer.Option(
        min=1,
        max=_MOST,
        help="Into how many n-grams are hashed. The model has 4 x dim x (words + buckets) bytes: 800 MB.",
    ),
]
Quantize = Annotated[bool, typer.Option("--quantize", help="A model of a few MB; its name ends in .ftz.")]
Seed = Annotated[int, typer.Option(min=0, max=_MOST, help="Another seed chooses others.")]
HeldOut = Annotated[
    float, typer.Option(min=0.001, max=0.9, help="Share of the hosts that the model is measured on, not trained.")
]
Most = Annotated[int | None, typer.Option(min=1, help="The most documents of a class, chosen by hash. Default: all.")]
Least = Annotated[int, typer.Option(min=1, help="The fewest documents of a class to train on.")]
Balance = Annotated[
    bool, typer.Option("--balance/--no-balance", help="Cut the larger class to the size of the smaller.")
]
Scratch = Annotated[
    Path | None, typer.Option(help="Folder for the texts, twice, while it works. Default: the model's.")
]


def quality(
    output: Output,
    positive: Positive = None,
    negative: Negative = None,
    test_positive: TestPositive = None,
    test_negative: TestNegative = None,
    text_column: TextColumn = ("text"),
    text_unit: TextUnit = "line",
    normalize: Normalize = "lines",
    word_ngrams: WordNgrams = 2,
    dim: Dim = 100,
    epochs: Epochs = 5,
    lr: Lr = 0.1,
    min_count: MinCount = 1,
    buckets: Buckets = 2_000_000,
    quantize: Quantize = False,
    seed: Seed = 0,
    held_out: HeldOut = 0.1,
    most: Most = None,
    least: Least = 100,
    balance: Balance = True,
    scratch: Scratch = None,
) -> None:
    """Train a fastText classifier that tells good text from bad, and measure it on hosts that it never saw."""
    from gristmill.classifiers.quality.normal import check_form
    from gristmill.classifiers.quality.selection import Choosing
    from gristmill.classifiers.quality.training import TrainingSettings
    from gristmill.pipeline.chosen_texts import Reading
    from gristmill.pipeline.train_quality import Order, train_quality
    from gristmill.report.quality_card import render_quality_card

    check_form(normalize)
    is_quantized = _is_quantized(output, quantize)
    _check_test(test_positive, test_negative)
    order = Order(
        positive=_given("positive", positive),
        negative=_given("negative", negative),
        output=output,
        reading=Reading(text_column, text_unit),
        choosing=Choosing(held_out, most, least, balance),
        training=TrainingSettings(
            word_ngrams, dim, epochs, lr, min_count, buckets, seed, form=normalize, quantize=is_quantized
        ),
        scratch=scratch,
        test_positive=tuple(test_positive or ()),
        test_negative=tuple(test_negative or ()),
    )
    with _Progress() as progress:
        trained = train_quality(order, progress, lambda trained: render_quality_card(trained, output.name))
    _tell(trained, output)


def _given(name: str, sources: list[str] | None) -> tuple[str, ...]:
    from gristmill.errors import UsageError

    if not sources:
        raise UsageError(f"--{name} is missing: a model tells good documents from others, so name both kinds")
    return tuple(sources)


def _check_test(positive: list[str] | None, negative: list[str] | None) -> None:
    from gristmill.errors import UsageError

    if bool(positive) != bool(negative):
        missing = "--test-negative" if positive else "--test-positive"
        raise UsageError(f"{missing} is missing: a test needs both kinds, or leave it out")


def _is_quantized(output: Path, quantize: bool) -> bool:
    """Return whether the model is quantized. Raises UsageError or MissingError for where none can be written."""
    import os

    from gristmill.errors import MissingError, UsageError

    if output.is_dir():
        raise UsageError(f"--output {output} is a folder; name a file in it: -o {output / 'quality.bin'}")
    if output.suffix not in (".bin", ".ftz"):
        raise UsageError(f"--output {output}: its name must end in .bin, or in .ftz for a quantized model")
    if quantize and output.suffix == ".bin":
        raise UsageError(
            f"--output {output}: a quantized model's name ends in .ftz; write -o {output.with_suffix('.ftz')}"
        )
    if not output.parent.is_dir():
        raise MissingError(f"--output {output}: there is no folder {output.parent}")
    if not os.access(output.parent, os.W_OK):
        raise UsageError(f"--output {output}: nothing can be written into {output.parent.absolute()}")
    return output.suffix == ".ftz"


class _Progress:
    """Shows on a terminal how far a training is; elsewhere nothing."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)
        self._status = self._console.status("reading")

    def __enter__(self) -> _Progress:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def read(self, source: str, documents: int) -> None:
        """Show how many documents of a source are read."""
        from gristmill.report.escape import for_terminal

        self._status.update(for_terminal(f"reading {source}: {documents:,} documents"))

    def train(self, documents: int) -> bool:
        """Make way for fastText's own line of progress, on a terminal."""
        self._status.stop()
        if self._console.is_terminal:
            self._console.print(f"training on {documents:,} documents")
        return self._console.is_terminal


def _tell(trained: TrainedQuality, output: Path) -> None:
    """Print what was measured."""
    from rich.console import Console

    from gristmill.report.escape import for_terminal
    from gristmill.report.quality_view import render_trained

    console = Console()
    console.print(render_trained(trained))
    console.print(
        for_terminal(f"\n{output}: {output.stat().st_size:,} bytes, sha256 {trained.sidecar.digest}", keep="\n")
    )
    console.print(for_terminal(f"{output}.json has all measures, {output}.md is the model card"))
