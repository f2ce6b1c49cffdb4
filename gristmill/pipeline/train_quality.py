"""A quality model from labelled sources to the files that describe it: gather, select, train, measure."""

from __future__ import annotations

from collections.abc import Callable
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
from gristmill.pipeline.training_files import publish, scratch_folder

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


def train_quality(order: Order, watcher: Watcher, card: Callable[[TrainedQuality], str]) -> TrainedQuality:
    """Train a model, save it with what stands beside it, and return what was measured on hosts that it never saw.

    ``card`` describes it, for people. The model's bytes depend on the documents, the settings and the versions alone.
    Raises UsageError, MissingError and CorruptError for what cannot be read, chosen or trained on; then nothing is
    written.
    """
    sources, tests = _sources(order.positive, order.negative), _sources(order.test_positive, order.test_negative)
    if order.scratch is not None and not order.scratch.is_dir():
        raise MissingError(f"--scratch {order.scratch}: there is no such folder")
    with scratch_folder(order.scratch or order.output.parent) as folder:
        gathered = gather(sources, _gathering(order, folder / "training"), watcher.read)
        selection = select(gathered.rows, order.choosing)
        found = gather(tests, _gathering(order, folder / "test"), watcher.read) if tests else None
        test = _test(found, taken(gathered.rows, selection.train)) if found is not None else None
        loud = watcher.train(len(selection.train))
        made = folder / "made" / order.output.name
        made.parent.mkdir()
        model = _model(order, gathered, selection, made, loud=loud)
        tested = _tested(model, test) if test is not None else None
        trained = _measured(order, gathered, selection, _Outcome(model, digest_of(made), tested))
        beside = sidecar_path(made), card_path(made)
        for path, text in zip(beside, (sidecar_json(trained.sidecar), card(trained)), strict=True):
            path.write_text(text, encoding="utf-8")
        publish([*beside, made], order.output.parent)
        return trained


def card_path(model: Path) -> Path:
    """Return where the card of a model lies: beside it."""
    return model.with_name(f"{model.name}.md")


def _model(order: Order, gathered: Gathered, selection: Selection, path: Path, *, loud: bool) -> Any:
    """Return a model that is trained on what was selected; its file is at a path."""
    file = path.with_name("train.txt")
    write_training_file(file, gathered.lines.rows(selection.train), gathered.rows.positive[selection.train])
    model = train(file, order.training, loud=loud)
    save(model, path)
    file.unlink()
    return model


def _sources(positive: tuple[str, ...], negative: tuple[str, ...]) -> list[tuple[str, TextSource]]:
    pairs = ((POSITIVE, positive), (NEGATIVE, negative))
    return [(label, parse_source(written)) for label, given in pairs for written in given]


def _gathering(order: Order, folder: Path) -> Gathering:
    folder.mkdir()
    return Gathering(order.reading, order.training.form, order.training.seed, folder)


@dataclass(frozen=True)
class _Test:
    """Documents of a test, which of them the model is measured on, and how many of them it knows or nobody can use."""

    gathered: Gathered
    chosen: npt.NDArray[np.int64]
    known: int
    unfit: int


def _test(gathered: Gathered, trained: Rows) -> _Test:
    """Return what a model is tested on. Raises UsageError if nothing is left of a class."""
    rows = gathered.rows
    fit, _ = unlike(rows)
    is_trained_on = fit & is_known(rows, trained)
    chosen = np.flatnonzero(fit & ~is_trained_on)
    known, unfit = int(np.count_nonzero(is_trained_on)), int(np.count_nonzero(~fit))
    for label, name in ((True, POSITIVE), (False, NEGATIVE)):
        if not np.any(rows.positive[chosen] == label):
            raise UsageError(
                f"no {name} document of the test is left: {known:,} are trained on, and {unfit:,} are copies, have no "
                f"word or are in both classes; name more --test-{name}"
            )
    return _Test(gathered, chosen, known, unfit)


def _tested(model: Any, test: _Test) -> Tested:
    """Return what a model does on a test."""
    rows = taken(test.gathered.rows, test.chosen)
    scores = _scores(model, test.gathered, test.chosen)
    evaluation = evaluated(scores, cross_calibrated(scores, rows.positive, _folds(rows)), rows.positive)
    return Tested(test.gathered.sources, test.known, test.unfit, evaluation)


def _folds(rows: Rows) -> npt.NDArray[np.int64]:
    return (rows.hosts % np.uint64(_FOLDS)).astype(np.int64)


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
    rows = taken(gathered.rows, held_out)
    positive = rows.positive
    evaluation = evaluated(scores, cross_calibrated(scores, positive, _folds(rows)), positive)
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
