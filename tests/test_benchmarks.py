"""Evaluation sets: what their fields become, which files are read and refused, and the registry."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gristmill.dedup.benchmarks import ITEMS, read_items, rows
from gristmill.dedup.benchmarks.fields import parts_of
from gristmill.dedup.benchmarks.registered import BENCHMARKS
from gristmill.dedup.benchmarks.registry import registered
from gristmill.dedup.benchmarks.settings import Benchmark, BenchmarkSettings, FieldSettings
from gristmill.dedup.benchmarks.summary import summarized
from gristmill.errors import CorruptError, GristmillError, MissingError, UsageError

hostile = settings(deadline=None, max_examples=60)

FILLED = {"text": "sentence", "choices": ["option1", "option2"], "answer": "answer", "first": 1, "blank": "_"}
SARAH = {"sentence": "So _ got the easier cases.", "option1": "Sarah", "option2": "Maria", "answer": "2"}
ARC = {"question": "Why?", "choices": {"text": ["wind", "rain", "sun"], "label": ["A", "B", "C"]}, "answerKey": "C"}


def texts(field: dict, item: dict) -> list[str]:
    return [part.text for part in parts_of(item, FieldSettings.model_validate(field), "prose")]


def benchmark(given: object) -> BenchmarkSettings:
    return TypeAdapter(Benchmark).validate_python(given)


def items(path, **said) -> list[tuple]:
    found = read_items([BenchmarkSettings(path=str(path), **said)])
    assert found.schema.equals(ITEMS)
    return [tuple(row.values())[1:] for row in found.to_pylist()]


def lines(path, *rows: object):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


# fields


@pytest.mark.parametrize(
    ("field", "item", "expected"),
    [
        ({"text": "q"}, {"q": "a text"}, ["a text"]),
        ({"text": "q"}, {"q": ["one", None, "two"]}, ["one", "two"]),
        ({"text": "q"}, {"q": None}, []),
        ({"text": "q"}, {"q": 27.0}, ["27"]),
        ({"text": "q"}, {"q": 0.5}, ["0.5"]),
        ({"text": "a.b"}, {"a": {"b": "inner"}}, ["inner"]),
        ({"text": "a.b"}, {"a.b": "a name with a point", "a": {"b": "inner"}}, ["a name with a point"]),
        ({"text": "a.b"}, {"a": [{"b": "one"}, {"b": "two"}]}, ["one", "two"]),
        ({"text": ["a", "b"]}, {"a": "one", "b": "two"}, ["one two"]),
        ({"text": ["a", "b"], "join": ""}, {"a": "def f():\n", "b": "  return 1\n"}, ["def f():\n  return 1\n"]),
        ({"text": ["a", "b"]}, {"a": None, "b": "two"}, ["two"]),
        ({"text": ["a", "b"]}, {"a": None, "b": None}, []),
        ({"choices": "choices.text"}, ARC, ["wind", "rain", "sun"]),
        ({"choices": "choices.text", "answer": "answerKey"}, ARC, ["sun"]),
        ({"choices": "choices.text", "answer": "answerKey", "labels": "choices.label"}, ARC, ["sun"]),
        ({"text": "question", "choices": "choices.text", "answer": "answerKey"}, ARC, ["Why? sun"]),
        (FILLED, SARAH, ["So Maria got the easier cases."]),
        (FILLED, SARAH | {"answer": "1"}, ["So Sarah got the easier cases."]),
        (FILLED, SARAH | {"answer": ""}, []),
        (FILLED, SARAH | {"answer": None}, []),
        ({"choices": ["option1", "option2"]}, SARAH, ["Sarah", "Maria"]),
    ],
)
def test_a_field_becomes_what_a_page_could_hold(field, item, expected):
    assert texts(field, item) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(2, "c"), (2.0, "c"), ("2", "c"), ("C", "c"), ("b", "b"), ("the c", "the c"), (True, None), (-1, []), ("-1", [])],
)
def test_an_answer_is_a_number_a_letter_or_the_choice_itself(answer, expected):
    field = {"choices": "o", "answer": "a"}
    item = {"o": ["a", "b", "c", "the c"], "a": answer}
    if expected is None:
        with pytest.raises(UsageError, match="field 'a' says True, which is none of 4 choices"):
            texts(field, item)
    else:
        assert texts(field, item) == (expected if isinstance(expected, list) else [expected])


@pytest.mark.parametrize("answer", [4, "4", "E", "9" * 5000, "é", "²", "", "the d", {"a": 1}, [1], 1e300, -2])
def test_an_answer_that_is_no_choice_is_an_error_or_secret(answer):
    item = {"o": ["a", "b", "c", "the c"], "a": answer}
    if answer == "":
        assert texts({"choices": "o", "answer": "a"}, item) == []
    else:
        with pytest.raises(UsageError, match="which is none of 4 choices"):
            texts({"choices": "o", "answer": "a"}, item)


def test_a_label_is_looked_up_and_not_counted():
    item = {"o": ["one", "two"], "l": ["2", "1"], "a": "1"}
    assert texts({"choices": "o", "answer": "a", "labels": "l"}, item) == ["two"]
    with pytest.raises(UsageError, match="says 'B', which is none of 2 choices"):
        texts({"choices": "o", "answer": "a", "labels": "l"}, item | {"a": "B"})


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({}, "made of `text`, of `choices`, or of both"),
        ({"text": "q", "answer": "a"}, "about `choices`, and there are none"),
        ({"choices": "c", "labels": "l"}, "`labels` are for finding the `answer`"),
        ({"choices": "c", "blank": "_"}, "`blank` is a part of `text`"),
        ({"text": "q", "choices": "c", "blank": ""}, "at least 1 character"),
        ({"text": "q", "kind": "verse"}, "'prose' or 'code'"),
        ({"text": "q", "first": 2}, "Input should be 0 or 1"),
        ({"txt": "q"}, "Extra inputs"),
    ],
)
def test_fields_that_make_no_sense_are_refused(field, message):
    with pytest.raises(ValidationError, match=message):
        FieldSettings.model_validate(field)


def test_a_field_that_is_not_there_is_named(tmp_path):
    path = lines(tmp_path / "b.jsonl", {"q": "x", "c": {"text": ["x"]}})
    with pytest.raises(UsageError, match=r"b\.jsonl:1: the item has no field 'c\.label'; it has q, c"):
        items(path, fields=["c.label"])
    with pytest.raises(UsageError, match=r"b\.jsonl:1: field 'c' is neither text nor a list of texts"):
        items(path, fields=["c"])
    with pytest.raises(UsageError, match=r"b\.jsonl:1: the item has no field 'key' for its id; it has q, c"):
        items(path, id="key")


# items


def test_without_fields_facts_are_left_out(tmp_path):
    path = lines(
        tmp_path / "b.jsonl", {"id": "x", "subject": "law", "split": "test", "q": "a text", "n": 3, "c": ["d"]}
    )
    assert items(path) == [("x", ["a text", "d"], ["q", "c"], ["prose", "prose"], "test")]


def test_kinds_ids_and_splits(tmp_path):
    rows = [{"key": 7, "q": "what", "code": "def f(): ..."}, {"key": "é", "q": "why", "code": None}]
    path = lines(tmp_path / "b.jsonl", *rows)
    said = {"fields": ["q", {"text": "code", "kind": "code", "name": "solution"}], "id": "key"}
    assert items(path, **said, split="train") == [
        ("7", ["what", "def f(): ..."], ["q", "solution"], ["prose", "code"], "train"),
        ("é", ["why"], ["q"], ["prose"], "train"),
    ]
    assert items(path, fields=["q"], kind="code")[0] == ("1", ["what"], ["q"], ["code"], "test")


def test_train_items_of_a_file_with_several_splits(tmp_path):
    rows = [{"q": "text", "part": part} for part in ("test", "dev", "validation", "test")]
    found = items(lines(tmp_path / "b.jsonl", *rows), fields=["q"], train={"part": ["dev", "validation"]})
    assert [item[-1] for item in found] == ["test", "train", "train", "test"]
    with pytest.raises(UsageError, match="no field 'fold'"):
        items(tmp_path / "b.jsonl", fields=["q"], train={"fold": ["1"]})


# files


@hostile
@given(st.lists(st.tuples(st.text(min_size=1, max_size=30), st.text(max_size=30)), min_size=1, max_size=5))
def test_every_format_gives_the_same_texts(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("formats")
    rows = [{"q": q, "a": a} for q, a in pairs if q.encode("utf-8", "ignore").decode() == q]
    rows = rows or [{"q": "x", "a": ""}]
    lines(folder / "b.jsonl", *rows)
    (folder / "b.json").write_text(json.dumps(rows))
    (folder / "lines.json").write_bytes((folder / "b.jsonl").read_bytes())
    pq.write_table(pa.Table.from_pylist(rows), folder / "b.parquet")
    for name, separator in (("b.csv", ","), ("b.tsv", "\t")):
        sink = io.StringIO(newline="")
        writer = csv.DictWriter(sink, ["q", "a"], delimiter=separator, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
        (folder / name).write_bytes(sink.getvalue().encode())
    for path in list(folder.iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    expected = [[row["q"], row["a"]] for row in rows]
    for path in folder.iterdir():
        assert [item[1] for item in items(path, fields=["q", "a"])] == expected, path.name


def test_rows_are_counted_from_0_and_lines_from_1(tmp_path):
    (tmp_path / "b.csv").write_text("q\none\ntwo\n")
    assert [item[0] for item in items(tmp_path / "b.csv")] == ["0", "1"]
    assert [item[0] for item in items(lines(tmp_path / "b.jsonl", {"q": "one"}, {"q": "two"}))] == ["1", "2"]


def test_a_format_can_be_named(tmp_path):
    (tmp_path / "b.txt").write_text("q\tid\none\tx\n")
    assert items(tmp_path / "b.txt", format="tsv") == [("x", ["one"], ["q"], ["prose"], "test")]


PARQUET = io.BytesIO()
pq.write_table(pa.table({"q": ["text"] * 100}), PARQUET)


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("b.parquet", PARQUET.getvalue()[:-20], CorruptError, "b.parquet is no whole Parquet file"),
        ("b.parquet", b"", CorruptError, "b.parquet is no whole Parquet file"),
        ("b.csv", b"q,a\none\n", UsageError, r"b\.csv, row 0: it has not as many values as the header has names"),
        ("b.csv", b"q,a\none,two,three\n", UsageError, r"b\.csv, row 0: it has not as many values"),
        ("b.csv", b'q,a\n"one,two\n', UsageError, "is no table of ','-separated values"),
        ("b.tsv", b"q\ta\n\xff\t1\n", UsageError, "is no table of '.t'-separated values"),
        ("b.csv", b"", UsageError, "has 0 items, and none has a text"),
        ("b.json", b"[1]", UsageError, r"b\.json, row 0: an item is a JSON object with fields, not int"),
        ("b.json", b"[" * 200_000, UsageError, r"b\.json: not JSON"),
        ("b.json", b"[{}", UsageError, r"b\.json: not JSON"),
        ("b.csv.gz", gzip.compress(b"q\none\n", mtime=0)[:-9], CorruptError, "cannot be unpacked to its end"),
        *[
            (f"b.csv.{end}", b"none of it" * 9, MissingError, f"{end} cannot be read")
            for end in ("xz", "zst", "lz4", "zip", "bz2")
        ],
        ("b.jsonl", b"\0\0\0\n", UsageError, r"b\.jsonl:1: not a line of JSON"),
        ("b.jsonl", b'{"q": "' + b"x" * 100, UsageError, r"b\.jsonl:1: not a line of JSON"),
        ("b.jsonl", b"PAR1" * 50, UsageError, r"b\.jsonl:1: not a line of JSON"),
    ],
)
def test_files_that_are_not_what_they_should_be(tmp_path, name, content, error, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=message):
        items(tmp_path / name)


@hostile
@given(st.sampled_from(["b.jsonl", "b.json", "b.csv", "b.tsv", "b.parquet"]), st.binary(max_size=200))
def test_any_bytes_are_items_or_a_named_error(tmp_path_factory, name, content):
    path = tmp_path_factory.mktemp("bytes") / name
    path.write_bytes(content)
    raised = None
    try:
        assert items(path)
    except GristmillError as error:
        raised = str(error)
    assert raised is None or name in raised


def test_a_table_with_long_values_and_nul(tmp_path):
    text = "word " * 100_000
    (tmp_path / "b.csv").write_text(f'\ufeffq\n"{text}"\n"a\0b"\n')
    assert [item[1] for item in items(tmp_path / "b.csv")] == [[text], ["a\0b"]]
    assert csv.field_size_limit() < len(text)


@pytest.mark.parametrize("end", ["gz", "bz2", "xz", "zst", "lz4", "zip"])
def test_what_unpacks_to_too_much_is_refused(tmp_path, monkeypatch, end):
    monkeypatch.setattr(rows, "MOST_BYTES", 5_000)
    with fsspec.open(str(tmp_path / f"b.csv.{end}"), "wb", compression="infer") as file:
        file.write(b"q\n" + b"word " * 2_000)
    with pytest.raises(UsageError, match="holds more than 5,000 bytes, which is too much for an evaluation set"):
        items(tmp_path / f"b.csv.{end}")
    monkeypatch.setattr(rows, "MOST_BYTES", 10_002)
    assert len(items(tmp_path / f"b.csv.{end}")) == 1


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(MissingError, match=r"benchmark 'b': .*b\.csv does not exist"):
        items(tmp_path / "b.csv")
    (tmp_path / "c.csv").mkdir()
    with pytest.raises(MissingError, match=r"benchmark 'c': .*c\.csv does not exist"):
        items(tmp_path / "c.csv")
    with pytest.raises(MissingError, match="hf://datasets/OWNER/NAME"):
        items("hf://datasets/openai/gsm8k")


# settings and registry


def test_a_name_is_a_benchmark_and_what_has_a_point_is_a_file():
    assert benchmark("gsm8k") == BenchmarkSettings(name="gsm8k")
    assert benchmark("gsm8k.jsonl").path == "gsm8k.jsonl"
    assert benchmark("data/gsm8k").path == "data/gsm8k"
    said = benchmark({"name": "mine", "path": "x.csv", "fields": ["q", {"choices": "c"}], "train": {"s": ["dev"]}})
    assert BenchmarkSettings.model_validate(said.model_dump(mode="json")) == said
    assert said.model_dump(mode="json") == {
        "name": "mine",
        "path": "x.csv",
        "fields": [{"text": ["q"]}, {"choices": ["c"]}],
        "train": {"s": ["dev"]},
    }
    for wrong in ({"like": "gsm8k", "name": "gsm8k"}, {"like": "gsm8k", "path": "x", "fields": ["q"]}):
        with pytest.raises(ValidationError, match="`like` says what fields a file has"):
            benchmark(wrong)
    with pytest.raises(ValidationError, match="a `path`, or the `name` of one of the registry"):
        benchmark({"fields": ["q"]})


def test_a_name_that_is_not_registered_is_answered_with_the_nearest():
    with pytest.raises(MissingError, match="benchmark 'gsmk' is no name in the registry; did you mean 'gsm8k'"):
        read_items([benchmark("gsmk")])
    with pytest.raises(MissingError, match="the registry has no benchmark 'ARC_easy'; did you mean 'arc_easy'"):
        registered("ARC_easy")
    with pytest.raises(MissingError, match="`gristmill benchmarks list` shows the names"):
        registered("///")


def test_the_registry_says_where_each_set_is():
    assert {"gsm8k", "math", "mmlu", "hellaswag", "arc_easy", "piqa", "winogrande", "boolq", "truthfulqa"} < set(
        BENCHMARKS
    )
    for name, found in BENCHMARKS.items():
        assert found.name == name
        assert re.fullmatch(r"[\w-]+/[\w-]+", found.dataset)
        assert len(set(found.addresses)) == len(found.configs) > 0
        assert found.what.endswith(".")
        assert found.licence
        assert len({field.called for field in found.fields}) == len(found.fields) > 0
        for address in found.addresses:
            assert re.fullmatch(
                r"https://huggingface\.co/datasets/[\w/-]+/resolve/refs%2Fconvert%2Fparquet/.*", address
            )


def test_a_summary_counts_what_is_too_short(tmp_path):
    rows = [{"q": f"{'word ' * n}end", "a": "yes"} for n in (1, 12, 13)]
    found = summarized(BenchmarkSettings(path=str(lines(tmp_path / "b.jsonl", *rows)), split="train"), 13)
    assert (found.items, found.short, found.train) == (3, 1, 3)
    assert [(field.name, field.texts, field.words) for field in found.fields] == [
        ("q", 3, (2, 13, 14)),
        ("a", 3, (1, 1, 1)),
    ]
    assert [item.id for item in found.sample(2)] == ["1", "3"]
    assert [item.id for item in found.sample(9)] == ["1", "2", "3"]
    assert found.sample(0) == []


# real data

PARTS = {
    "winogrande_val": [
        {"name": "filled", "text": "question", "choices": "choices", "answer": "answer", "first": 1, "blank": "_"}
    ],
    "hellaswag_val": [{"text": "context", "choices": "choices", "answer": "answer"}],
    "siqa_val": [{"text": ["context", "question"], "choices": "choices", "answer": "answer", "first": 1}],
    "cmmlu_test": [{"text": "question", "choices": "choices", "answer": "answer"}],
    "openbookqa_val": [{"text": "question", "choices": "choices", "answer": "answer"}],
    "arc_easy_test": [{"text": "question", "choices": "choices", "answer": "answer"}],
    "humaneval": [{"text": ["question", "answer"], "join": "", "kind": "code"}, "test"],
    "svamp": [{"text": ["context", "question"]}, "answer"],
}


@pytest.mark.data
def test_all_sets_are_read_and_each_item_has_texts_and_an_id_of_its_own(data):
    paths = sorted((data / "benchmarks").glob("*.jsonl.gz"))
    assert len(paths) == 40
    for path in paths:
        found = read_items([BenchmarkSettings(path=str(path))])
        assert len(found) == sum(map(bool, gzip.decompress(path.read_bytes()).splitlines()))
        assert len(set(found["benchmark_item"].to_pylist())) == len(found), path.name
        assert all(found["text"].to_pylist()), path.name
        assert pa.compute.list_value_length(found["text"]).equals(pa.compute.list_value_length(found["fields"]))


@pytest.mark.data
@pytest.mark.parametrize("name", sorted(PARTS))
def test_the_right_choices_of_real_items_are_found(data, name):
    path = data / "benchmarks" / f"{name}.jsonl.gz"
    found = read_items([BenchmarkSettings(path=str(path), fields=PARTS[name])])
    assert all(found["text"].to_pylist())
    if name == "winogrande_val":
        assert found["text"][0].as_py() == [
            "Sarah was a much better surgeon than Maria so Maria always got the easier cases."
        ]
    if name == "humaneval":
        assert set(found["kinds"][0].as_py()) == {"code", "prose"}
