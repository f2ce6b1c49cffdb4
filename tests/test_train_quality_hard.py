"""Training a quality model where things go wrong: interrupted, killed, on a full disk, with odd sources and columns."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import time

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import command, environment
from test_train_quality import SMALL, read, train, write_sources

from gristmill.classifiers.fasttext_inference.model import read_model
from gristmill.errors import MissingError, UsageError
from gristmill.pipeline import storage
from gristmill.pipeline.chosen_texts import parse_source
from gristmill.pipeline.run import open_run
from gristmill.pipeline.training_texts import training_texts


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def interrupted_at_work(folder, *, number):
    """Start a training that would take hours, send it a signal when it trains, and return its exit code and words."""
    line = command(
        "train", "quality", "--positive", "good.jsonl", "--negative", "bad.jsonl", "-o", "m.bin", *SMALL,
        "--epochs", 2_000_000,
    )  # fmt: skip
    process = subprocess.Popen(line, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not any(path.stat().st_size for path in folder.glob(".training*/made/train.txt")):
        time.sleep(0.005)
    process.send_signal(number)
    return process.wait(timeout=60), process.communicate()[1]


def test_a_training_that_is_interrupted_ends_at_once_and_leaves_nothing(tmp_path):
    write_sources(tmp_path)
    before = files(tmp_path)
    code, words = interrupted_at_work(tmp_path, number=signal.SIGINT)
    assert code == 130, words
    assert "interrupted" in words
    assert {path.name for path in tmp_path.iterdir()} == set(before)


def test_what_a_killed_training_left_goes_with_the_next_and_that_of_others_stays(tmp_path):
    write_sources(tmp_path)
    host = storage._host()
    names = {
        "dead": f".training{storage.TEMPORARY}{2**22 + 7}-{host}-1",
        "alive": f".training{storage.TEMPORARY}{os.getppid()}-{host}-1",
        "elsewhere": f".training{storage.TEMPORARY}{2**22 + 7}-ffffffff-1",
        "other": ".training-mine",
    }
    for name in names.values():
        (tmp_path / name / "training").mkdir(parents=True)
    train(tmp_path)
    assert {key for key, name in names.items() if not (tmp_path / name).exists()} == {"dead"}
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} == set(names.values()) - {
        names["dead"]
    }


@pytest.mark.parametrize("file", [1, 3])
def test_a_disk_that_is_full_at_the_end_leaves_the_older_model_whole(tmp_path, monkeypatch, file):
    write_sources(tmp_path)
    train(tmp_path)
    before = files(tmp_path)
    (tmp_path / "scratch").mkdir()
    moved, move = [], shutil.move

    def full(path, to):
        moved.append(path)
        if len(moved) == file:
            raise OSError(errno.ENOSPC, "No space left on device", str(to))
        return move(path, to)

    monkeypatch.setattr(shutil, "move", full)
    done = train(tmp_path, "--seed", 3, "--scratch", "scratch", check=False)
    assert done.returncode == 1
    assert "the disk is full" in done.stderr
    assert files(tmp_path) == before
    assert not list((tmp_path / "scratch").iterdir())


def test_a_test_of_which_nothing_is_left_is_told_before_the_training(tmp_path, monkeypatch):
    write_sources(tmp_path)

    def never(*_, **__):
        raise AssertionError("it trains")

    monkeypatch.setattr("gristmill.pipeline.train_quality.train", never)
    done = train(tmp_path, "--test-positive", "good.jsonl", "--test-negative", "good.jsonl", check=False)
    assert done.returncode == 2
    assert "no positive document of the test is left" in done.stderr


def test_a_model_cannot_be_a_folder(tmp_path):
    write_sources(tmp_path)
    for name in ("m.bin", "models"):
        (tmp_path / name).mkdir()
        done = train(tmp_path, output=name, check=False)
        assert done.returncode == 2
        assert f"--output {name} is a folder; name a file in it: -o {name}/quality.bin" in done.stderr


def test_a_folder_that_takes_nothing_is_told_before_anything_is_read(tmp_path, monkeypatch):
    write_sources(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    done = train(tmp_path, "--positive", "nowhere", "--negative", "nowhere", check=False)
    assert done.returncode == 2
    assert "--output m.bin: nothing can be written into" in done.stderr


def test_a_scratch_folder_that_takes_nothing_is_named(tmp_path):
    write_sources(tmp_path)
    done = train(tmp_path, "--scratch", "/proc/self", check=False)
    assert done.returncode == 2
    assert "nothing can be written into /proc/self" in done.stderr


def test_the_parts_of_a_source_may_change_places(tmp_path):
    source = parse_source("a b.jsonl by site text body where n > 1")
    assert (source.path, source.text, source.by) == ("a b.jsonl", "body", "site")
    for twice in ("a.jsonl by x by y", "a.jsonl text x by y text z"):
        with pytest.raises(UsageError, match="stands there twice"):
            parse_source(twice)
    assert parse_source(f"{'x' * 5000} by host").by == "host"
    assert parse_source("a\0b by host").path == "a\0b"


def test_columns_of_categories_are_read_as_their_values(tmp_path):
    table = pa.table(
        {
            "text": pa.array(["one", "two", "one", None]).dictionary_encode(),
            "level": pa.array(["good", "bad", "good", None]).dictionary_encode(),
        }
    )
    pq.write_table(table, tmp_path / "p.parquet")
    assert [row["text"] for row in read(f"{tmp_path}/p.parquet where level == good")] == ["one", "one"]
    assert [row["host"] for row in read(f"{tmp_path}/p.parquet by level where level in (bad, worse)")] == ["bad"]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("n >= 9007199254740993", [2]),
        ("n == 9007199254740993", [2]),
        ("n < 1e30", [0, 1, 2]),
        (f"n < {10**30}", [0, 1, 2]),
        ("n > 0.5", [1, 2]),
        ("small < 300", [0, 1, 2]),
    ],
)
def test_whole_numbers_are_compared_exactly(tmp_path, condition, found):
    table = pa.table({"text": list("abc"), "n": [0, 2**53, 2**53 + 1], "small": pa.array([1, 2, 3], pa.int8())})
    pq.write_table(table, tmp_path / "p.parquet")
    assert ["abc".index(row["text"]) for row in read(f"{tmp_path}/p.parquet where {condition}")] == found


def test_a_whole_number_that_no_column_holds_is_no_value_of_it(tmp_path):
    pq.write_table(pa.table({"text": ["a"], "n": pa.array([1], pa.int8())}), tmp_path / "p.parquet")
    for value in (300, 10**30):
        with pytest.raises(UsageError, match=f"'{value}' is no value of it"):
            read(f"{tmp_path}/p.parquet where n in ({value})")


def test_values_of_single_precision_are_compared_in_it(tmp_path):
    pq.write_table(pa.table({"text": list("ab"), "f": pa.array([0.65, 0.5], pa.float32())}), tmp_path / "p.parquet")
    for condition in ("f == 0.65", "f >= 0.65", "f in (0.65)"):
        assert [row["text"] for row in read(f"{tmp_path}/p.parquet where {condition}")] == ["a"], condition


def test_keys_that_nobody_asks_for_may_be_of_any_kind(tmp_path):
    rows = [{"text": f"t{n}", "meta": {"a": n if n % 2 else "x"}, "n": n} for n in range(4)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "a.jsonl").write_text(lines + "\n")
    assert [row["text"] for row in read(f"{tmp_path}/a.jsonl where n >= 2")] == ["t2", "t3"]
    assert next(training_texts([f"{tmp_path}/a.jsonl"])).to_pylist() == ["t0", "t1", "t2", "t3"]
    for named in ("where meta == 1", "by meta"):
        with pytest.raises(UsageError, match="a.jsonl cannot be read"):
            read(f"{tmp_path}/a.jsonl {named}")
    for wrong in ("{", "[1]", "3"):
        (tmp_path / "b.jsonl").write_text(f"{lines}{wrong}\n")
        with pytest.raises(UsageError, match="b.jsonl cannot be read"):
            read(tmp_path / "b.jsonl")


def test_sources_may_be_urls_of_any_kind(tmp_path):
    write_sources(tmp_path, 3, 3)
    assert len(read(f"file://{tmp_path}/good.jsonl by level where level > 0")) == 2
    fsspec.filesystem("memory").pipe("/pages/bad.jsonl.gz", (tmp_path / "bad.jsonl.gz").read_bytes())
    assert len(read("memory://pages/*.jsonl.gz")) == 3
    with pytest.raises(MissingError, match="^memory://pages/none.jsonl is no file and no run"):
        read("memory://pages/none.jsonl")
    with pytest.raises(MissingError, match="there is no run in 'memory://none'; "):
        open_run("memory://none")


def test_a_file_of_blank_lines_is_empty_and_an_array_is_no_jsonl(tmp_path):
    write_sources(tmp_path)
    (tmp_path / "blank.jsonl").write_text("\n\n")
    (tmp_path / "array.json").write_text('[{"text": "a"}]')
    for name, message in (("blank.jsonl", "no document; is it empty"), ("array.json", "an object {…} on each line")):
        done = train(tmp_path, "--positive", name, "--negative", "bad.jsonl", check=False)
        assert done.returncode == 2
        assert message in done.stderr


@pytest.mark.parametrize("option", ["--dim", "--buckets", "--epochs", "--min-count"])
def test_numbers_that_fasttext_cannot_hold_are_refused(tmp_path, option):
    done = train(tmp_path, option, 2**31, check=False)
    assert done.returncode == 2
    assert f"Invalid value for '{option}'" in done.stderr


def test_a_model_that_memory_cannot_hold_says_what_it_takes(tmp_path):
    write_sources(tmp_path)
    done = train(tmp_path, "--dim", 200_000, "--buckets", 2_000_000_000, check=False)
    assert done.returncode == 2
    assert "1,600,000 GB" in done.stderr
    assert "--dim" in done.stderr


def test_a_model_that_is_asked_takes_the_memory_of_its_matrices_and_words(tmp_path):
    write_sources(tmp_path)
    train(tmp_path)
    model, _ = read_model(tmp_path / "m.bin")
    assert model.rows.nbytes > 60_000
    assert model.letters.nbytes < 2_000
    assert model.letters.base is None or model.letters.base.nbytes < 2_000
