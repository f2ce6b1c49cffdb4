"""A quality model from labelled sources to the files that describe it: gather, select, train, measure."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from gristmill.classifiers.models import digest_of
from gristmill.classifiers.quality import normal
from gristmill.classifiers.quality.calibration import calibrated, cross_calibrated
from gristmill.classifiers.quality.evaluation import Evaluation, evaluated
from gristmill.classifiers.quality.selection import (
    Choosing,
    ClassCounts,
    Rows,
    Selection,
    is_known,
    select,
    taken,
    unlike,
)
from gristmill.classifiers.quality.sidecar import NEGATIVE, POSITIVE, Sidecar, sidecar_json, sidecar_path
from gristmill.classifiers.quality.training import (
    TrainingSettings,
    positive_scores,
    save,
    train,
    versions,
    write_training_file,
)
from gristmill.errors import MissingError, UsageError
from gristmill.pipeline.chosen_texts import Reading, TextSource, parse_source
from gristmill.pipeline.gathering import Gathered, Gathering, SourceRead, gather

_AT_ONCE: Final = 512
_FOLDS: Final = 5
_MISTAKES: Final = 10
_EXCERPT: Final = 300


@dataclass(frozen=True)
class Order:
    """What is wanted: sources as they are written, how they are read and chosen, how the model is trained."""

    positive: tuple[str, ...]
    negative: tuple[str, ...]
    output: Path
    reading: Reading
    choosing: Choosing
    training: TrainingSettings
    scratch: Path | None = None
    test_positive: tuple[str, ...] = ()
    test_negative: tuple[str, ...] = ()


class Watcher(Protocol):
    """Is shown how far a training is."""

    def read(self, source: str, documents: int) -> None:
        """Show how many documents of a source are read."""

    def train(self, documents: int) -> bool:
        """Show that training begins; return whether fastText may show its own line of progress."""


@dataclass(frozen=True)
class Mistake:
    """A held-out document whose score is far from its class. ``excerpt`` and ``name`` are crawled: escape them."""

    name: str
    is_positive: bool
    score: float
    excerpt: str


@dataclass(frozen=True)
class Tested:
    """What was measured on documents that have nothing to do with the training.

    ``known``: documents left out, since the model was trained on a copy; ``unfit``: those without a word, copies, and
    texts of both classes.
    """

    sources: tuple[SourceRead, ...]
    known: int
    unfit: int
    evaluation: Evaluation


@dataclass(frozen=True)
class TrainedQuality:
    """A trained model: what stands beside it, and the rest of what is told of it."""

    sidecar: Sidecar
    test: Tested | None
    counts: dict[str, ClassCounts]
    evaluation: Evaluation
    mistakes: tuple[Mistake, ...]


def train_quality(order: Order, watcher: Watcher) -> TrainedQuality:
    """Train a model, save it with what stands beside it, and return what was measured on hosts that it never saw.

    The model's bytes depend on the documents, the settings and the versions alone. Raises UsageError, MissingError and
    CorruptError for what cannot be read, chosen or trained on; then nothing is written.
    """
    sources, tests = _sources(order.positive, order.negative), _sources(order.test_positive, order.test_negative)
    with _scratch(order) as folder:
        gathered = gather(sources, _gathering(order, folder / "training"), watcher.read)
        selection = select(gathered.rows, order.choosing)
        tested = gather(tests, _gathering(order, folder / "test"), watcher.read) if tests else None
        loud = watcher.train(len(selection.train))
        file, made = folder / "train.txt", folder / order.output.name
        labels = gathered.rows.positive[selection.train]
        write_training_file(file, gathered.lines.rows(selection.train), labels)
        model = train(file, order.training, loud=loud)
        save(model, made)
        test = _tested(model, tested, taken(gathered.rows, selection.train)) if tested is not None else None
        trained = _measured(order, gathered, selection, _Outcome(model, digest_of(made), test))
        sidecar_path(made).write_text(sidecar_json(trained.sidecar), encoding="utf-8")
        for path in (sidecar_path(made), made):
            _publish(path, order.output.parent)
        return trained


def _sources(positive: tuple[str, ...], negative: tuple[str, ...]) -> list[tuple[str, TextSource]]:
    pairs = ((POSITIVE, positive), (NEGATIVE, negative))
    return [(label, parse_source(written)) for label, given in pairs for written in given]


def _gathering(order: Order, folder: Path) -> Gathering:
    folder.mkdir()
    return Gathering(order.reading, order.training.form, order.training.seed, folder)


def _tested(model: Any, gathered: Gathered, trained: Rows) -> Tested:
    """Return what a model does on a test. Raises UsageError if nothing is left of a class."""
    rows = gathered.rows
    fit, _ = unlike(rows)
    known = fit & is_known(rows, trained)
    chosen = np.flatnonzero(fit & ~known)
    positive = rows.positive[chosen]
    for label, name in ((True, POSITIVE), (False, NEGATIVE)):
        if not np.any(positive == label):
            raise UsageError(
                f"no {name} document of the test is left: {np.count_nonzero(known):,} were trained on, and "
                f"{np.count_nonzero(~fit):,} are copies, have no word or are in both classes; name more --test-{name}"
            )
    scores = _scores(model, gathered, chosen)
    folds = (rows.hosts[chosen] % np.uint64(_FOLDS)).astype(np.int64)
    evaluation = evaluated(scores, cross_calibrated(scores, positive, folds), positive)
    return Tested(gathered.sources, int(np.count_nonzero(known)), int(np.count_nonzero(~fit)), evaluation)


def _publish(path: Path, folder: Path) -> None:
    """Move a whole file to its folder; it has its name there only when it is whole."""
    temporary = folder / f".{path.name}.{os.getpid()}.tmp"
    try:
        shutil.move(path, temporary)
        temporary.replace(folder / path.name)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _scratch(order: Order) -> Iterator[Path]:
    """Yield a folder that is gone at the end. Raises MissingError if there is no place for it."""
    if order.scratch is not None and not order.scratch.is_dir():
        raise MissingError(f"--scratch {order.scratch}: there is no such folder")
    folder = Path(tempfile.mkdtemp(prefix=".training-", dir=order.scratch or order.output.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _scores(model: Any, gathered: Gathered, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the model's scores of some documents, a batch at a time."""
    found = []
    for start in range(0, len(rows), _AT_ONCE):
        lines = [line + b"\n" for line in gathered.lines.rows(rows[start : start + _AT_ONCE])]
        found.append(positive_scores(model, lines))
    return np.concatenate(found)


