"""What is known of a text's languages beside the first: other labels, codes, ``und``, lines in other languages."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest
from corpora import Document, carry_out, make_run
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from reference_language import mixed_ratios
from tiny_models import KINDS, LINES, train

from gristmill.classifiers.language import LanguageIdentifier, versions
from gristmill.classifiers.language.layers import language_layer
from gristmill.classifiers.models import find_model
from gristmill.classifiers.settings import LanguageLinesSettings, LanguageSettings
from gristmill.errors import MissingError, RecipeError
from gristmill.pipeline.screens import Foreseen, screen_of
from gristmill.pipeline.warm import parts_of

ENGLISH, GERMAN, RUSSIAN = LINES.values()
MIXED = f"{ENGLISH}\nshort\n{GERMAN}\n\n{ENGLISH}"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return find_model(str(train(tmp_path_factory.mktemp("glotlid"), KINDS["softmax"])))


@pytest.fixture(scope="module")
def lid176():
    try:
        return find_model("lid176")
    except MissingError as error:
        pytest.skip(str(error))


def identify(model, rows, **given_settings):
    identifier = LanguageIdentifier(model, LanguageSettings(**given_settings))
    identifier.check()
    found = identifier.identify(pa.array(rows, pa.string()))
    found.validate(full=True)
    assert found.schema == identifier.layout
    return found.to_pylist()


def test_labels_with_scripts_are_kept_or_mapped(model):
    def of(scheme):
        return [row["language"] for row in identify(model, [ENGLISH, RUSSIAN, None, ""], labels=scheme)]

    assert of("model") == of("iso639-3_script") == ["eng_Latn", "rus_Cyrl", None, "und"]
    assert of("iso639-3") == ["eng", "rus", None, "und"]
    assert of("iso639-1") == ["en", "ru", None, "und"]


def test_several_labels_are_columns_of_which_the_first_is_as_without_them(model):
    rows = [ENGLISH, MIXED, None, " ", "1234"]
    one, four = identify(model, rows), identify(model, rows, top=4)
    assert [{name: row[name] for name in one[0]} for row in four] == one
    assert {row["language"] for row in four[:1]} | {four[0][f"language_{k}"] for k in (2, 3)} == set(LINES)
    scores = [four[1][name] for name in ("language_score", "language_2_score", "language_3_score")]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1.0, abs=1e-3)
    assert all(row["language_4"] is row["language_4_score"] is None for row in four)
    assert four[3]["language"] == "und"
    assert four[3]["language_2"] is None


def test_below_the_bound_it_is_und_with_its_score(model):
    (plain,), rows = identify(model, [MIXED]), [MIXED, None, ""]
    score = plain["language_score"]
    at, above = (
        identify(model, rows, least_score=score),
        identify(model, rows, least_score=min(1.0, score + 1e-9), top=2),
    )
    assert at[0] == plain
    assert (above[0]["language"], above[0]["language_score"]) == ("und", score)
    assert above[0]["language_2"] in LINES
    assert [row["language"] for row in above[1:]] == [None, "und"]


def test_lines_in_other_languages_are_measured_by_their_bytes(model):
    rows = [MIXED, ENGLISH, "", None, "short\nlines\n", f"{GERMAN}\r\n{GERMAN}"]
    found = identify(model, rows, lines={"least_letters": 20, "least_score": 0.4})
    bytes_of = [len(line.encode()) for line in MIXED.split("\n")]
    english, german = 2 * bytes_of[0], bytes_of[2]
    assert found[0]["mixed_language_ratio"] == german / (english + german)
    assert found[0]["judged_line_ratio"] == (english + german) / len(MIXED.encode())
    assert [row["mixed_language_ratio"] for row in found[1:]] == [0.0, 0.0, None, 0.0, 0.0]
    assert [row["judged_line_ratio"] for row in found[1:5]] == [1.0, 0.0, None, 0.0]


def test_lines_in_one_language_by_two_labels_are_in_the_same(tmp_path):
    labels = ("cmn_Hans", "cmn_Hant", "rus_Cyrl")
    kind = KINDS["hs"].__class__("hs", labels=labels)
    model = find_model(str(train(tmp_path, kind)))
    rows, lines = [f"{ENGLISH}\n{GERMAN}"], {"least_letters": 5, "least_score": 0.0}
    assert identify(model, rows, lines=lines)[0]["mixed_language_ratio"] > 0
    assert identify(model, rows, lines=lines, labels="iso639-3")[0]["mixed_language_ratio"] == 0.0
    assert LanguageIdentifier(model, LanguageSettings(labels="iso639-3")).labels == ("cmn", "rus")


PARTS = st.sampled_from([ENGLISH, GERMAN, RUSSIAN, "", " ", "menu", "1 2 3", "ÄÖÜ" * 9, "\0", "\u2028", ENGLISH[:40]])
TEXTS = st.lists(st.none() | st.lists(PARTS | st.text(max_size=30), max_size=6).map("\n".join), max_size=5)


@settings(max_examples=60)
@given(
    rows=TEXTS, least=st.integers(1, 50), score=st.sampled_from([0.0, 0.5, 0.9]), first=st.none() | st.integers(1, 150)
)
def test_lines_against_the_twin(model, rows, least, score, first):
    lines = LanguageLinesSettings(least_letters=least, least_score=score)
    found = identify(model, rows, lines=lines, first_characters=first)

    def of_line(line):
        (row,) = identify(model, [line])
        return (None, 0.0) if row["language"] == "und" else (row["language"], row["language_score"])

    for row, text in zip(found, rows, strict=True):
        ratios = row["mixed_language_ratio"], row["judged_line_ratio"]
        if text is None:
            assert ratios == (None, None)
        else:
            assert ratios == mixed_ratios(text[:first], row["language"], of_line, least, score)


@settings(max_examples=30)
@given(rows=TEXTS, cut=st.integers(0, 5), shuffler=st.randoms(use_true_random=False))
def test_batches_and_the_order_of_rows_are_of_no_account(model, rows, cut, shuffler):
    given_settings = {"top": 3, "lines": True, "least_score": 0.6}
    expected = identify(model, rows, **given_settings)
    assert identify(model, rows[:cut], **given_settings) + identify(model, rows[cut:], **given_settings) == expected
    order = list(range(len(rows)))
    shuffler.shuffle(order)
    assert identify(model, [rows[i] for i in order], **given_settings) == [expected[i] for i in order]


def test_languages_to_keep_are_named_as_the_column_has_them(lid176):
    def check(**given_settings):
        LanguageIdentifier(lid176, LanguageSettings(**given_settings)).check()

    check(labels="iso639-3", keep={"eng": 0.5, "und": 0.0, "gsw": 0.1})
    check(labels="iso639-3_script", keep={"eng_Latn": 0.5})
    with pytest.raises(RecipeError, match=r"no language 'en' among its iso639-3 labels; did you mean 'eng'\?"):
        check(labels="iso639-3", keep={"en": 0.5})
    with pytest.raises(RecipeError, match=r"no language 'als' among its iso639-1 labels; did you mean 'gsw'\?"):
        check(labels="iso639-1", keep={"als": 0.5})


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [
        ({"labels": "iso"}, "iso639-3_script"),
        ({"top": 0}, "greater than or equal to 1"),
        ({"top": 11}, "less than or equal to 10"),
        ({"least_score": -0.1}, "greater than or equal to 0"),
        ({"lines": {"least_letter": 3}}, "Extra inputs"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given_settings, message):
    with pytest.raises(ValidationError, match=message):
        LanguageSettings.model_validate(given_settings)
    assert LanguageSettings.model_validate({"lines": False}).lines is None


STAGES = """
  - language: {model: MODEL, labels: iso639-1, top: 2, least_score: 0.5, lines: {least_letters: 20}, keep: {en: 0.5}}
  - filter:
      house: {mixed_language_ratio: {max: 0.3}, language_2: {in: [de]}}
