"""Scores: what fastText says, whatever the batch; what is asked of a model, and every way in which it cannot be."""

from __future__ import annotations

import json
import pickle

import fasttext
import numpy as np
import pyarrow as pa
import pytest
import quality_models as models
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from real_texts import fewer_texts, real_texts

from gristmill.classifiers.models import find_model
from gristmill.classifiers.quality.labels import labels_in
from gristmill.classifiers.quality.presets import PRESETS
from gristmill.classifiers.quality.resolve import classifier_of, classifiers_of
from gristmill.classifiers.quality.settings import ClassifierSettings, QualitySettings
from gristmill.classifiers.quality.sidecar import sidecar_path
from gristmill.classifiers.quality.zeroed import zeroed_memory
from gristmill.errors import CorruptError, GristmillError, MissingError, StaleError, UsageError

FIVE = {"a": models.GOOD, "b": models.BAD, "c": ["one two three"], "d": ["vier fünf"], "e": ["μία δύο"]}
hostile = settings(deadline=None, max_examples=80)
TEXT = (
    st.sampled_from([*models.GOOD, *models.BAD]) | st.text(max_size=60) | st.text("ab \n\r\t\0\x85\u2028", max_size=9)
)
TEXTS = st.lists(st.none() | TEXT, max_size=8)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return models.train(tmp_path_factory.mktemp("two") / "two.bin")


@pytest.fixture(scope="module")
def five(tmp_path_factory):
    return models.train(tmp_path_factory.mktemp("five") / "five.bin", FIVE, loss="ova")


def asked(path, **written):
    return classifier_of("good", ClassifierSettings(model=str(path), **written))


def scores(classifier, texts):
    return classifier.score(pa.array(texts, pa.large_string()))[0].to_pylist()


def is_visible(text):
    return any(c.isprintable() and not c.isspace() for c in text)


def predicted(model, line, label):
    """The twin: fastText asked for one line and every label."""
    labels, probabilities = model.predict(line, k=-1)
    return min(float(dict(zip(labels, probabilities, strict=True)).get(label, 0.0)), 1.0)


@hostile
@given(texts=st.lists(TEXT.filter(is_visible), max_size=8))
def test_one_by_one_fasttext_says_the_same(two, five, texts):
    for path, label in ((two, "hq"), (five, "d")):
        model = fasttext.load_model(str(path))
        expected = [predicted(model, text.replace("\n", " "), f"__label__{label}") for text in texts]
        assert scores(asked(path, label=label), texts) == expected


@hostile
@given(texts=st.lists(TEXT.filter(is_visible), max_size=8))
def test_with_a_published_normalization_it_is_what_the_published_code_says(two, texts):
    """DCLM's and RedPajama's own way, written out: the likeliest label, and 1 minus its probability if it is `cc`."""
    model = fasttext.load_model(str(two))
    classifier = classifier_of("dclm", ClassifierSettings(model=str(two)), PRESETS["dclm"])
    assert (classifier.form, classifier.labels, classifier.complement) == ("lines", (("__label__hq", 1.0),), True)
    for text, found in zip(texts, scores(classifier, texts), strict=True):
        labels, probabilities = model.predict(" ".join(text.strip().splitlines()))
        own = probabilities[0] if labels[0] == "__label__hq" else 1 - np.float64(probabilities[0])
        assert found == min(max(float(own), 0.0), 1.0)


@hostile
@given(texts=TEXTS, cut=st.integers(0, 8), shuffler=st.randoms(use_true_random=False))
def test_batching_is_ignored_and_rows_are_followed(two, texts, cut, shuffler):
    classifier = asked(two, buckets=(0.25, 0.5))
    whole = pa.array(texts, pa.large_string())
    expected = classifier.score(whole).to_pylist()
    assert classifier.score(pa.chunked_array([whole[:cut], whole[cut:]])).to_pylist() == expected
    assert classifier.score(pa.array(texts, pa.string())[cut:]).to_pylist() == expected[cut:]
    order = list(range(len(texts)))
    shuffler.shuffle(order)
    assert classifier.score(whole.take(pa.array(order, pa.int64()))).to_pylist() == [expected[i] for i in order]


