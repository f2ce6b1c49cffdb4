"""Perplexity against its definition: probabilities of the twin's model, lines and ends counted one by one."""

from __future__ import annotations

import gzip
import json
import math
import pickle
import statistics

import numpy as np
import pyarrow as pa
import pytest
import reference_perplexity
import reference_perplexity_scores as reference
from hypothesis import example, given, settings
from hypothesis import strategies as st
from needed import need_kenlm
from pydantic import ValidationError
from strategies import chunked_columns

from gristmill.classifiers.models import FoundModel, find_model
from gristmill.classifiers.perplexity import scores
from gristmill.classifiers.perplexity.buckets import bucketed
from gristmill.classifiers.perplexity.form import Form, training_blocks
from gristmill.classifiers.perplexity.layers import PERPLEXITY_BUCKET_LAYER, PERPLEXITY_LAYER, PERPLEXITY_LINES_LAYER
from gristmill.classifiers.perplexity.scores import Scorer, ScorerByLanguage
from gristmill.classifiers.perplexity.settings import PerplexitySettings
from gristmill.classifiers.perplexity.train import train
from gristmill.errors import CorruptError, MissingError, StaleError

need_kenlm()

TEXT = b"the mill by the river grinds grain\nthe river is wide\ngrain is ground by the mill\n\nthe mill\na\n"
PRUNE = (0, 0, 1)
WORD = st.sampled_from(["the", "mill", "river", "grain", "is", "by", "a", "zebra", "É", "ﬁ", "<s>", "</s>", "<unk>"])
LINE = st.lists(WORD, max_size=5).map(" ".join) | st.sampled_from(["", " ", "a\0the", "\tmill\r", "\u3000"])
TEXTS = st.lists(st.none() | st.lists(LINE, min_size=1, max_size=4).map("\n".join), max_size=6)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> FoundModel:
    path = tmp_path_factory.mktemp("models") / "mill.bin"
    train([TEXT], PRUNE, path)
    return find_model(str(path))


@pytest.fixture(scope="module")
def twin():
    return reference_perplexity.model(TEXT, PRUNE)


def close(found, expected):
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=1e-5)


@settings(max_examples=150)
@given(texts=TEXTS, normalize=st.sampled_from(["none", "ccnet", "ccnet_by_line"]))
@example(texts=["the mill\nthe river", "", None, "\n\n", "<s> <s>"], normalize="ccnet")
def test_perplexity_is_what_its_definition_says(model, twin, texts, normalize):
    found = Scorer(model, Form(normalize), with_lines=True).measure(pa.array(texts, pa.large_string()))
    found.validate(full=True)
    assert found.schema == PERPLEXITY_LINES_LAYER
    make = {"none": str, "ccnet": reference.ccnet, "ccnet_by_line": reference.by_line}[normalize]
    for text, row in zip(texts, found.to_pylist(), strict=True):
        if text is None:
            assert set(row.values()) == {None}
            continue
        lines = [reference.words_of(make(line)) for line in text.split("\n")]
        whole = [reference.words_of(make(text))] if normalize == "ccnet" else lines
        assert close(row["perplexity"], reference.perplexity(whole, twin))
        each = [reference.perplexity([line], twin) for line in lines]
        assert len(row["line_perplexities"]) == len(each)
        assert all(map(close, row["line_perplexities"], each))
        told = [value for value in each if value is not None]
        assert close(row["median_line_perplexity"], statistics.median_low(told) if told else None)
        assert close(row["max_line_perplexity"], max(told, default=None))


def test_a_text_of_nothing_but_begins_or_blank_lines_gains_nothing(model):
    scorer = Scorer(model, Form())
    plain, *padded = scorer.measure(
        pa.array(["the zebra", "the zebra" + "\n" * 500, "<s> " * 500 + "the zebra", "the zebra\n" + "<s> </s>\n" * 9])
    )["perplexity"].to_pylist()
    assert padded == [plain] * 3


@settings(max_examples=60)
@given(text=st.text("ab \x0b\x0c\t\r\0\x1c\x85\xa0\u2028é", max_size=12) | st.sampled_from(["the\x0bmill", "\x0c"]))
def test_words_are_those_that_kenlm_asks_for(model, text):
    kenlm = pytest.importorskip("kenlm")
    found = Scorer(model, Form()).measure(pa.array([text], pa.large_string()))["perplexity"][0].as_py()
    asked = text.replace("\0", " ")
    has_words = bool(asked.encode().split())
    assert close(found, kenlm.Model(str(model.path)).perplexity(asked) if has_words else None)