"""
DOCUMENTS = [
    Document("a", f"{ENGLISH}\n{ENGLISH}\n{ENGLISH}\n{GERMAN}"),
    Document("b", f"{ENGLISH}\n{ENGLISH}\n{GERMAN}"),
    Document("c", GERMAN),
    Document("d", None),
    Document("e", ""),
]


def rows_of(run):
    step = run.plan.step("language")
    ids = [i for shard in run.plan.shards for i in run.read(run.plan.text_step, shard, ["id"])["id"].to_pylist()]
    return dict(zip(ids, [row for s in run.plan.shards for row in run.read(step, s).to_pylist()], strict=True))


def test_rules_read_the_columns_and_shards_are_of_no_account(model, tmp_path):
    stages = STAGES.replace("MODEL", str(model.path))
    run = carry_out(make_run(tmp_path, {"one": DOCUMENTS}, stages))
    found = rows_of(run)
    layer = language_layer(2, lines=True)
    assert run.plan.step("language").columns == tuple(layer.names)
    assert found["c"]["language"] == "de"
    assert found["d"] == dict.fromkeys(layer.names)
    kept = {
        identity: run.read(run.plan.step("filter"), shard).to_pylist()[row]["reason"]
        for shard in run.plan.shards
        for row, identity in enumerate(found)
    }
    assert kept["a"] is None
    assert kept["b"] == "house.mixed_language_ratio.max"
    parts = {"x": DOCUMENTS[3:], "y": DOCUMENTS[:1], "z": DOCUMENTS[1:3]}
    assert rows_of(carry_out(make_run(tmp_path, parts, stages, name="parts"), reverse=True)) == found


def test_without_the_new_keys_the_step_is_the_one_that_it_was(lid176, tmp_path):
    run = make_run(tmp_path, {"one": DOCUMENTS[:1]}, "  - language: {model: lid176, top: 1, labels: model}\n")
    step = run.plan.step("language")
    assert dict(step.settings) == {"model": "lid176", "first_characters": None}
    assert step.columns == ("language", "language_score")
    assert parts_of([step]) == ["language"]
    assert set(step.versions) == {*versions(), "model"} == {"language", "fasttext-numpy2", "model"}
    named = make_run(tmp_path, {"one": DOCUMENTS[:1]}, "  - language: {labels: iso639-3}\n", name="named")
    assert set(named.plan.step("language").versions) > {"python-iso639", "babel"}


def test_a_cascade_foresees_the_labels_and_the_bound_of_und(model):
    foreseen = Foreseen(str(model.path), None, ("eng",), "unicode", {}, "iso639-3", 0.9)
    screen = screen_of(model, foreseen.settings())
    assert foreseen.settings()["sure_score"] == 0.9
    assert screen(pa.array([ENGLISH, GERMAN, MIXED], pa.large_string())) == [True, False, True]
    assert set(foreseen.versions()) > {"python-iso639"}
    assert "labels" not in Foreseen(str(model.path), None, ("en",), "unicode", {}).settings()


@pytest.mark.data
def test_accuracy_on_a_share_of_the_labelled_sentences(lid176, data):
    from language import judge, large_languages  # the benchmark's

    judged, _ = judge(data, chosen=lambda text: hashlib.blake2b(text.encode()).digest()[0] < 64)
    large = set(large_languages(data, set(judged.expected)))
    assert {"eng", "spa", "deu", "zho"} <= large
    assert len(large) == 30
    long = (judged.characters >= 50) & [language in large for language in judged.expected]
    assert long.sum() > 400
    assert judged.right[long].mean() >= 0.97
    assert judged.right[judged.characters >= 50].mean() >= 0.82
    assert judged.same[judged.characters >= 50].mean() >= 0.86