def test_more_rows_than_are_asked_at_once(two):
    texts = [*models.GOOD, *models.BAD] * 300
    found = scores(asked(two), texts)
    assert found == scores(asked(two), texts[:6]) * 300
    assert all(good > 0.5 > bad for good, bad in zip(found[:3], found[3:6], strict=True))


def test_without_text_there_is_no_score_and_without_a_visible_character_it_is_zero(two):
    texts = [None, "", " \t\r\n\u3000", "\0\0", "\u200b\ufeff\u200e", "\x1b\x7f"]
    for form in ("plain", "lines", "lowercase", "words"):
        batch = asked(two, normalize=form, buckets=(0.5,)).score(pa.array(texts))
        batch.validate(full=True)
        assert (
            batch.to_pylist()
            == [{"good_score": None, "good_bucket": None}] + [{"good_score": 0.0, "good_bucket": 0}] * 5
        )


@pytest.mark.parametrize(
    "empty", [pa.array([], pa.string()), pa.chunked_array([], pa.large_string()), pa.array([None])]
)
def test_no_text_at_all(two, empty):
    found = asked(two).score(empty.cast(pa.string()))
    assert found.schema == asked(two).layout
    assert found.to_pylist() == [{"good_score": None}] * len(empty)


def test_hostile_texts(two):
    good = models.GOOD[0]
    texts = ["__label__cc " * 3 + good, "</s> click here", "x" * 2_000_000, good * 3_000, "\U0010ffff\ue000" + good]
    for form in ("plain", "lines"):
        found = scores(asked(two, normalize=form), texts)
        assert all(0.0 <= score <= 1.0 for score in found)
    assert scores(asked(two, normalize="lines"), ["</s> click here"]) == scores(
        asked(two, normalize="lines"), ["< /s> click here"]
    )


def test_only_so_many_characters_are_read(two):
    text = models.GOOD[0] + " " + models.BAD[0] * 9
    first = len(models.GOOD[0])
    assert scores(asked(two, first_characters=first), [text]) == scores(asked(two), [models.GOOD[0]])


def test_buckets_count_the_bounds_that_are_reached(two):
    classifier = asked(two, buckets=(0.1, 0.5, 0.9))
    found = classifier.score(pa.array([*models.GOOD, *models.BAD, "of"]))
    expected = [sum(score >= bound for bound in (0.1, 0.5, 0.9)) for score in found[0].to_pylist()]
    assert found[1].to_pylist() == expected
    assert len(set(expected)) > 1


def test_a_table_beside_the_model_makes_scores_probabilities(tmp_path):
    path = models.describe(models.train(tmp_path / "quality.bin"))
    classifier = asked(path)
    assert (classifier.form, classifier.labels) == ("lines", (("__label__hq", 1.0),))
    batch = classifier.score(pa.array([*models.GOOD, *models.BAD, ""]))
    assert batch.schema.names == ["good_score", "good_probability"]
    for score, probability in zip(*(column.to_pylist() for column in batch.columns), strict=True):
        low, high = ((0.0, 0.1), (0.5, 0.3)) if score < 0.5 else ((0.5, 0.3), (1.0, 0.9))
        share = (score - low[0]) / (high[0] - low[0])
        assert probability == pytest.approx(low[1] + share * (high[1] - low[1]))
    assert asked(path, label="cc").calibration is None, "the table is that of the other label"


def test_a_classifier_goes_to_another_process(two):
    classifier = pickle.loads(pickle.dumps(asked(two)))
    assert scores(classifier, models.GOOD) == scores(asked(two), models.GOOD)


def test_labels_are_read_from_the_file(two, five):
    for path in (two, five):
        assert list(labels_in(path)) == fasttext.load_model(str(path)).get_labels()


# --- mistakes -------------------------------------------------------------------------------------------------------


def test_a_label_that_the_model_does_not_have_is_answered_with_the_nearest(two, five):
    with pytest.raises(UsageError, match="has no label 'hqs'; did you mean 'hq'"):
        asked(two, label="hqs")
    with pytest.raises(UsageError, match="has no label 'quality'; it has a, b, c, d, e"):
        asked(five, label="quality")


