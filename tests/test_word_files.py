"""Lists of words as hostile or careless hands leave them, and languages that go by labels of their own."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from dataclasses import replace

import pyarrow as pa
import pytest
import reference_redpajama
from commands import REPOSITORY
from real_texts import real_texts
from tiny_models import KINDS, train

from gristmill import schema
from gristmill.errors import CorruptError, MissingError, RecipeError
from gristmill.filters.rules.labels import names_of
from gristmill.filters.signals.families import measure
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.filters.signals.word_lists import WordLists
from gristmill.pipeline import list_files, lists
from gristmill.pipeline.session import planned
from gristmill.pipeline.word_files import read_words


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "en.txt").write_text("the\n")
    return folder


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"le\r\nla\r\n", ["la", "le"]),
        (b"le\rla", ["la", "le"]),
        (b"\xef\xbb\xbfle\n", ["le"]),
        ("a\u2028b\nc\x0bd\ne\x85f\n".encode(), ["a\u2028b", "c\x0bd", "e\x85f"]),
        (b"a\0b\n\0\n", ["\0", "a\0b"]),
        (b"le\n" * 3, ["le"]),
    ],
)
def test_a_word_stands_between_line_ends(folder, content, expected):
    (folder / "fr.txt").write_bytes(content)
    assert read_words(str(folder))["fr"] == expected


def test_a_list_may_be_empty_and_words_may_be_large(folder):
    (folder / "fr.txt").write_text("")
    (folder / "de.txt").write_text("ä" * 1_000_000 + "\n" + "\n".join(map(str, range(100_000))))
    found = read_words(str(folder))
    assert (found["fr"], len(found["de"])) == ([], 100_001)


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", '{"en":' + DEEP, "is no JSON: it is nested too deep"),
        ("a.json", '{"en": ["\\ud800"]}', "has words of 'en' that are no text"),
        ("a.json", '{"\\ud800": ["x"]}', "that are no text"),
        ("fra_Latn.yml", f"stopwords: {DEEP[:5000]}", "is nested too deep"),
        ("fra_Latn.yml", 'stopwords: ["\\ud800"]', "has words of 'fra_Latn' that are no text"),
        ("fr.txt", "le\n".encode("utf-16"), "is no list of words"),
        ("fr.txt", "été\n".encode("latin-1"), "is no list of words"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CorruptError, match=message):
        read_words(str(tmp_path / name))


def test_json_that_grows_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(list_files, "LARGEST", 1000)
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(b'{"en": ["' + b"a" * 5000 + b'"]}'))
    with pytest.raises(CorruptError, match="too many for a list of words"):
        read_words(str(tmp_path / "a.json.gz"))


def archived(path, members):
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return str(path)


def test_what_is_no_list_is_passed_over_whatever_it_is(folder, tmp_path, monkeypatch):
    """Neither opened, nor too large, nor missed where it is gone."""
    monkeypatch.setattr(list_files, "LARGEST", 10)
    (folder / "archive.zip").write_bytes(b"x" * 11)
    (folder / "gone").symlink_to("nowhere")
    (folder / "itself").symlink_to(folder)
    (folder / "de").symlink_to(folder)
    os.mkfifo(folder / "fr")
    assert set(read_words(str(folder))) == set(names_of("en"))
    assert list_files.state_of(list_files.find_files(str(folder))) is None  # it was just written
    path = archived(tmp_path / "a.tar", [("x/archive.zip", b"x" * 11), ("x/en.txt", b"the\n")])
    assert set(read_words(path)) == set(names_of("en"))
    (folder / "fr.txt").write_text("x" * 11)
    with pytest.raises(CorruptError, match="11 bytes, too many for a list of words"):
        read_words(str(folder))


def test_a_list_that_is_named_and_gone_is_missing(folder):
    (folder / "fr.txt").symlink_to("nowhere")
    with pytest.raises(MissingError, match=r"fr\.txt cannot be read"):
        read_words(str(folder))


def test_files_of_one_language_are_one_list_in_whatever_order(tmp_path, folder):
    members = [("a/en.txt", b"one\n"), ("b/en.txt", b"two\n")]
    for name, content in members:
        (folder / name).parent.mkdir()
        (folder / name).write_bytes(content)
    (folder / "en.txt").unlink()
    there, back = (archived(tmp_path / f"{n}.tar", order) for n, order in enumerate((members, members[::-1])))
    assert read_words(str(folder)) == read_words(there) == read_words(back)
    assert read_words(there)["en"] == ["one", "two"]


# --- labels ----------------------------------------------------------------------------------------------------------


def test_lid176s_alemannic_does_not_get_the_words_of_albanian(tmp_path):
    """ISO 639-3 calls Tosk Albanian `als`, and lid.176, like Wikipedia, the German of Switzerland."""
    (tmp_path / "als_Latn.yml").write_text("stopwords: [dhe]\n")
    assert set(read_words(str(tmp_path))) == {"als_Latn", "sq", "sqi", "sqi_Latn"}
    assert names_of("als") == ("als",)


LISTED = {
    "stop_words": WordLists({"fra_Latn": ("le",), "fr": ("le",)}, {"french": "fra_Latn"}),
    "bad_words": WordLists({"zh": ("中",), "fr": ("mal",)}, {"chinese": "zh", "french": "fr"}),
}


@pytest.mark.parametrize(
    ("signal", "text", "label", "expected"),
    [
        ("language_stop_word_count", "le", "french", 1),
        ("stop_word_ratio", "le le", "french", 1.0),
        ("stop_word_ratio_redpajama_v2", "le le", "french", 1.0),
        ("stop_word_ratio", "le", "german", None),
        ("bad_word_count", "un mal", "french", 1),
        ("bad_word_count_redpajama_v2", "un mal", "french", 1),
        ("bad_word_count", "x中x", "chinese", 1),
        ("bad_word_count", "malin", "french", 0),
    ],
)
def test_a_language_is_found_by_a_label_of_your_own(signal, text, label, expected):
    families = ["stop_words", "bad_words", "redpajama_v2_lists"]
    columns = {schema.LANGUAGE: pa.array([label])}
    values = measure(pa.array([text], pa.large_string()), SignalsSettings(families=families), columns, LISTED)
    assert values.column(signal).to_pylist() == [expected]


RECIPE = """
name: labels
source: {{warc: ["{source}"]}}
stages:
  - extract: {{extractor: trafilatura}}
  - language: {{model: model.bin}}
  - signals: {{families: [{families}], lists: {{{lists}}}}}
  - filter: {filter}