@dataclass(frozen=True)
class _Outcome:
    """A model, the sha256 of its file, and what it did on a test."""

    model: Any
    digest: str
    test: Tested | None


def _measured(order: Order, gathered: Gathered, selection: Selection, outcome: _Outcome) -> TrainedQuality:
    held_out = selection.held_out
    scores = _scores(outcome.model, gathered, held_out)
    positive = gathered.rows.positive[held_out]
    folds = (gathered.rows.hosts[held_out] % np.uint64(_FOLDS)).astype(np.int64)
    evaluation = evaluated(scores, cross_calibrated(scores, positive, folds), positive)
    mistakes = _mistakes(gathered, held_out, positive, scores)
    sidecar = Sidecar(
        digest=outcome.digest,
        form=order.training.form,
        form_version=normal.VERSION,
        positive=POSITIVE,
        negative=NEGATIVE,
        seed=order.training.seed,
        calibration=calibrated(scores, positive),
        settings={**asdict(order.training), **asdict(order.choosing), **asdict(order.reading)},
        sources=tuple(asdict(source) for source in gathered.sources),
        versions=versions(),
        report={
            "documents": {name: asdict(counts) for name, counts in selection.counts.items()},
            "held_out": asdict(evaluation),
            "mistakes": [asdict(mistake) for mistake in mistakes],
            "test": asdict(outcome.test) if outcome.test is not None else None,
        },
    )
    return TrainedQuality(sidecar, outcome.test, selection.counts, evaluation, mistakes)


def _mistakes(
    gathered: Gathered,
    rows: npt.NDArray[np.int64],
    positive: npt.NDArray[np.bool_],
    scores: npt.NDArray[np.float64],
) -> tuple[Mistake, ...]:
    """Return the positives with the lowest scores, and the negatives with the highest, each from the worst on."""
    found = []
    for label in (True, False):
        own = np.flatnonzero(positive == label)
        worst = own[np.argsort(scores[own] if label else -scores[own], kind="stable")][:_MISTAKES]
        texts = [_text(line) for line in gathered.lines.rows(rows[worst])]
        names = [name.decode("utf-8", "replace") for name in gathered.names.rows(rows[worst])]
        wrong = (scores[worst] < 0.5) == label
        found += [
            Mistake(name, label, float(score), text)
            for name, score, text, is_wrong in zip(names, scores[worst], texts, wrong, strict=True)
            if is_wrong
        ]
    return tuple(found)


def _text(line: bytes) -> str:
    return line[: 4 * _EXCERPT].decode("utf-8", "replace")[:_EXCERPT]
