"""Training a fastText model of two labels: one thread, lines in an order of their own, so that bytes come out equal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import fasttext
import numpy as np
import numpy.typing as npt

from gristmill.classifiers.fasttext_file import check_fasttext_file
from gristmill.classifiers.quality import normal
from gristmill.classifiers.quality.interruptible import interruptible
from gristmill.classifiers.quality.sidecar import NEGATIVE, POSITIVE
from gristmill.classifiers.quality.zeroed import zeroed_memory
from gristmill.errors import CorruptError, UsageError

_VERSION: Final = "1"
_FEATURES_LEFT: Final = 100_000
_LEAST_FEATURES: Final = 256


@dataclass(frozen=True)
class TrainingSettings:
    """fastText's settings; the defaults are fastText's and those of DCLM's training script, but for ``word_ngrams``.

    ``word_ngrams``: the most words in a row that are a feature (DCLM's script: 1); ``buckets``: into how many n-grams
    are hashed; ``dim``: numbers for each word and each bucket, of 4 bytes; ``min_count``: words that stand less often
    are left out.
    """

    word_ngrams: int = 2
    dim: int = 100
    epochs: int = 5
    learning_rate: float = 0.1
    min_count: int = 1
    buckets: int = 2_000_000
    seed: int = 0
    form: str = normal.DEFAULT
    quantize: bool = False


def versions() -> dict[str, str]:
    """Return the versions of what the bytes of a model depend on."""
    return {"training": _VERSION, "normal": normal.VERSION, "fasttext-numpy2": version("fasttext-numpy2")}


def write_training_file(path: Path, lines: Iterable[bytes], positive: npt.NDArray[np.bool_]) -> None:
    """Write labelled lines as fastText reads them; ``lines`` have no end, and are as many as ``positive``."""
    labels = [f"{normal.LABEL_PREFIX}{label} ".encode() for label in (NEGATIVE, POSITIVE)]
    with path.open("wb") as sink:
        sink.writelines(
            part
            for line, is_positive in zip(lines, positive.tolist(), strict=True)
            for part in (labels[is_positive], line, b"\n")
        )


def train(file: Path, settings: TrainingSettings, *, loud: bool = False) -> Any:
    """Return a model trained on a file of labelled lines: the same for the same file, settings and versions.

    A quantized one keeps the 100,000 features with the longest vectors, trained once more, a byte for two numbers.
    ``loud`` shows fastText's own line of progress. Raises UsageError if fastText finds no model; KeyboardInterrupt at
    once, while fastText goes on until the process ends.
    """

    def work() -> Any:
        with zeroed_memory():
            model = _trained(file, settings, loud)
            if settings.quantize:
                _quantize(model, file)
        return model

    try:
        return interruptible(work)
    except MemoryError as error:
        least = 4 * settings.dim * settings.buckets
        raise UsageError(
            f"the model takes {least / 1e9:,.0f} GB of memory and more: lower --dim or --buckets"
        ) from error
    except (RuntimeError, ValueError) as error:
        raise UsageError(f"fastText finds no model: {error}; a lower --lr, or other settings, may help") from error


def save(model: Any, path: Path) -> None:
    """Write a model. Raises CorruptError if it is not there whole, since fastText does not notice a full disk."""
    try:
        model.save_model(str(path))
        check_fasttext_file(path)
    except (ValueError, CorruptError) as error:
        raise CorruptError(f"the model could not be written whole: is the disk full? ({error})") from error


def _trained(file: Path, settings: TrainingSettings, loud: bool) -> Any:
    return fasttext.train_supervised(
        input=str(file),
        lr=settings.learning_rate,
        dim=settings.dim,
        epoch=settings.epochs,
        minCount=settings.min_count,
        wordNgrams=settings.word_ngrams,
        bucket=settings.buckets,
        seed=settings.seed,
        loss="softmax",
        thread=1,
        verbose=2 if loud else 0,
    )


def positive_scores(model: Any, lines: list[bytes]) -> npt.NDArray[np.float64]:
    """Return the model's probability of the positive label for lines that end in a line feed; in [0, 1].

    A line of which the model knows no word has 0.0.
    """
    wanted = f"{normal.LABEL_PREFIX}{POSITIVE}"
    labels, values = model.f.multilinePredict(lines, 2, 0.0, "replace")
    found = (
        next((float(value) for label, value in zip(*one, strict=True) if label == wanted), 0.0)
        for one in zip(labels, values, strict=True)
    )
    return np.clip(np.fromiter(found, np.float64, count=len(lines)), 0.0, 1.0)


def _quantize(model: Any, file: Path) -> None:
    features = model.get_input_matrix().shape[0]
    if features < _LEAST_FEATURES:
        raise ValueError(f"{features} words and buckets are too few to quantize; {_LEAST_FEATURES} are needed")
    cut = features > _FEATURES_LEFT
    model.quantize(input=str(file), qnorm=True, retrain=cut, cutoff=_FEATURES_LEFT if cut else 0, thread=1, verbose=0)