@settings(max_examples=40)
@given(column=chunked_columns(), cut=st.integers(0, 8), at_once=st.sampled_from([1, 7, 1 << 22]))
def test_batches_are_ignored_and_rows_are_followed(model, column, cut, at_once):
    texts, array = column
    scorer = Scorer(model, Form("ccnet_by_line"), with_lines=True)
    expected = scorer.measure(pa.array(texts, pa.large_string())).to_pylist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scores, "_BYTES_AT_ONCE", at_once)
        assert scorer.measure(array).to_pylist() == expected
        assert scorer.measure(array.slice(cut)).to_pylist() == expected[cut:]
    order = np.random.default_rng(cut).permutation(len(texts))
    assert scorer.measure(array.take(pa.array(order))).to_pylist() == [expected[i] for i in order]


def test_each_language_has_its_model(model, tmp_path):
    train([b"die Muehle\n"], (0, 0), tmp_path / "de.arpa")
    german = Scorer(find_model(str(tmp_path / "de.arpa")), Form())
    english = Scorer(model, Form())
    both = pickle.loads(pickle.dumps(ScorerByLanguage((("en", english), ("de", german)))))
    texts = pa.array(["the mill", "die Muehle", "le moulin", None, "the mill", "die Muehle", ""], pa.large_string())
    languages = pa.array(["en", "de", "fr", None, "de", None, "en"])
    found = both.measure(texts, languages)
    assert found.schema == PERPLEXITY_LAYER
    of = {name: one.measure(texts)["perplexity"].to_pylist() for name, one in (("en", english), ("de", german))}
    assert found["perplexity"].to_pylist() == [of["en"][0], of["de"][1], None, None, of["de"][4], None, None]
    assert of["de"][1] < of["en"][1]
    assert both.measure(texts[:0], languages[:0]).num_rows == 0
    assert both.measure(texts[2:4], languages[2:4])["perplexity"].to_pylist() == [None, None]


def test_giant_lines_and_hostile_text(model):
    texts = ["the " * 400_000, "x" * 3_000_000, "\0" * 10, "\U0010ffff\u202e{0} %s \\", "a\nb" * 50_000]
    found = Scorer(model, Form("ccnet"), with_lines=True).measure(pa.array(texts)).to_pylist()
    assert [row["perplexity"] is None for row in found] == [False, False, True, False, False]
    assert all(row["perplexity"] is None or 1 <= row["perplexity"] < math.inf for row in found)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("name", ["cut.bin", "cut.arpa"])
def test_a_model_cut_short_or_of_another_kind_is_said_to_be(tmp_path, name, share, capfd):
    whole = tmp_path / f"whole-{name}"
    train([TEXT], PRUNE, whole)
    data = whole.read_bytes()
    (tmp_path / name).write_bytes(data[: int(share * len(data))])
    with pytest.raises(CorruptError, match=rf"{name} is (cut short|empty|neither KenLM's binary format nor ARPA)"):
        find_model(str(tmp_path / name), "kenlm")
    assert capfd.readouterr() == ("", "")


def test_a_model_that_changed_or_went_is_said_to_have(tmp_path):
    path = tmp_path / "mill.bin"
    train([TEXT], PRUNE, path)
    texts = pa.array(["the mill"])
    with pytest.raises(StaleError, match="plan the run again"):
        Scorer(FoundModel(path, "0" * 64), Form()).measure(texts)
    with pytest.raises(MissingError, match="no longer there"):
        Scorer(FoundModel(tmp_path / "gone.bin", "0" * 64), Form()).measure(texts)


def test_an_arpa_file_that_is_damaged_inside_is_said_to_be_when_it_is_asked(tmp_path):
    path = tmp_path / "mill.arpa"
    train([TEXT], PRUNE, path)
    path.write_bytes(path.read_bytes().replace(b"2-grams:", b"3-grams:"))
    scorer = Scorer(find_model(str(path)), Form())
    scorer.check()
    with pytest.raises(CorruptError, match="mill.arpa is not a model"):
        scorer.measure(pa.array(["the mill"]))


def test_without_kenlm_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(scores, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match=r"pip install 'gristmill\[kenlm\]'"):
        scores.check_installed()