def test_a_model_that_does_not_tell_its_good_label_must_be_told(five):
    with pytest.raises(UsageError, match="has the labels a, b, c, d, e.* write label: a, or another"):
        asked(five)
    assert asked(five, label="__label__c").labels == asked(five, label="c").labels == (("__label__c", 1.0),)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda path: path.write_bytes(b""), CorruptError, "is empty"),
        (lambda path: path.write_bytes(b"no model at all, but long enough" * 9), CorruptError, "not a fastText model"),
        (lambda path: path.write_bytes(models.train(path).read_bytes()[:-9]), CorruptError, "is cut short"),
        (lambda path: path.write_bytes(models.train(path).read_bytes()[:300]), CorruptError, "is cut short"),
        (lambda path: path.write_bytes(models.train(path).read_bytes() + b"x"), CorruptError, "bytes left over"),
        (lambda path: None, MissingError, "neither a file nor a name in the registry"),
    ],
)
def test_a_file_that_is_no_whole_model(tmp_path, make, error, message):
    make(tmp_path / "m.bin")
    with pytest.raises(error, match=message):
        asked(tmp_path / "m.bin")


def test_word_vectors_are_no_classifier(tmp_path):
    (tmp_path / "t.txt").write_text("one two three\n" * 50)
    how = {"dim": 2, "bucket": 10, "epoch": 1, "minCount": 1, "thread": 1, "verbose": 0}
    with zeroed_memory():
        fasttext.train_unsupervised(str(tmp_path / "t.txt"), **how).save_model(str(tmp_path / "m.bin"))
    with pytest.raises(UsageError, match="word vectors, not labels"):
        asked(tmp_path / "m.bin")


def test_what_stands_beside_a_model_must_be_its_own(tmp_path):
    path = models.describe(models.train(tmp_path / "quality.bin"), form="words")
    with pytest.raises(UsageError, match="normalize: lines contradicts .*quality.bin.json.* as 'words'"):
        asked(path, normalize="lines")
    models.train(path, epoch=4)
    with pytest.raises(StaleError, match="was written for another model"):
        asked(path)
    sidecar_path(path).write_text("{}")
    with pytest.raises(CorruptError, match="does not describe a model"):
        asked(path)


def test_a_model_that_changes_meanwhile_is_refused(tmp_path):
    path = models.train(tmp_path / "m.bin")
    classifier = asked(path)
    models.train(path, epoch=4)
    with pytest.raises(StaleError, match="not the file it was when the plan was made"):
        classifier.score(pa.array(["a"]))
    path.unlink()
    with pytest.raises(MissingError, match="no longer there"):
        classifier.score(pa.array(["a"]))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"fasttext": {}}, "at least 1 item"),
        ({"fasttext": {"A-b": "m.bin"}}, "should match pattern"),
        ({"fasttext": {"keep": "m.bin"}}, "cannot be called 'keep'"),
        ({"fasttext": "m.bin", "kenlm": "en.arpa"}, r"write - perplexity: \{model: en.arpa\}"),
        ({"fasttext": {"a": {"model": "m", "label": {}}}}, "at least 1 item"),
        ({"fasttext": "m.bin", "use": ["dlcm"]}, "no preset 'dlcm' of a classifier; did you mean 'dclm'"),
        ({"fasttext": "m.bin", "use": ["dclm"]}, r"write fasttext: \{dclm: \{model: m.bin\}\}"),
        (
            {"fasttext": {"wikipedia_reference": "m"}, "use": ["wikipedia_reference", "wikipedia_reference@redpajama"]},
            "are both for the classifier",
        ),
        ({"fasttext": {"a": {"model": "m", "buckets": [0.5, 0.5]}}}, "does not ascend"),
        ({"fasttext": {"a": {"model": "m", "normalize": "lower"}}}, "Input should be"),
    ],
)
def test_settings_that_cannot_be_meant(written, message):
    with pytest.raises(ValidationError, match=message):
        QualitySettings.model_validate(written)


