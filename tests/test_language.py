"""Languages: what the model says, whatever the batch; and texts that are hostile."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import subprocess
import sys
from collections import defaultdict

import fasttext
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gristmill.classifiers.language import LanguageIdentifier, versions
from gristmill.classifiers.models import find_model
from gristmill.classifiers.settings import LanguageSettings
from gristmill.errors import CorruptError, MissingError, RecipeError, StaleError
from gristmill.schema import LANGUAGE_LAYER

hostile = settings(deadline=None, max_examples=100)

SENTENCES = {
    "en": "The mill by the river has ground the village's grain for three hundred years.",
    "de": "Die Mühle am Fluss mahlt seit dreihundert Jahren das Getreide des Dorfes.",
    "fr": "Le moulin au bord de la rivière moud le grain du village depuis trois cents ans.",
    "no": "Nå må jeg ikke glemme å ringe mamma før hun legger seg i kveld, sa gutten.",
    "ru": "Мельница у реки уже триста лет мелет зерно для всей деревни.",
    "zh": "河边的磨坊三百年来一直为村里人磨粮食。",
    "ar": "تطحن الطاحونة على ضفة النهر حبوب القرية منذ ثلاثمائة عام.",
}
TEXT = st.sampled_from(list(SENTENCES.values())) | st.text(max_size=60)
TEXTS = st.lists(st.none() | TEXT, max_size=10)


@pytest.fixture(scope="module")
def identifier() -> LanguageIdentifier:
    try:
        return LanguageIdentifier(find_model("lid176"), LanguageSettings())
    except MissingError as error:
        pytest.skip(str(error))


def listed(batch: pa.RecordBatch) -> list[tuple]:
    return list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def is_visible(text: str) -> bool:
    return any(c.isprintable() and not c.isspace() for c in text)


def test_sentences_are_in_their_languages(identifier):
    found = identifier.identify(pa.array(list(SENTENCES.values())))
    found.validate(full=True)
    assert found.schema == LANGUAGE_LAYER
    assert found["language"].to_pylist() == list(SENTENCES)
    assert all(0.5 < score <= 1.0 for score in found["language_score"].to_pylist())


@hostile
@given(texts=st.lists(TEXT.filter(is_visible), max_size=10))
def test_one_by_one_fasttext_says_the_same(identifier, texts):
    model = fasttext.load_model(str(identifier.model.path))
    expected = []
    for text in texts:
        labels, scores = model.predict(text.replace("\n", " "))
        expected.append((labels[0].removeprefix("__label__"), min(scores[0], 1.0)))
    assert listed(identifier.identify(pa.array(texts, pa.string()))) == expected


@hostile
@given(texts=TEXTS, cut=st.integers(0, 10), shuffler=st.randoms(use_true_random=False))
def test_batching_is_ignored_and_rows_are_followed(identifier, texts, cut, shuffler):
    whole = pa.array(texts, pa.large_string())
    expected = listed(identifier.identify(whole))
    assert listed(identifier.identify(pa.chunked_array([whole[:cut], whole[cut:]]))) == expected
    assert listed(identifier.identify(pa.array(texts, pa.string())[cut:])) == expected[cut:]
    order = list(range(len(texts)))
    shuffler.shuffle(order)
    assert listed(identifier.identify(whole.take(pa.array(order, pa.int64())))) == [expected[i] for i in order]


def test_more_rows_than_are_predicted_at_once(identifier):
    texts = list(SENTENCES.values()) * 300
    assert identifier.identify(pa.array(texts))["language"].to_pylist() == list(SENTENCES) * 300


def test_without_text_there_is_no_language_and_without_a_visible_character_it_is_und(identifier):
    texts = [None, "", " \t\r\n\u3000", "\0\0", "\u200b\ufeff\u200e", "\x1b\x7f"]
    assert listed(identifier.identify(pa.array(texts))) == [(None, None)] + [("und", 0.0)] * 5


@pytest.mark.parametrize("empty", [pa.array([], pa.string()), pa.chunked_array([], pa.large_string())])
def test_an_empty_column_gives_an_empty_layer(identifier, empty):
    found = identifier.identify(empty)
    assert found.num_rows == 0
    assert found.schema == LANGUAGE_LAYER


def test_hostile_texts(identifier):
    english = SENTENCES["en"]
    texts = [
        english.replace(" ", "\n"),
        english.replace(" ", "\0"),
        "__label__fr __label__fr " + english,
        english * 2_000,
        "\U0010ffff\ue000" + english,
        "x" * 3_000_000,
        "</s> " * 10 + english,
    ]
    found = identifier.identify(pa.array(texts))["language"].to_pylist()
    assert [found[i] for i in (0, 1, 2, 3, 4, 6)] == ["en"] * 6
    assert found[5] is not None


def test_scores_never_exceed_one(identifier):
    model = fasttext.load_model(str(identifier.model.path))
    certain = "これは日本語の文章です。川のほとりの水車は三百年のあいだ村の穀物をひいてきました。"
    assert model.predict(certain)[1][0] > 1.0
    assert listed(identifier.identify(pa.array([certain]))) == [("ja", 1.0)]


def test_only_the_first_characters_are_read_if_so_asked(identifier):
    both = SENTENCES["ru"] + " " + SENTENCES["en"] * 20
    short = LanguageIdentifier(identifier.model, LanguageSettings(first_characters=len(SENTENCES["ru"])))
    texts = pa.array([both, "   " * 100 + SENTENCES["en"], None])
    assert identifier.identify(texts)["language"].to_pylist() == ["en", "en", None]
    assert short.identify(texts)["language"].to_pylist() == ["ru", "und", None]
    assert short.identify(texts)[:1].equals(identifier.identify(pa.array([SENTENCES["ru"]])))


def test_it_prints_nothing(identifier, capfd):
    pickle.loads(pickle.dumps(identifier)).identify(pa.array(["hello"]))
    assert capfd.readouterr() == ("", "")


def test_every_process_says_the_same(identifier):
    texts = list(SENTENCES.values())
    code = (
        "import sys, pickle, pyarrow as pa\n"
        "identifier, texts = pickle.load(sys.stdin.buffer)\n"
        "print(repr(identifier.identify(pa.array(texts)).to_pydict()))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            input=pickle.dumps((identifier, texts)),
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert said == {f"{identifier.identify(pa.array(texts)).to_pydict()!r}\n".encode()}


def test_languages_to_keep_must_be_ones_that_the_model_can_answer(identifier):
    assert len(identifier.labels) == 176
    LanguageIdentifier(identifier.model, LanguageSettings(keep={"en": 0.65, "no": 0.5, "und": 0.0})).check()
    with pytest.raises(RecipeError, match=r"keep: the model lid\.176\.ftz has no language 'eng'; did you mean 'en'\?"):
        LanguageIdentifier(identifier.model, LanguageSettings(keep={"eng": 0.65})).check()


def test_a_model_that_changed_or_went_after_the_plan_is_refused(identifier, tmp_path):
    path = tmp_path / "lid.ftz"
    path.write_bytes(identifier.model.path.read_bytes())
    late = LanguageIdentifier(find_model(str(path)), LanguageSettings())
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StaleError, match="plan the run again"):
        late.identify(pa.array(["text"]))
    with pytest.raises(CorruptError, match="cut short"):
        LanguageIdentifier(find_model(str(path)), LanguageSettings()).identify(pa.array(["text"]))
    path.unlink()
    with pytest.raises(MissingError, match="no longer there"):
        late.identify(pa.array(["text"]))


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [
        ({"keep": {"en": 1.5}}, "less than or equal to 1"),
        ({"keep": {}}, "at least 1 item"),
        ({"first_characters": 0}, "greater than or equal to 1"),
        ({"modell": "lid176"}, "Extra inputs"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given_settings, message):
    with pytest.raises(ValidationError, match=message):
        LanguageSettings.model_validate(given_settings)


def test_versions_name_what_decides():
    assert set(versions()) == {"language", "fasttext-numpy2"}


THIRTY = "en de fr es it pt nl sv da pl cs ro hu fi tr el ru uk bg ar fa he hi bn ta th ja ko zh vi"


@pytest.mark.data
def test_sentences_of_fifty_characters_in_thirty_languages(identifier, data):
    by_language = defaultdict(list)
    with gzip.open(data / "lid" / "lingua_sentences_75lang.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            if row["lang"] in THIRTY.split() and len(row["text"]) >= 50:
                by_language[row["lang"]].append(row["text"])
    assert len(by_language) > 25
    right = total = 0
    for language, texts in by_language.items():
        found = identifier.identify(pa.array(texts))["language"].to_pylist()
        right += found.count(language)
        total += len(texts)
    assert right / total > 0.97