@given(
    rows=st.lists(
        st.tuples(st.none() | st.sampled_from([1.0, 2.0, 2.5, 3.0, math.inf]), st.sampled_from(["en", "de", None])),
        max_size=12,
    )
)
def test_buckets_are_cut_at_the_cuts(rows):
    cuts = {"en": (2.0, 2.5), None: (0.5, 0.5)}
    values, languages = (
        pa.array([v for v, _ in rows], pa.float64()),
        pa.array([label for _, label in rows], pa.string()),
    )
    found = bucketed(values, languages, cuts)
    assert found.schema == PERPLEXITY_BUCKET_LAYER
    assert found["perplexity_bucket"].to_pylist() == [bucket_of(v, cuts.get(label)) for v, label in rows]
    assert bucketed(values, None, cuts)["perplexity_bucket"].to_pylist() == [bucket_of(v, (0.5, 0.5)) for v, _ in rows]


def bucket_of(value, cuts):
    if value is None or cuts is None:
        return None
    return "head" if value <= cuts[0] else "middle" if value <= cuts[1] else "tail"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "m", "pieces": {"en": "p"}}, "pieces are for en, and models for all languages at once"),
        ({"model": {"en": "m", "de": "m"}, "pieces": {"en": "p"}}, "pieces are for en, and models for de, en"),
        ({"model": {}}, "model"),
        ({"model": "m", "keep": {"perplexity_bucket": ["head"]}}, "not measured here; there are: perplexity"),
        ({"model": "m", "keep": {"max_line_perplexity": {"max": 1}}}, "not measured here"),
        ({"model": "m", "keep": {"perplexity": ["head"]}}, "bounded by numbers"),
        ({"model": "m", "buckets": {}, "keep": {"perplexity_bucket": {"max": 1}}}, r"texts: \[head, middle\]"),
        ({"model": "m", "buckets": {}, "keep": {"perplexity_bucket": ["hed"]}}, "head, middle and tail, not hed"),
        ({"model": "m", "buckets": {"head": 70}}, "above middle's 60"),
        ({"model": "m", "buckets": {"middle": 101}}, "100"),
        ({"model": "m", "buckets": {"head": 30, "given": {"en": [1, 2]}}}, "write one of them"),
        ({"model": "m", "buckets": {"given": {"en": [2, 1]}}}, "head's end comes first"),
        ({"model": "m", "buckets": {"given": {"en": [2]}}}, r"en: two .* such as \[340, 520\], got \[2\]"),
        ({"model": "m", "buckets": {"given": {"en": 340}}}, "en: two perplexities"),
        ({"model": "m", "buckets": {"given": {}}}, "given"),
        ({"model": "m", "buckets": {"given": {"*": [1, 2], "en": [1, 2]}}}, "no language can stand beside it"),
        ({"model": "m", "normalize": "lower"}, "ccnet_by_line"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        PerplexitySettings.model_validate(settings)


@pytest.mark.data
def test_clean_text_is_in_the_head_and_noise_in_the_tail(data, tmp_path):
    """A model of WikiText finds paragraphs of Wikipedia likelier than whole web pages with their menus."""
    with gzip.open(data / "text" / "wikitext2_raw_test.txt.gz", "rt", encoding="utf-8") as file:
        lines = pa.array(file.read(400_000).split("\n"), pa.large_string())
    form = Form("ccnet_by_line")
    train(training_blocks([lines], form), (0, 0, 1), tmp_path / "wiki.bin")
    clean, noise = (english(data, name) for name in ("wikipedia_paragraphs_12lang", "noisy_web_fullpage"))
    found = Scorer(find_model(str(tmp_path / "wiki.bin")), form).measure(pa.array(clean + noise[: len(clean)]))
    values = found["perplexity"].to_numpy(zero_copy_only=False)
    cuts = np.quantile(values, [0.3, 0.6], method="inverted_cdf")
    bucket = np.array(bucketed(found["perplexity"], None, {None: tuple(cuts)})["perplexity_bucket"].to_pylist())
    is_clean = np.arange(len(values)) < len(clean)
    assert is_clean[bucket == "head"].mean() > 0.9
    assert is_clean[bucket == "tail"].mean() < 0.1


def english(data, name):
    with gzip.open(data / "text" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [row["text"] for row in map(json.loads, file) if row["lang"] == "en"]