def test_presets_have_the_published_values(two):
    """Bounds as their systems publish them; see the sources."""
    assert {name: dict(preset.bounds) for name, preset in PRESETS.items()} == {
        "dclm": {"dclm_score": 0.018112},
        "fineweb_edu": {"fineweb_edu_bucket": 3},
        "wikipedia_reference": {"wikipedia_reference_score": 0.5},
        "wikipedia_reference@redpajama": {"wikipedia_reference_score": 0.25},
        "deepseek_math": {"deepseek_math_score": 0.5},
    }
    for preset in PRESETS.values():
        written = QualitySettings.model_validate({"fasttext": {preset.classifier: str(two)}, "use": [preset.name]})
        (found,) = classifiers_of(written)
        assert set(preset.bounds) <= set(found.classifier.layout.names), "it bounds what it does not give"
        assert found.classifier.form == preset.normalize


def test_fineweb_edus_buckets_are_its_rounded_scores(two):
    """`int(round(max(0, min(score, 5))))` of five times the probability, which it rounds to even on a bound."""
    bounds = PRESETS["fineweb_edu"].buckets
    for thousandth in range(0, 1001, 7):
        score = thousandth / 1000
        assert np.searchsorted(bounds, score, side="right") == round(max(0, min(5 * score, 5)))


def test_several_labels_are_added_up(five):
    model = fasttext.load_model(str(five))
    classifier = asked(five, label={"a": 1, "__label__c": 0.5, "d": -1})
    for text, found in zip(models.GOOD, scores(classifier, models.GOOD), strict=True):
        single = {label: predicted(model, text, f"__label__{label}") for label in "acd"}
        assert found == pytest.approx(max(-1.0, single["a"] + 0.5 * single["c"] - single["d"]))
    with pytest.raises(UsageError, match="has no label 'z'"):
        asked(five, label={"a": 1, "z": 2})


def test_a_model_of_grades_gives_the_expected_grade(tmp_path):
    graded = {str(grade): [f"grade{grade} " * 5] for grade in range(6)}
    path = models.train(tmp_path / "grades.bin", graded, epoch=30)
    classifier = classifier_of("fineweb_edu", ClassifierSettings(model=str(path)), PRESETS["fineweb_edu"])
    batch = classifier.score(pa.array([texts[0] for texts in graded.values()]))
    assert batch[1].to_pylist() == [0, 1, 2, 3, 4, 5]
    model = fasttext.load_model(str(path))
    expected = [sum(predicted(model, text[0], f"__label__{g}") * g / 5 for g in range(6)) for text in graded.values()]
    assert batch[0].to_pylist() == pytest.approx(expected, abs=1e-4)
    del graded["4"]
    five = models.train(tmp_path / "five.bin", graded)
    with pytest.raises(UsageError, match="has the labels 0, 1, 2, 3, 5, and nothing tells"):
        classifier_of("fineweb_edu", ClassifierSettings(model=str(five)), PRESETS["fineweb_edu"])


def test_every_way_in_which_a_file_is_cut_short_is_an_error(two, tmp_path):
    whole = two.read_bytes()
    path = tmp_path / "cut.bin"
    for size in range(0, len(whole), max(1, len(whole) // 40)):
        path.write_bytes(whole[:size])
        with pytest.raises(GristmillError):
            find_and_check(path)


def find_and_check(path):
    assert find_model(str(path)).path == path
    classifier_of("good", ClassifierSettings(model=str(path)))


def test_what_a_sidecar_says_is_json(tmp_path):
    path = models.describe(models.train(tmp_path / "m.bin"))
    assert json.loads(sidecar_path(path).read_text())["form"] == "lines"


@pytest.mark.data
def test_real_texts_are_scored_as_by_the_published_code(two, data):
    model = fasttext.load_model(str(two))
    texts = [text for text in fewer_texts(real_texts(data))[::4] if is_visible(text)]
    texts = [text for text in texts if "</s>" not in text and "__label__" not in text]
    assert len(texts) > 1_000
    classifier = classifier_of("dclm", ClassifierSettings(model=str(two)), PRESETS["dclm"])
    expected = []
    for text in texts:
        (label,), (probability,) = model.predict(" ".join(text.strip().splitlines()))
        expected.append(float(probability) if label == "__label__hq" else 1 - float(probability))
    assert scores(classifier, texts) == np.clip(expected, 0.0, 1.0).tolist()
