"""Benchmarks as they are read, and what of them is found in documents."""

from __future__ import annotations

import gzip
import io
import json
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import reference_contamination as reference
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gristmill.characters import categories
from gristmill.dedup.benchmarks import ITEMS, read_items
from gristmill.dedup.contamination import BenchmarkIndex, index_items, normalised_words, versions
from gristmill.dedup.contamination.normal import GROWTH, normalised
from gristmill.dedup.settings import BenchmarkSettings, DecontaminateSettings
from gristmill.errors import CorruptError, MissingError, UsageError
from gristmill.schema import CONTAMINATION_LAYER

hostile = settings(deadline=None, max_examples=150)

QUESTION = "Janet’s ducks lay 16 eggs per day. She eats three for breakfast every morning and bakes muffins."
ANSWER = "Janet sells 16 - 3 - 4 = 9 duck eggs a day, and makes 9 * 2 = 18 dollars at the market."

WORDS = "the Cat SAT été e\u0301te\u0301 हिन्दी 中文 Ⱥb İx ẞa 12 0 x Σας 𝒳y 𐐀𐐁"
WORD = st.sampled_from(WORDS.split())
GAP = st.sampled_from([" ", "\n", ", ", "—", "\0", "'", " \u0301", "\u200b", "...", "\r\n", "\u3000"])
PHRASE = st.lists(st.tuples(WORD, GAP), max_size=14).map(lambda pairs: "".join(word + gap for word, gap in pairs))
TEXT = PHRASE | st.text(max_size=40)
ITEM_LISTS = st.lists(st.lists(TEXT, max_size=3), min_size=1, max_size=5)


def twin_items(texts: list[list[str]]) -> list[reference.Item]:
    return [
        reference.Item(f"bench{i % 2}", str(i), item, [f"f{k}" for k in range(len(item))])
        for i, item in enumerate(texts)
    ]


def table(items: list[reference.Item]) -> pa.Table:
    rows = [
        (
            item.benchmark,
            item.id,
            item.texts,
            item.fields or ["q"] * len(item.texts),
            ["prose"] * len(item.texts),
            "test",
        )
        for item in items
    ]
    return pa.Table.from_pylist([dict(zip(ITEMS.names, row, strict=True)) for row in rows], schema=ITEMS)


def listed(batch: pa.RecordBatch | pa.Table) -> list[tuple]:
    return list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def write(path: Path, *items: object) -> str:
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return str(path)


def quoted_index(folder: Path, ngram: int = 13) -> BenchmarkIndex:
    path = write(folder / "sums.jsonl", {"id": "sums/0", "question": QUESTION, "answer": ANSWER})
    return BenchmarkIndex.build(DecontaminateSettings(benchmarks=[path], ngram=ngram))


# words


@hostile
@given(st.lists(st.none() | TEXT, max_size=8), st.integers(0, 8))
def test_words_are_those_of_the_twin(texts, start):
    found = normalised_words(pa.array(texts, pa.string()).slice(start))
    assert found == [reference.words(text or "") for text in texts[start:]]


def test_words_keep_marks_and_numbers():
    assert normalised_words(pa.array(["Don't STOP—the हिन्दी e\u0301t\u0301é x2 3.14"])) == [
        ["don", "t", "stop", "the", "हिन्दी", "e\u0301t\u0301e\u0301", "x2", "3", "14"]
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ofﬁce", "office"),
        ("café", "cafe\u0301"),
        ("Straße", "STRASSE"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ＡＢＣ １２", "abc 12"),
        ("con\u00adtam\u00adination", "contamination"),
        ("한글", unicodedata.normalize("NFD", "한글")),
        ("ガ", "ｶﾞ"),
        ("q\u0323\u0307", "q\u0307\u0323"),
        ("x²", "x2"),
    ],
)
def test_what_looks_the_same_is_the_same_word(one, other):
    words = normalised_words(pa.array([one, other]))
    assert words[0] == words[1]
    assert words[0]


