"""Tiny fastText models, trained in milliseconds, for tests of what is done with the scores of any."""

from __future__ import annotations

import fasttext

from gristmill.classifiers.models import digest_of
from gristmill.classifiers.quality import normal
from gristmill.classifiers.quality.sidecar import Calibration, Sidecar, sidecar_json, sidecar_path
from gristmill.classifiers.quality.zeroed import zeroed_memory

GOOD = [
    "the mill by the river has ground the grain of the village for three hundred years",
    "a proof of the theorem follows from the lemma by induction on the degree",
    "the archive holds letters that describe the harvest and the weather of the valley",
]
BAD = [
    "click here to buy cheap watches now best price free shipping",
    "login register forgot password cookies accept all terms privacy",
    "win win win casino bonus spin today no deposit click here",
]


def train(path, texts=None, **settings):
    """Write a model; ``texts``: by label, without its prefix. Return its path."""
    texts = texts or {"hq": GOOD, "cc": BAD}
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"__label__{label} {text}" for label, several in texts.items() for text in several]
    training = path.with_name("training.txt")
    training.write_text("\n".join(lines * 20) + "\n", encoding="utf-8")
    how = {"dim": 4, "epoch": 3, "lr": 0.5, "wordNgrams": 2, "bucket": 200, "minCount": 1, "thread": 1, "verbose": 0}
    with zeroed_memory():
        fasttext.train_supervised(str(training), **(how | settings)).save_model(str(path))
    training.unlink()
    return path


def describe(path, form="lines", positive="hq"):
    """Write the file beside a model that says how it is asked."""
    table = Calibration((0.0, 0.5, 1.0), (0.1, 0.3, 0.9))
    said = Sidecar(digest_of(path), form, normal.VERSION, positive, "__label__cc", 0, table)
    sidecar_path(path).write_text(sidecar_json(said), encoding="utf-8")
    return path


def train_on_rows(path, texts, good, bad):
    """Write a model that takes every second of some texts for good; those alike in its words it knows by heart."""
    lines = [" ".join(text.split()) for text in texts if text and text.strip()]
    return train(path, {good: lines[::2], bad: lines[1::2]}, epoch=5, dim=16, bucket=20_000)
