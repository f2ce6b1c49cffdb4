"""Texts to train on: every kind of file, and what a run kept."""

from __future__ import annotations

import gzip
import json
import lzma
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import reference_perplexity
from commands import inside

from gristmill.errors import CorruptError, MissingError, UsageError
from gristmill.filters.edits.spans import apply_edits
from gristmill.pipeline import training_texts
from gristmill.pipeline.run import Run
from gristmill.pipeline.training_texts import as_lines

TEXTS = ["one two", "three\nfour", "", "é \u2028 five"]


def read(*sources, column="text"):
    return [
        text for array in training_texts.training_texts([str(s) for s in sources], column) for text in array.to_pylist()
    ]


def test_every_kind_of_file_gives_its_texts(tmp_path):
    lines = "".join(json.dumps({"text": text, "n": 1}) + "\n" for text in [*TEXTS, None]).encode()
    (tmp_path / "a.jsonl").write_bytes(lines)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines))
    pq.write_table(pa.table({"text": [*TEXTS, None]}), tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.jsonl.gz", "a.parquet"):
        assert read(tmp_path / name) == TEXTS
    (tmp_path / "a.txt.xz").write_bytes(lzma.compress("one two\r\n\nüb\x00er\nlast".encode() + b"\xff"))
    assert read(tmp_path / "a.txt.xz") == ["one two\r", "", "üb\x00er", "last\ufffd"]
    assert read(tmp_path / "*.jsonl*") == TEXTS * 2
    assert read(tmp_path / "a.txt.xz", tmp_path / "a.jsonl")[-1] == TEXTS[-1]


def test_files_are_read_in_blocks_of_whole_lines(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("".join(f"line {n}\n" for n in range(100)) + "end", encoding="utf-8")
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": f"{n}" * 9}) + "\n" for n in range(50)))
    expected = read(tmp_path / "a.txt"), read(tmp_path / "a.jsonl")
    monkeypatch.setattr(training_texts, "_BLOCK_BYTES", 10)
    assert (read(tmp_path / "a.txt"), read(tmp_path / "a.jsonl")) == expected


def test_texts_become_lines_with_an_end():
    arrays = [
        pa.array(TEXTS, pa.large_string()),
        pa.array([], pa.large_string()),
        pa.array(TEXTS, pa.large_string())[1:2],
    ]
    assert b"".join(as_lines(arrays)).decode() == "one two\nthree\nfour\n\né \u2028 five\nthree\nfour\n"


def test_what_cannot_be_read_says_which_and_why(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"content": "x"}\n')
    (tmp_path / "b.jsonl").write_text('{"text": ["x"]}\n')
    (tmp_path / "c.jsonl").write_text('{"text": \n')
    (tmp_path / "d.txt.gz").write_bytes(gzip.compress(b"line\n" * 1000)[:-9])
    pq.write_table(pa.table({"body": ["x"]}), tmp_path / "e.parquet")
    (tmp_path / "f.parquet").write_bytes(b"no parquet")
    for name, kind, message in (
        ("a.jsonl", UsageError, "no key 'text'; it has: content"),
        ("b.jsonl", UsageError, "'text' is list"),
        ("c.jsonl", UsageError, "cannot be read"),
        ("d.txt.gz", CorruptError, "cannot be unpacked to its end"),
        ("e.parquet", UsageError, "no column 'text'; it has: body"),
        ("f.parquet", UsageError, "cannot be read"),
        ("g.txt", MissingError, "no file and no run"),
    ):
        with pytest.raises(kind, match=message) as raised:
            read(tmp_path / name)
        assert name in str(raised.value)


def test_of_a_run_what_was_kept_is_read_as_its_last_edit_left_it(quickstart, tmp_path):
    recipe = tmp_path / "edited.yaml"
    recipe.write_text(
        'name: edited\nsource: {warc: ["sample/*.warc.gz"]}\nstages:\n  - extract: {}\n  - edit: {repeated_lines: {}}\n'
        "  - dedup: {exact: text}\n",
        encoding="utf-8",
    )
    shutil.copytree(quickstart / "runs/quickstart/documents", tmp_path / "runs/edited/documents")
    inside("run", recipe, "--workers", 1, "--workdir", tmp_path / "runs", cwd=quickstart)
    run = Run.open(str(tmp_path / "runs/edited"))
    expected = []
    for shard in run.plan.shards:
        texts = run.read(run.plan.text_step, shard, ["text"]).column("text").combine_chunks()
        edits = run.read(run.plan.step("edit"), shard, ["edits"]).column("edits").combine_chunks()
        expected += apply_edits(texts, edits).filter(run.kept(run.plan.deciders, shard).combine_chunks()).to_pylist()
    found = read(tmp_path / "runs/edited")
    assert found == expected
    assert found != read(quickstart / "runs/quickstart")


def test_a_model_is_trained_by_the_command(quickstart, tmp_path):
    done = inside("train", "perplexity", "runs/quickstart", "-o", tmp_path / "lm.arpa", "--order", 3, cwd=quickstart)
    assert "sentences" in done.stdout
    assert f"{(tmp_path / 'lm.arpa').stat().st_size:,} bytes" in done.stdout
    found, stated = reference_perplexity.read_arpa((tmp_path / "lm.arpa").read_bytes())
    assert stated == {n: sum(len(gram) == n for gram in found) for n in (1, 2, 3)}
    text = b"".join(as_lines(training_texts.training_texts([str(quickstart / "runs/quickstart")])))
    assert {gram for gram in found if len(gram) == 3} == reference_perplexity.model(text, (0, 0, 0)).keys() & {
        gram for gram in found if len(gram) == 3
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "lm.txt"), "must end in .arpa or .bin"),
        (("-o", "nowhere/lm.bin"), "there is no folder nowhere"),
        (("-o", "lm.bin", "--prune", "0;1"), "write numbers with commas"),
        (("-o", "lm.bin", "--order", "9"), "from 2 to 6"),
        (("-o", "lm.bin"), "there is no word"),
    ],
)
def test_a_mistake_in_the_command_says_what_to_do(tmp_path, arguments, message):
    (tmp_path / "empty.txt").write_bytes(b"\n \n")
    done = inside("train", "perplexity", "empty.txt", *arguments, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert [path.name for path in tmp_path.iterdir()] == ["empty.txt"]