@hostile
@given(TEXT, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_normal_forms_change_no_word(text, form):
    """But for U+0345, whose case folds to a letter."""
    text = text.replace("\u0345", "")
    assume("\u0345" not in unicodedata.normalize("NFKD", text))
    one, other = normalised_words(pa.array([text, unicodedata.normalize(form, text)]))
    assert one == other


@pytest.mark.parametrize("marks", [29, 30, 31, 60, 61, 1000])
def test_marks_are_put_in_order_thirty_at_a_time(marks):
    text = "a" + "\u0301\u0323" * (marks // 2) + "\u0327" * (marks % 2)
    assert normalised_words(pa.array([text])) == [reference.words(text)]


def test_no_form_is_longer_than_there_is_room_for_and_each_is_its_own():
    """The kernels rely on it for the room they are given; a saved index, for its texts staying as they are."""
    points = np.flatnonzero(~categories("Cn", "Cs")).tolist()
    texts = [chr(point) for point in points]
    text, bounds = normalised(pa.array(texts))
    assert (np.diff(bounds) <= GROWTH * np.array([len(t.encode()) for t in texts]) + 1).all()
    again, others = normalised(
        pa.Array.from_buffers(pa.large_string(), len(texts), [None, pa.py_buffer(bounds), pa.py_buffer(text)])
    )
    assert np.array_equal(text, again)
    assert np.array_equal(bounds, others)


@pytest.mark.parametrize("text", ["a", "Ⱥ", "a b c d", "Ⱥ Ⱥ Ⱥ", "aⱥ" * 3, "\u0301" * 9, "𐐀 " * 4, "\ufdfa" * 5])
def test_words_at_the_edge_of_the_room(text):
    assert normalised_words(pa.array([text])) == [reference.words(text)]


# scan


@hostile
@given(ITEM_LISTS, st.lists(st.none() | TEXT, max_size=6), st.integers(2, 6), st.none() | st.integers(1, 5), st.data())
def test_scan_finds_what_the_twin_finds(item_texts, texts, ngram, short, data):
    flat = [text for item in item_texts for text in item]
    if flat:
        texts = [*texts, data.draw(PHRASE) + " " + data.draw(st.sampled_from(flat)) + " " + data.draw(PHRASE)]
    items = twin_items(item_texts)
    index = index_items(table(items), ngram, short)
    found = index.find(pa.array(texts, pa.large_string()))
    found.layer.validate(full=True)
    assert found.layer.schema == CONTAMINATION_LAYER
    assert [row[:8] for row in listed(found.layer)] == [
        reference.contamination(text, items, ngram, short) for text in texts
    ]
    assert index.ngram_count == len({g for t in flat for g in reference.looked_for(t, ngram)})
    assert listed(index.short_items) == reference.short_items(items, ngram, short)
    assert listed(found.hits) == [
        row for place, text in enumerate(texts) for row in rows_of(place, text or "", items, (ngram, short))
    ]


def rows_of(place, page, items, sizes):
    """The hits of a page as the twin has them, as rows of the table."""
    hits = reference.hits(page, items, *sizes)
    fields = [name for item in items for name in item.fields]
    for hit in hits:
        item = items[hit.item]
        start, end = (len(page[:at].encode()) for at in (hit.start, hit.end))
        ratio = reference.item_ratio(page, item, *sizes)
        longest = max(other.words for other in hits if other.item == hit.item)
        yield (
            place,
            item.benchmark,
            item.id,
            fields[hit.text],
            start,
            end,
            hit.start,
            hit.end,
            hit.words,
            ratio,
            longest,
        )


@hostile
@given(ITEM_LISTS, st.lists(st.none() | PHRASE, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_scan_ignores_batching_and_follows_the_rows(item_texts, texts, shuffler):
    index = index_items(table(twin_items(item_texts)), 3)
    expected = listed(index.scan(pa.array(texts, pa.string())))
    assert [row for text in texts for row in listed(index.scan(pa.array([text], pa.string())))] == expected
    order = list(range(len(texts)))
    shuffler.shuffle(order)
    shuffled = pa.chunked_array([pa.array([texts[i]], pa.string()) for i in order], pa.string())
    assert listed(index.scan(shuffled)) == [expected[i] for i in order]


def test_a_quoted_item_is_found_however_it_is_dressed(tmp_path):
    index = quoted_index(tmp_path)
    texts = [
        f"Before. {QUESTION} After.",
        QUESTION.upper(),
        QUESTION.replace(" ", "\n> ").replace(".", " !!"),
        QUESTION.replace("16", "17"),
        "Nothing of the kind.",
        "",
        None,
    ]
    found = index.scan(pa.array(texts))
    counts = found["contaminated_ngram_count"].to_pylist()
    assert counts[0] == counts[1] == counts[2] == 6
    assert counts[3:] == [1, 0, 0, None]
    assert found["contaminated_ngram_ratio"].to_pylist()[1:] == [1.0, 1.0, pytest.approx(1 / 6), 0.0, 0.0, None]
    assert found["benchmark"].to_pylist() == ["sums"] * 4 + [None] * 3
    assert found["benchmark_item"].to_pylist() == ["sums/0"] * 4 + [None] * 3


def test_no_ngram_spans_two_fields_or_two_choices(tmp_path):
    path = write(tmp_path / "b.jsonl", {"question": "one two three", "choices": ["four five six", "seven eight nine"]})
    index = BenchmarkIndex.build(DecontaminateSettings(benchmarks=[path], ngram=5))
    assert listed(index.short_items) == [("b", "1")]
    found = index.scan(pa.array(["one two three four five six seven eight nine"]))
    assert found["contaminated_ngram_count"].to_pylist() == [0]


def test_the_first_item_owns_an_ngram_that_two_have(tmp_path):
    first = write(tmp_path / "first.jsonl", {"id": "x", "q": ANSWER}, {"id": "y", "q": QUESTION})
    second = write(tmp_path / "second.jsonl", {"id": "z", "q": QUESTION})
    for paths, owner in (([first, second], ("first", "y")), ([second, first], ("second", "z"))):
        index = BenchmarkIndex.build(DecontaminateSettings(benchmarks=paths))
        found = index.scan(pa.array([QUESTION]))
        assert (found["benchmark"][0].as_py(), found["benchmark_item"][0].as_py()) == owner
        assert index.short_items.num_rows == 0


def test_of_two_items_in_a_page_the_first_is_named(tmp_path):
    path = write(tmp_path / "b.jsonl", {"id": "question", "q": QUESTION}, {"id": "answer", "q": ANSWER})
    index = BenchmarkIndex.build(DecontaminateSettings(benchmarks=[path]))
    found = index.scan(pa.array([f"{QUESTION} {ANSWER}", f"{ANSWER} {QUESTION}"]))
    assert found["benchmark_item"].to_pylist() == ["question", "answer"]


@pytest.mark.parametrize(
    "common", ["0 " * 20, " ".join(map(str, range(1, 32))), "a b c d e f g h i j k l m n o p", "yes no " * 10]
)
def test_what_every_page_could_hold_is_not_looked_for(tmp_path, common):
    path = write(tmp_path / "b.jsonl", {"id": "calendar", "q": common})
    index = BenchmarkIndex.build(DecontaminateSettings(benchmarks=[path]))
    assert index.scan(pa.array([common]))["contaminated_ngram_count"].to_pylist() == [0]
    assert listed(index.short_items) == [("b", "calendar")]


def test_an_equal_hash_is_not_a_match():
    index = index_items(table([reference.Item("b", "1", ["alpha beta gamma delta epsilon"])]), 5)
    asked = pa.array(["alpha beta gamma delta epsilon"])
    assert index.scan(asked)["contaminated_ngram_count"].to_pylist() == [1]
    text = index._tables.known.items.text
    text.flags.writeable = True
    text[0] = ord("b")
    text.flags.writeable = False
    assert index.scan(asked)["contaminated_ngram_count"].to_pylist() == [0]


def test_an_empty_column_gives_an_empty_layer(tmp_path):
    index = quoted_index(tmp_path)
    for texts in (pa.array([], pa.string()), pa.chunked_array([], pa.large_string())):
        found = index.scan(texts)
        assert found.num_rows == 0
        assert found.schema == CONTAMINATION_LAYER


def test_a_page_of_twenty_megabytes(tmp_path):
    index = quoted_index(tmp_path)
    found = index.scan(pa.array(["Ⱥ " * 4_000_000 + QUESTION, "x" * 8_000_000], pa.large_string()))
    assert found["contaminated_ngram_count"].to_pylist() == [6, 0]


# files


def test_saved_and_loaded_it_finds_the_same(tmp_path):
    index = quoted_index(tmp_path)
    index.save(tmp_path / "index.parquet")
    memory = io.BytesIO()
    index.save(memory)
    assert memory.getvalue() == (tmp_path / "index.parquet").read_bytes()
    memory.seek(0)
    asked = pa.array([QUESTION, ANSWER, "neither"])
    for source in (tmp_path / "index.parquet", str(tmp_path / "index.parquet"), memory):
        loaded = BenchmarkIndex.load(source)
        assert loaded.digest == index.digest
        assert loaded.ngram == index.ngram
        assert loaded.scan(asked).equals(index.scan(asked))
        assert loaded.items.equals(index.items)


def test_a_damaged_index_is_refused(tmp_path):
    path = tmp_path / "index.parquet"
    with pytest.raises(MissingError, match="does not exist"):
        BenchmarkIndex.load(path)
    quoted_index(tmp_path).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptError, match="not a saved benchmark index"):
        BenchmarkIndex.load(path)
    pa.parquet.write_table(table(twin_items([["a"]])), path)
    with pytest.raises(CorruptError, match="build it again"):
        BenchmarkIndex.load(path)


def test_the_digest_covers_all_that_decides(tmp_path):
    given = {"id": "1", "q": QUESTION}
    digests = {
        BenchmarkIndex.build(
            DecontaminateSettings(benchmarks=[{"path": write(tmp_path / "b.jsonl", *items), "name": name}], ngram=ngram)
        ).digest
        for items, name, ngram in [
            ([given], "b", 13),
            ([given], "b", 12),
            ([given], "c", 13),
            ([given | {"id": "2"}], "b", 13),
            ([given | {"q": QUESTION + " more"}], "b", 13),
            ([given, given], "b", 13),
        ]
    }
    assert len(digests) == 6
    again = BenchmarkIndex.build(DecontaminateSettings(benchmarks=[write(tmp_path / "b.jsonl", given)]))
    recased = BenchmarkIndex.build(
        DecontaminateSettings(benchmarks=[write(tmp_path / "b.jsonl", given | {"q": QUESTION.upper()})])
    )
    assert again.digest == recased.digest
    assert again.digest in digests


def test_fields_ids_and_compressed_files(tmp_path):
    path = tmp_path / "set.jsonl.gz"
    lines = [
        {"id": 7, "benchmark": "no", "q": "one", "options": ["two", "three"], "label": 3, "mixed": ["x", 1]},
        {"q": "four\ud800", "options": None},
    ]
    path.write_bytes(gzip.compress(("\n\n".join(map(json.dumps, lines))).encode()))
    items = read_items([BenchmarkSettings(path=str(path))])
    assert items.schema.equals(ITEMS)
    assert listed(items.select(["benchmark_item", "text"])) == [("7", ["one", "two", "three"]), ("3", ["four?"])]
    assert items["fields"].to_pylist() == [["q", "options", "options"], ["q"]]
    assert items["kinds"].to_pylist() == [["prose"] * 3, ["prose"]]
    assert items["split"].to_pylist() == ["test", "test"]
    chosen = read_items([BenchmarkSettings(path=str(path), name="n", fields=["options"])])
    assert listed(chosen)[0] == ("n", "7", ["two", "three"], ["options"] * 2, ["prose"] * 2, "test")
    assert listed(chosen)[1] == ("n", "3", [], [], [], "test")


@pytest.mark.parametrize(
    ("content", "fields", "error", "message"),
    [
        ('{"q": "a"}\n{"q": \n', None, UsageError, r"b\.jsonl:2: not a line of JSON"),
        ('{"q": "\xff"}\n', None, UsageError, r"b\.jsonl:1: not a line of JSON"),
        ("[" * 100_000 + "\n", None, UsageError, r"b\.jsonl:1: not a line of JSON"),
        ('["a"]\n', None, UsageError, r"b\.jsonl:1: an item is a JSON object with fields, not list"),
        ('{"q": "a"}\n{"p": "a"}\n', ["q"], UsageError, r"b\.jsonl:2: the item has no field 'q'; it has p"),
        ('{"q": {"a": 1}}\n', ["q"], UsageError, r"b\.jsonl:1: field 'q' is neither text nor a list of texts"),
        ("\n\n", None, UsageError, "has 0 items, and none has a text"),
        ('{"id": "1", "label": 3}\n', None, UsageError, "has 1 items, and none has a text"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_line(tmp_path, content, fields, error, message):
    path = tmp_path / "b.jsonl"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(error, match=message):
        read_items([BenchmarkSettings(path=str(path), fields=fields)])


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(MissingError, match=r"benchmark 'gsm8k': .*gsm8k\.jsonl does not exist"):
        read_items([BenchmarkSettings(path=str(tmp_path / "gsm8k.jsonl"))])
    with pytest.raises(MissingError, match="cannot be read"):
        read_items([BenchmarkSettings(path="nowhere://b.jsonl")])
    cut = tmp_path / "b.jsonl.gz"
    cut.write_bytes(gzip.compress(json.dumps({"q": QUESTION}).encode())[:-12])
    with pytest.raises(CorruptError, match="cannot be unpacked to its end"):
        read_items([BenchmarkSettings(path=str(cut))])
    cut.write_bytes(b"no gzip at all")
    with pytest.raises(MissingError, match="cannot be read"):
        read_items([BenchmarkSettings(path=str(cut))])


def test_settings_take_paths_and_long_forms():
    chosen = DecontaminateSettings.model_validate(
        {"benchmarks": ["data/gsm8k.test.jsonl.gz", {"path": "s3://b/mmlu.jsonl", "fields": ["q"]}]}
    )
    assert [benchmark.name for benchmark in chosen.benchmarks] == ["gsm8k", "mmlu"]
    assert (chosen.ngram, chosen.action) == (13, "drop_document")
    assert DecontaminateSettings.model_validate(chosen.model_dump(mode="json")) == chosen
    assert {"type": "string"} in chosen.model_json_schema()["properties"]["benchmarks"]["items"]["anyOf"]


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [
        ({"benchmarks": []}, "at least 1 item"),
        ({"benchmarks": ["a/x.jsonl", "b/x.jsonl"]}, "2 benchmarks are called 'x': give each its own `name`"),
        ({"benchmarks": ["x.jsonl"], "ngram": 4}, "greater than or equal to 5"),
        ({"benchmarks": ["x.jsonl"], "action": "mask"}, "drop_document"),
        ({"benchmarks": [{"path": ""}]}, "at least 1 character"),
        ({"benchmarks": [{"path": "x", "field": ["q"]}]}, "Extra inputs"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given_settings, message):
    with pytest.raises(ValidationError, match=message):
        DecontaminateSettings.model_validate(given_settings)


def test_versions_name_the_unicode_database():
    assert set(versions()) == {"contamination", "contamination_words", "unicode"}


# real data


@pytest.mark.data
def test_every_item_that_is_not_short_is_found_in_itself(data):
    paths = [str(data / "benchmarks" / name) for name in ("gsm8k_test.jsonl.gz", "piqa_valid.jsonl.gz")]
    chosen = DecontaminateSettings(benchmarks=paths)
    index, items = BenchmarkIndex.build(chosen), read_items(chosen.benchmarks)
    assert 100_000 < index.ngram_count < 200_000
    found = index.scan(pa.array(["\n".join(texts) for texts in items["text"].to_pylist()]))
    missed = {
        row[2]
        for row in zip(found["contaminated_item_count"].to_pylist(), *items.columns[:2], strict=True)
        if not row[0]
    }
    assert {identity.as_py() for identity in missed} == set(index.short_items["benchmark_item"].to_pylist())


@pytest.mark.data
def test_the_twin_agrees_on_real_items(data):
    chosen = DecontaminateSettings(benchmarks=[str(data / "benchmarks" / "xquad_sample.jsonl.gz")])
    items = [reference.Item(*row[:4]) for row in listed(read_items(chosen.benchmarks))][::200][:6]
    index = index_items(table(items), 13, 8)
    texts = [" ".join(item.texts) for item in items]
    found = index.find(pa.array(texts))
    assert [row[:8] for row in listed(found.layer)] == [reference.contamination(text, items, 13, 8) for text in texts]
    assert listed(found.hits) == [
        row for place, text in enumerate(texts) for row in rows_of(place, text, items, (13, 8))
    ]