"""
FAMILIES = "gopher_repetition, gopher_quality, fineweb, stop_words"
HOUSE = "{house: {word_count: {min: 1}}}"
FRENCH = "{use: [fineweb2/fra_Latn], fineweb2: {configs: CONFIGS, labels: {fra_Latn: french}}}"


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """Plans a recipe whose lists are FineWeb-2's of French, which the model calls `french` and `fr`."""
    from test_presets import CONFIG

    monkeypatch.setenv("GRISTMILL_CACHE", str(tmp_path / "cache"))
    (tmp_path / "CONFIGS").mkdir()
    (tmp_path / "CONFIGS" / "fra_Latn.yml").write_text(CONFIG.format(line_punct_thr=0.1))
    monkeypatch.chdir(tmp_path)

    train(tmp_path, replace(KINDS["words alone"], labels=("french", "fr", "x")))

    def plan_of(lists, filter_=HOUSE, families=FAMILIES):
        (tmp_path / "a.warc.gz").write_bytes(b"")
        text = RECIPE.format(source="a.warc.gz", families=families, lists=lists, filter=filter_)
        (tmp_path / "labels.yaml").write_text(text)
        return planned(tmp_path / "labels.yaml").step("signals")

    return plan_of


def test_labels_are_part_of_what_a_list_says(plan):
    plain, labelled = plan("stop_words: CONFIGS"), plan("stop_words: CONFIGS, labels: {fra_Latn: french}")
    assert plain.digest != labelled.digest
    chosen = SignalsSettings.model_validate(labelled.settings)
    words = lists.open_lists(chosen, labelled.versions)["stop_words"]
    assert words.of("french") == words.of("fr") == ("de", "l'", "no")
    assert words.of("german") is None
    assert plan("stop_words: CONFIGS, labels: {}").digest == plain.digest


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lists": "stop_words: CONFIGS, labels: {xyz_Latn: x}"}, "lists.labels: no list here has words of 'xyz_Latn'"),
        ({"lists": "stop_words: CONFIGS, labels: {fra_Latn: x, fra: x}"}, "'x' is given to two languages"),
        ({"lists": "labels: {fra_Latn: x}", "families": "gopher_quality"}, "no family here reads lists.labels"),
        (
            {"lists": "stop_words: CONFIGS", "filter_": FRENCH},
            r"preset 'fineweb2/fra_Latn' is for documents in 'french', and no stop words are counted in them: write "
            r"lists: \{labels: \{fra_Latn: french\}\} in the stage 'signals'",
        ),
    ],
)
def test_labels_that_nothing_answers_to_are_told_before_anything_runs(plan, given, message):
    with pytest.raises(RecipeError, match=message):
        plan(**given)


def test_a_preset_and_its_stop_words_go_by_one_label(plan):
    assert plan("stop_words: CONFIGS, labels: {fra_Latn: french}", FRENCH)
    assert plan("stop_words: CONFIGS", FRENCH.replace("french", "fr")), "lid176's label needs no other"


# --- real texts ------------------------------------------------------------------------------------------------------


@pytest.mark.data
def test_redpajamas_lists_agree_with_their_twins_on_real_texts(data):
    bad, stop = (read_words(str(data / "lists" / name)) for name in ("ldnoobw", "stopwords-iso.json.gz"))
    said = {name: {k: set(v) for k, v in words.items()} for name, words in (("bad_words", bad), ("stop_words", stop))}
    opened = {"bad_words": WordLists(bad), "stop_words": WordLists(stop)}
    texts = [*real_texts(data)[::4], *(f"The {word} of {word.upper()}, {word}." for word in bad["en"])]
    labels = [("en", "fr", "de", "zh", "tlh")[n % 5] if n % 2 else "en" for n in range(len(texts))]
    columns = {schema.LANGUAGE: pa.array(labels)}
    chosen = SignalsSettings(families=["redpajama_v2_lists"])
    found = measure(pa.array(texts, pa.large_string()), chosen, columns, opened).to_pylist()
    expected = [
        reference_redpajama.lists(text, "unicode", {"language": label}, said)
        for text, label in zip(texts, labels, strict=True)
    ]
    assert found == expected
    assert sum(row["bad_word_count_redpajama_v2"] or 0 for row in found) > 500
    assert {row["stop_word_ratio_redpajama_v2"] is None for row in found} == {False, True}


def test_the_docs_name_the_labels():
    assert "labels: {fra_Latn: french}" in (REPOSITORY / "docs" / "presets.md").read_text()
