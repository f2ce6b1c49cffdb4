"""`gristmill train`: models from texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gristmill.cli.train_quality import HELP, quality

if TYPE_CHECKING:
    from gristmill.classifiers.perplexity.form import Form
    from gristmill.classifiers.perplexity.train import Trained

app = typer.Typer(help="Train a model from texts.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Train a model from texts."""


app.command(help=HELP)(quality)


Texts = Annotated[
    list[str],
    typer.Argument(
        help="Text, JSONL or Parquet, packed or not: paths, patterns or URLs; or finished runs, of which what was "
        "kept is read. A line is a sentence; words are parted by spaces.",
        show_default=False,
    ),
]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", help="The model: lm.arpa, or lm.bin for KenLM's binary format.", show_default=False),
]
Order = Annotated[int, typer.Option(help="The most words in a row that it looks at: 2 to 6.")]
Prune = Annotated[
    str,
    typer.Option(
        help="For each order, how often an n-gram may stand in the text and be left out; the last bound is for all "
        "longer ones too. `0,0,1` leaves out what stands once, from three words on."
    ),
]
Normalize = Annotated[
    str,
    typer.Option(
        help="What is made of texts before: `ccnet`, CCNet's form, each text a sentence; `ccnet_by_line`, without "
        "its two quirks, each line a sentence; `none`."
    ),
]
Pieces = Annotated[
    str,
    typer.Option(
        help="What words are: `words` between spaces, or pieces of a SentencePiece model or a tokenizer.json."
    ),
]
TextColumn = Annotated[str, typer.Option(help="The column of Parquet, or the key of JSONL, with the text.")]
Scratch = Annotated[
    Path | None,
    typer.Option(help="Folder for what does not fit into memory: about 40 bytes an n-gram. Default: the model's."),
]


@app.command()
def perplexity(
    texts: Texts,
    output: Output,
    order: Order = 5,
    prune: Prune = "0",
    normalize: Normalize = "none",
    pieces: Pieces = "words",
    text_column: TextColumn = ("text"),
    scratch: Scratch = None,
) -> None:
    """Train an n-gram model whose perplexity tells clean text from noise.

    Interpolated modified Kneser-Ney, as KenLM's lmplz: the same probabilities. Memory does not grow with the text.
    KenLM, or any program that reads ARPA files, loads the model. OUTPUT.json beside it tells in which form texts were,
    so that a recipe's `perplexity` stage asks in the same.
    """
    from gristmill.classifiers.perplexity.form import training_blocks
    from gristmill.classifiers.perplexity.train import pruning, train
    from gristmill.classifiers.perplexity.trained_form import write_trained_form
    from gristmill.pipeline.training_texts import as_lines, training_texts

    bounds = pruning(order, _numbers(prune))
    _check_output(output)
    form = _form(normalize, pieces)
    read = training_texts(texts, text_column)
    blocks = as_lines(read) if form.is_plain else training_blocks(read, form)
    trained = train(blocks, bounds, output, scratch)
    write_trained_form(output, form, trained)
    _tell(trained, bounds, output)


def _form(normalize: str, pieces: str) -> Form:
    """Return the form that the options name. Raises UsageError, and MissingError and CorruptError for the pieces."""
    from gristmill.classifiers.perplexity.form import Form, normalization
    from gristmill.classifiers.perplexity.pieces import find_pieces

    form = Form(normalization(normalize), find_pieces(pieces))
    form.pieces.check()
    return form


def _numbers(given: str) -> tuple[int, ...]:
    from gristmill.errors import UsageError

    try:
        return tuple(int(part) for part in given.split(","))
    except ValueError as error:
        raise UsageError(f"--prune {given}: write numbers with commas between them, such as 0,0,1") from error


def _check_output(output: Path) -> None:
    from gristmill.errors import MissingError, UsageError

    if output.suffix not in (".arpa", ".bin"):
        raise UsageError(f"--output {output}: its name must end in .arpa or .bin, which says how it is written")
    if not output.parent.is_dir():
        raise MissingError(f"--output {output}: there is no folder {output.parent}")


def _tell(trained: Trained, bounds: tuple[int, ...], output: Path) -> None:
    """Print what the model was made of, and what it has."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("words", justify="right")
    for name in ("n-grams", "pruned up to", "discount of 1", "of 2", "of 3 and more"):
        table.add_column(name, justify="right")
    for n, (count, bound, discounts) in enumerate(zip(trained.ngrams, bounds, trained.discounts, strict=True), 1):
        star = "" if discounts.estimated else " *"
        amounts = [f"{amount:.3f}{star}" for amount in discounts.amounts]
        table.add_row(str(n), f"{count:,}", str(bound) if bound else "-", *amounts)
    console = Console()
    console.print(f"{trained.sentences:,} sentences, {trained.tokens:,} tokens with their begins and ends")
    console.print(table)
    if not all(discounts.estimated for discounts in trained.discounts):
        console.print(
            "* too little text to estimate it: the usual value. More text, or a lower order, makes it better."
        )
    console.print(f"{output}: {output.stat().st_size:,} bytes")
