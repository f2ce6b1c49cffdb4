"""fastText models asked by kernels: what fastText itself says is the twin, on models of every kind."""

from __future__ import annotations

import struct

import fasttext
import numpy as np
import pyarrow as pa
import pytest
import quality_models
from hypothesis import given, settings
from hypothesis import strategies as st
from real_texts import real_texts
from strategies import texts
from tiny_models import KINDS, LINES, train

from gristmill.classifiers.fasttext_inference import _kernels
from gristmill.classifiers.fasttext_inference import model as model_module
from gristmill.classifiers.fasttext_inference import predictor as predictor_module
from gristmill.classifiers.fasttext_inference.outputs import _kernels as outputs
from gristmill.classifiers.fasttext_inference.predictor import (
    FastTextPredictor,
    KernelPredictor,
    load_predictor,
    warm_predictor,
)
from gristmill.classifiers.models import find_model
from gristmill.columns import text_column
from gristmill.errors import CorruptError, MissingError

HOSTILE = [
    "",
    " \t\r\n\v\f\0 ",
    "</s>",
    "the mill </s> die Mühle am Fluss",
    "the</s> mill",
    "__label__deu_Latn the mill",
    "__label__ __label__nothing",
    "__label_ _label__x",
    "the\0mill\nby\rthe\vriver",
    "\u3000the\u00a0mill\u2028by",
    "x" * 50_000,
    "мельница" * 3_000,
    "\U0010ffff\U0001f642 a 🙂",
    " ".join(f"w{i}" for i in range(9_000)),
    "<the> <> < > the>",
]
PIECES = st.sampled_from(
    [word for line in LINES.values() for word in line.split()] + ["</s>", "__label__x", "w3", "only7"]
)
ROWS = st.lists(texts() | st.lists(PIECES, max_size=12).map(" ".join), max_size=6)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return both ways to ask a model of a kind, which is trained when it is first asked for."""
    made = {}

    def of(kind):
        if kind not in made:
            path = train(tmp_path_factory.mktemp("models"), KINDS[kind])
            made[kind] = load_predictor(path), FastTextPredictor(path)
        return made[kind]

    return of


def ask(predictor, rows, k=1):
    data, offsets = text_column(pa.array(rows, pa.large_string()))
    return predictor.predict(data, offsets[:-1], offsets[1:], k)


def assert_same(found, expected):
    """Labels are the same, but where several are equally probable; scores are, to a millionth."""
    np.testing.assert_allclose(found.scores, expected.scores, rtol=0, atol=1e-6)
    assert ((found.labels < 0) == (expected.labels < 0)).all()
    if found.labels.shape[1] == 1:
        assert (found.labels == expected.labels).all()
    steps = np.abs(np.diff(expected.scores, axis=1)) > 2e-6
    edge = np.ones((len(steps), 1), bool)
    alone = np.hstack([edge, steps]) & np.hstack([steps, ~edge])
    assert (found.labels == expected.labels)[alone].all()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_says_what_fasttext_says(models, kind):
    kernels, itself = models(kind)
    assert isinstance(kernels, KernelPredictor)
    assert kernels.labels == itself.labels
    rows = [*HOSTILE, *LINES.values()]
    for k in (1, 2, 5):
        assert_same(ask(kernels, rows, k), ask(itself, rows, k))
    found = [kernels.labels[label] for label in ask(kernels, list(LINES.values())).labels[:, 0]]
    assert found == list(LINES)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(rows=ROWS, k=st.integers(1, 4))
def test_hostile_texts(models, kind, rows, k):
    kernels, itself = models(kind)
    assert_same(ask(kernels, rows, k), ask(itself, rows, k))


@given(rows=ROWS, size=st.integers(1, 200), most=st.integers(1, 3))
@settings(max_examples=40)
def test_how_many_texts_are_read_together_is_of_no_account(models, rows, size, most):
    kernels, _ = models("ns")
    whole = ask(kernels, rows, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predictor_module, "_BYTES_AT_ONCE", size)
        patch.setattr(predictor_module, "_TEXTS_AT_ONCE", most)
        parts = ask(kernels, rows, 2)
    assert all((a == b).all() for a, b in zip(whole, parts, strict=True))


def test_texts_may_overlap_and_lie_anywhere(models):
    kernels, _ = models("hs")
    line = "the mill by the river"
    data = np.frombuffer(f"xx{line}yy".encode(), np.uint8)
    starts, stops = np.array([2, 2, 6]), np.array([2 + len(line), 2 + len(line), 10])
    found = kernels.predict(data, starts, stops)
    assert (found.scores == ask(kernels, [line, line, "mill"]).scores).all()


def test_more_labels_than_the_model_has(models):
    kernels, itself = models("softmax")
    found = ask(kernels, ["the mill"], 7)
    assert found.labels.shape == (1, 7)
    assert (found.labels[0, 3:] == -1).all()
    assert (found.scores[0, 3:] == 0).all()
    assert_same(found, ask(itself, ["the mill"], 7))


def test_a_model_that_is_too_large_to_be_put_together_is_asked_by_fasttext(tmp_path, monkeypatch):
    path = train(tmp_path, KINDS["pruned"])
    rows = [*HOSTILE, *LINES.values()]
    expected = ask(load_predictor(path), rows, 2)
    monkeypatch.setattr(model_module, "_MOST_DECODED", 100)
    other = load_predictor(path)
    assert isinstance(other, FastTextPredictor)
    assert_same(ask(other, rows, 2), expected)


@pytest.mark.parametrize("kind", ["hs", "softmax"])
def test_a_model_of_values_that_are_no_numbers_is_refused(models, kind):
    whole = models(kind)[0]
    rows = np.full_like(whole.model.rows, np.nan)
    rows.flags.writeable = False
    with pytest.raises(CorruptError, match="not numbers"):
        ask(KernelPredictor(whole.model._replace(rows=rows), whole.labels), ["the mill"])


@pytest.mark.parametrize("kind", ["hs", "wholly quantized"])
def test_a_model_that_was_cut_short_is_refused(tmp_path, kind):
    path = train(tmp_path, KINDS[kind])
    whole = path.read_bytes()
    for size in (10, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(CorruptError, match="cut short"):
            load_predictor(path)


@pytest.mark.parametrize("kind", ["hs", "pruned"])
@pytest.mark.parametrize(
    ("at", "layout", "value"),
    [(8, "i", 17), (40, "i", 5), (64, "i", 70), (68, "i", 50), (72, "i", 4), (84, "q", 3000)],
    ids=["columns", "buckets", "entries", "words", "labels", "pruned"],
)
def test_parts_that_do_not_fit_each_other_are_refused(models, tmp_path, kind, at, layout, value):
    """Kernels look up rows by what the header says, wherever that leads."""
    path = train(tmp_path, KINDS[kind])
    whole = bytearray(path.read_bytes())
    struct.pack_into(f"<{layout}", whole, at, value)
    path.write_bytes(whole)
    with pytest.raises(CorruptError, match="damaged|cut short|bytes left over"):
        load_predictor(path)


def test_a_pruned_bucket_that_leads_nowhere_is_refused(tmp_path):
    path = train(tmp_path, KINDS["pruned"])
    model, _ = model_module.read_model(path)
    whole = bytearray(path.read_bytes())
    at = int(model.starts[-1] + model.lengths[-1]) + 10
    for place, value in ((at, 3000), (at, -1), (at + 4, 1 << 20), (at + 4, -7)):
        damaged = whole.copy()
        struct.pack_into("<i", damaged, place, value)
        path.write_bytes(damaged)
        with pytest.raises(CorruptError, match="damaged: of its buckets"):
            load_predictor(path)


@pytest.mark.data
def test_real_texts_of_two_hundred_languages(data):
    try:
        path = find_model("lid176").path
    except MissingError as error:
        pytest.skip(str(error))
    rows = real_texts(data)[::10]
    assert_same(ask(load_predictor(path), rows, 3), ask(FastTextPredictor(path), rows, 3))


def test_what_is_compiled_beforehand_is_what_models_need(models):
    warm_predictor()
    for kind in ("hs", "pruned", "ns"):
        ask(models(kind)[0], [*LINES.values()], 2)
    compiled = [
        (name, kernel.signatures)
        for module in (_kernels, outputs)
        for name, kernel in vars(module).items()
        if hasattr(kernel, "signatures")
    ]
    assert {"find_words", "rows_of_words", "add_rows", "add_word_ngrams", "best_labels"} <= {
        name for name, _ in compiled
    }
    assert all(len(signatures) <= 1 for _, signatures in compiled)


def test_the_softmax_is_that_of_fasttext_to_the_last_bit(tmp_path):
    """A power of e is rounded otherwise in 32 bits for about one text of two thousand."""
    path = quality_models.train(tmp_path / "two.bin")
    words = sorted(set(" ".join([*quality_models.GOOD, *quality_models.BAD]).split()))
    chosen = np.random.default_rng(0).choice(words, (40_000, 5))
    lines = [" ".join(row) for row in chosen.tolist()]
    data, offsets = text_column(pa.array(lines, pa.large_string()))
    found = load_predictor(path).predict(data, offsets[:-1], offsets[1:], 2)
    model = fasttext.load_model(str(path))
    _, scores = model.f.multilinePredict([f"{line}\n" for line in lines], 2, 0.0, "strict")
    assert np.array_equal(found.scores, np.array(scores))
