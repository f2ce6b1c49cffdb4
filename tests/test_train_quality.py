"""Training a quality model: what is read, what comes out, the same bytes again, and what goes wrong."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
import shutil

import fasttext
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import inside
from corpora import Document, carry_out, make_run

from gristmill.classifiers.models import FoundModel, digest_of
from gristmill.classifiers.quality.calibration import probabilities
from gristmill.classifiers.quality.normal import training_lines
from gristmill.classifiers.quality.sidecar import read_sidecar, sidecar_path
from gristmill.classifiers.quality.training import positive_scores
from gristmill.errors import CorruptError, StaleError, UsageError
from gristmill.pipeline.blobs import Blob
from gristmill.pipeline.chosen_texts import Reading, chosen_texts, parse_source

SMALL = ("--dim", 8, "--buckets", 2000, "--epochs", 8, "--least", 40, "--held-out", 0.25)
GOOD = "river mill grain valley winter harvest village stone wheel bread history of the old water and its people"
BAD = "buy click login cookie menu cheap casino subscribe now share cart bonus free offer home contact and the"


def prose(words, seed):
    return " ".join(random.Random(seed).choices(words.split(), k=30))


def write_sources(folder, positives=160, negatives=200):
    """Write good.jsonl and bad.jsonl.gz; three pages to a host."""
    for name, words, count in (("good", GOOD, positives), ("bad", BAD, negatives)):
        rows = [
            {"text": prose(words, f"{name}{n}"), "url": f"http://{name}{n // 3}.example/{n}", "level": n % 4}
            for n in range(count)
        ]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "bad.jsonl.gz").write_bytes(gzip.compress((folder / "bad.jsonl").read_bytes()))
    return folder


def train(folder, *arguments, output="m.bin", check=True):
    sources = ("--positive", "good.jsonl", "--negative", "bad.jsonl.gz") if "--positive" not in arguments else ()
    return inside("train", "quality", *sources, "-o", output, *SMALL, *arguments, cwd=folder, check=check)


def read(written, unit="line", column="text"):
    tables = list(chosen_texts(parse_source(str(written)), Reading(column, unit)))
    return pa.concat_tables(tables, promote_options="default").to_pylist() if tables else []


def test_a_model_is_trained_measured_and_described(tmp_path):
    write_sources(tmp_path)
    done = train(
        tmp_path, "--test-positive", "good.jsonl where level == 0", "--test-negative", "bad.jsonl where level == 0"
    )
    assert "ROC-AUC" in done.stdout
    path = tmp_path / "m.bin"
    digest = digest_of(path)
    assert digest in done.stdout
    sidecar = read_sidecar(FoundModel(path, digest))
    held_out = sidecar.report["held_out"]
    assert held_out["roc_auc"] > 0.99
    assert sidecar.report["test"]["known"] > 0
    model = fasttext.load_model(str(path))
    lines = training_lines(pa.array([prose(GOOD, "new"), prose(BAD, "new"), ""]), sidecar.form)
    scores = positive_scores(model, [f"{line}\n".encode() for line in lines.to_pylist()])
    assert scores[0] > 0.9 > 0.1 > scores[1]
    assert np.diff(probabilities(sidecar.calibration, scores[:2]))[0] < 0
    for name, one in sidecar.report["documents"].items():
        assert one["documents"] == {"positive": 160, "negative": 200}[name]
    card = (tmp_path / "m.bin.md").read_text(encoding="utf-8")
    assert f"{held_out['roc_auc']:.4f}" in card
    assert digest in card
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("output", ["m.bin", "m.ftz"])
def test_the_same_documents_give_the_same_bytes_in_any_order_and_place(tmp_path, output):
    digests = set()
    for number in range(3):
        folder = write_sources(tmp_path / f"{number}" if not (tmp_path / f"{number}").mkdir() else tmp_path)
        for name in ("good", "bad"):
            rows = (folder / f"{name}.jsonl").read_text().splitlines(keepends=True)
            random.Random(number).shuffle(rows)
            (folder / f"{name}.jsonl").write_text("".join(rows[: len(rows) // 2]))
            (folder / f"{name}2.jsonl").write_text("".join(rows[len(rows) // 2 :]))
        left = [random.randbytes(1 << number + 8) for _ in range(2000)]  # what a process leaves in memory
        del left
        train(folder, "--positive", "good*.jsonl", "--negative", "bad2.jsonl", "--negative", "bad.jsonl", output=output)
        digests.add(digest_of(folder / output))
    assert len(digests) == 1
    train(folder, "--positive", "good*.jsonl", "--negative", "bad*.jsonl", "--seed", 1, output=output)
    assert digest_of(folder / output) not in digests


def test_what_crawled_text_says_to_fasttext_is_not_heard(tmp_path):
    write_sources(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "good.jsonl").read_text().splitlines()]
    for row in rows:
        row["text"] = f"</s> __label__negative __label__other {row['text']}"
    (tmp_path / "good.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    train(tmp_path)
    model = fasttext.load_model(str(tmp_path / "m.bin"))
    assert sorted(model.labels) == ["__label__negative", "__label__positive"]
    assert "river" in model.words
    assert json.loads((tmp_path / "m.bin.json").read_text())["report"]["held_out"]["roc_auc"] > 0.99


def test_texts_of_both_classes_and_copies_are_counted_and_left_out(tmp_path):
    write_sources(tmp_path)
    shared = [
        json.dumps({"text": f"Text {'abcdefghij'[n]} of both!", "url": f"http://b{n}.example/"}) for n in range(10)
    ]
    for name in ("good", "bad"):
        with (tmp_path / f"{name}.jsonl").open("a") as file:
            file.write(
                "\n".join(shared).replace("Text", "TEXT" if name == "bad" else "Text") + '\n{"text": "\u2605"}\n'
            )
    with (tmp_path / "good.jsonl").open("a") as file:
        file.write(json.dumps({"text": prose(GOOD, "good1").upper() + "!"}) + '\n{"text": null}\n')
    done = train(tmp_path, "--positive", "good.jsonl", "--negative", "bad.jsonl")
    counts = json.loads((tmp_path / "m.bin.json").read_text())["report"]["documents"]
    assert [counts[name]["in_both"] for name in ("positive", "negative")] == [10, 10]
    assert [counts[name]["empty"] for name in ("positive", "negative")] == [1, 1]
    assert [counts[name]["copies"] for name in ("positive", "negative")] == [1, 0]
    assert "2 of 172 documents of good.jsonl have no host" in " ".join(done.stdout.split())


def test_mistakes_are_shown_with_what_they_hold_escaped(tmp_path):
    write_sources(tmp_path)
    wrong = [
        {"text": f"{prose(GOOD, f'wrong{n}')} \x1b[31m<script>|", "url": f"http://evil.example/\u202e{n}|<b>"}
        for n in range(6)
    ]
    with (tmp_path / "bad.jsonl").open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in wrong)
    for seed in range(20):
        done = train(tmp_path, "--positive", "good.jsonl", "--negative", "bad.jsonl", "--seed", seed, "--epochs", 4)
        mistakes = json.loads((tmp_path / "m.bin.json").read_text())["report"]["mistakes"]
        if any("evil" in one["name"] for one in mistakes):
            break
    worst = next(one for one in mistakes if not one["is_positive"])
    assert worst["score"] > 0.5
    card = (tmp_path / "m.bin.md").read_text(encoding="utf-8")
    for shown in (done.stdout, card):
        assert "evil" in shown
        assert not re.search("\x1b|\u202e", shown)
    assert "<script>" not in card
    assert all(line.count("|") == 5 for line in card.splitlines() if "evil" in line)


def test_every_kind_of_file_gives_documents_names_and_hosts(tmp_path):
    write_sources(tmp_path, 3, 3)
    found = read(tmp_path / "good.jsonl")
    assert [row["host"] for row in found] == ["good0.example"] * 3
    assert found[0]["name"] == "http://good0.example/0"
    assert [row["host"] for row in read(f"{tmp_path}/good.jsonl by level where level >= 1")] == ["1", "2"]
    assert [row["host"] for row in read(f"{tmp_path}/good.jsonl by file")] == ["good.jsonl"] * 3
    pq.write_table(pa.table({"body": ["x", None], "id": ["a/1", "a/2"], "n": [1, 2]}), tmp_path / "p.parquet")
    assert read(tmp_path / "p.parquet", column="body") == [{"text": "x", "name": "a/1", "host": None}]
    assert read(f"{tmp_path}/p.parquet by n where n == 1", column="body")[0]["host"] == "1"
    (tmp_path / "h.jsonl").write_text('{"text": "x", "host": "a.org"}\n{"text": "y", "host": null}\n')
    assert [row["host"] for row in read(f"{tmp_path}/h.jsonl by host")] == ["a.org", None]
    assert [row["text"] for row in read(f"{tmp_path}/h.jsonl where host in (.org)")] == ["x"]
    assert [row["host"] for row in read(f"{tmp_path}/good.jsonl by host where host in (.example)")] == [
        "good0.example"
    ] * 3
    shutil.copy(tmp_path / "p.parquet", tmp_path / "a text by b.parquet")
    assert [row["name"] for row in read(f"{tmp_path}/p.parquet text body where n > 0")] == ["a/1"]
    assert read(f"{tmp_path}/p.parquet text body by n where n == 1")[0]["host"] == "1"
    assert [row["name"] for row in read(f"{tmp_path}/a text by b.parquet where n > 0", column="body")] == ["a/1"]
    (tmp_path / "t.txt").write_bytes(b"one\r\ntwo\r\n \r\n\r\nthree\nfour\xff")
    texts = {unit: [row["text"] for row in read(tmp_path / "t.txt", unit)] for unit in ("line", "paragraph", "file")}
    assert texts["line"] == ["one", "two", " ", "", "three", "four\ufffd"]
    assert texts["paragraph"] == ["one\ntwo", "three\nfour\ufffd\n"]
    assert texts["file"] == ["one\r\ntwo\r\n \r\n\r\nthree\nfour\ufffd"]
    assert read(tmp_path / "t.txt")[4] == {"text": "three", "name": "t.txt:5", "host": None}


def test_texts_on_disk_are_read_back_in_any_order(tmp_path):
    blob = Blob(tmp_path / "blob")
    for part in ([], ["one", None, "\u00e9\0"], [], ["", "four"]):
        blob.append(pa.array(part, pa.large_string()))
    blob.append(pa.array(["not", "five", "not"], pa.string())[1:2])
    assert list(blob.rows(np.array([5, 0, 1, 2, 4, 0]))) == [b"five", b"one", b"", "\u00e9\0".encode(), b"four", b"one"]
    assert list(Blob(tmp_path / "none").rows(np.array([], np.int64))) == []
    empty = Blob(tmp_path / "empty")
    empty.append(pa.array(["", ""]))
    assert list(empty.rows(np.array([1]))) == [b""]


def test_paragraphs_do_not_depend_on_the_blocks_that_are_read(tmp_path, monkeypatch):
    (tmp_path / "t.txt").write_bytes(b"".join(b"line %d\r\n%s" % (n, b"\r\n" * (n % 3)) for n in range(60)))
    expected = read(tmp_path / "t.txt", "paragraph")
    assert len(expected) == 40
    monkeypatch.setattr("gristmill.pipeline.training_texts._BLOCK_BYTES", 7)
    assert [row["text"].strip() for row in read(tmp_path / "t.txt", "paragraph")] == [
        row["text"].strip() for row in expected
    ]


def test_a_key_that_some_lines_lack_is_null_there(tmp_path, monkeypatch):
    (tmp_path / "a.jsonl").write_text(
        "".join(json.dumps({"text": "x" * 20, "k": 1} if n % 9 == 8 else {"text": "y"}) + "\n" for n in range(20))
    )
    monkeypatch.setattr("gristmill.pipeline.training_texts._BLOCK_BYTES", 30)
    assert len(read(f"{tmp_path}/a.jsonl where k == 1")) == 2
    assert len(read(f"{tmp_path}/a.jsonl where k is null")) == 18


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a finished run of pages, of which a filter drops the short and dedup the copies."""
    documents = [
        Document(f"w/{n}", prose(GOOD if n % 2 else BAD, n) if n % 5 else "short page", f"http://h{n % 7}.example/{n}")
        for n in range(40)
    ]
    documents += [
        Document("w/90", None, "http://h1.example/gone"),
        Document("w/91", prose(GOOD, 1), "http://z.example/"),
    ]
    stages = (
        "  - signals: {families: [gopher_quality]}\n  - filter: {house: {word_count: {min: 5}}}\n"
        "  - dedup: {exact: text}\n"
    )
    folder = tmp_path_factory.mktemp("run")
    carry_out(make_run(folder, {"a": documents[:20], "b": documents[20:]}, stages))
    return folder / "mill"


def urls(written):
    return {row["name"] for row in read(written)}


def test_documents_of_a_run_are_chosen_by_layers_and_fates(run, tmp_path):
    everything = {f"http://h{n % 7}.example/{n}" for n in range(40)} | {"http://z.example/"}
    short = {f"http://h{n % 7}.example/{n}" for n in range(0, 40, 5)}
    copies = everything - short - urls(run)
    assert len(copies) == 1
    assert urls(f"{run} where kept") == urls(run) == everything - short - copies
    assert urls(f"file://{run} where kept") == urls(run)
    assert urls(f"{run} where word_count >= 1") == everything
    assert urls(f"{run} where word_count < 5") == urls(f"{run} where dropped by filter") == short
    assert urls(f"{run} where kept by filter") == everything - short
    assert urls(f"{run} where dropped by dedup or reason == house.word_count.min") == copies | short
    assert urls(f"{run} where kept and host in (h3.example)") == {url for url in urls(run) if "//h3." in url}
    (tmp_path / "cited.txt").write_text("https://www.h1.example/1\nh2.example/2\n")
    assert urls(f"{run} where url in {tmp_path}/cited.txt") == {"http://h1.example/1", "http://h2.example/2"}
    assert {row["host"] for row in read(run)} == {f"h{n}.example" for n in range(7)}
    assert {row["host"] for row in read(f"{run} by word_count")} == {"30"}


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("word_cuont >= 3", "the run 'mill' has no column 'word_cuont'; did you mean 'word_count'"),
        ("kept by filtre", "no stage 'filtre' keeps and drops in this run; did you mean 'filter'"),
        ("word_count == many", "'many' is no value of it"),
        ("word_count >", "needs a value"),
    ],
)
def test_what_a_run_cannot_be_asked_says_why(run, condition, message):
    with pytest.raises(UsageError, match=message):
        read(f"{run} where {condition}")


def test_a_run_has_one_text(run):
    with pytest.raises(UsageError, match="a run has one text of each document; leave out `text title`"):
        read(f"{run} text title")
    with pytest.raises(UsageError, match="leave out `by file`, or name a column"):
        read(f"{run} by file")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--positive", "good.jsonl"), "--negative is missing"),
        (("--positive", "good.jsonl", "--negative", "empty.txt"), "empty.txt: no document; is it empty"),
        (("--positive", "good.jsonl where level > 9", "--negative", "bad.jsonl"), "no document; .* fit the condition"),
        (("--positive", "good.jsonl", "--negative", "good.jsonl"), "160 in both classes"),
        (("--least", "4000"), "--least asks for 4,000"),
        (("--text-column", "body"), "good.jsonl has no key 'body'; there are: text, url, level"),
        (("--positive", "good.jsonl where lvel > 1", "--negative", "bad.jsonl"), "no key 'lvel'; did you mean 'level'"),
        (
            ("--positive", "empty.txt where level > 1", "--negative", "bad.jsonl"),
            "is text, which has no column 'level'",
        ),
        (("--positive", "good.jsonl where kept", "--negative", "bad.jsonl"), "only a finished run"),
        (("--positive", "nowhere", "--negative", "bad.jsonl"), "nowhere is no file and no run"),
        (("--positive", "good.jsonl where", "--negative", "bad.jsonl"), "the condition is empty"),
        (("--output", "m.txt"), "must end in .bin, or in .ftz"),
        (("--quantize",), "write -o m.ftz"),
        (("--output", "no/m.bin"), "there is no folder no"),
        (("--scratch", "no"), "--scratch no: there is no such folder"),
        (("--normalize", "line"), "did you mean 'lines'"),
        (("--test-positive", "good.jsonl"), "--test-negative is missing"),
        (("--output", "m.ftz", "--buckets", "20", "--word-ngrams", "1"), "too few to quantize"),
    ],
)
def test_what_goes_wrong_says_what_to_do_and_leaves_nothing(tmp_path, arguments, message):
    write_sources(tmp_path)
    (tmp_path / "empty.txt").write_text("")
    before = {path.name for path in tmp_path.iterdir()}
    done = train(tmp_path, *arguments, check=False)
    assert done.returncode == 2
    assert re.search(message, " ".join(done.stderr.split()))
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_model_and_what_stands_beside_it_belong_together(tmp_path):
    write_sources(tmp_path)
    train(tmp_path)
    path = tmp_path / "m.bin"
    model = FoundModel(path, digest_of(path))
    with pytest.raises(StaleError, match="written for another model"):
        read_sidecar(FoundModel(path, hashlib.sha256(b"other").hexdigest()))
    shutil.copy(path, tmp_path / "alone.bin")
    assert read_sidecar(FoundModel(tmp_path / "alone.bin", model.digest)) is None
    whole = json.loads(sidecar_path(path).read_text())
    for change, message in (
        ({"form": "stemmed"}, "normalized as 'stemmed'"),
        ({"form_version": "0"}, "version 0"),
        ({"format": 9}, "does not describe a model"),
        ({"calibration": {"scores": [1, 0], "probabilities": [0, 1]}}, "no table of ascending scores"),
        ({"unknown": 1}, "does not describe a model"),
    ):
        sidecar_path(path).write_text(json.dumps(whole | change))
        with pytest.raises(CorruptError, match=message):
            read_sidecar(model)


def test_a_disk_that_took_half_a_model_is_noticed(tmp_path, monkeypatch):
    write_sources(tmp_path)
    save = fasttext.FastText._FastText.save_model

    def cut(self, path):
        save(self, path)
        with open(path, "r+b") as file:  # noqa: PTH123
            file.truncate(9000)

    monkeypatch.setattr(fasttext.FastText._FastText, "save_model", cut)
    done = train(tmp_path, check=False)
    assert done.returncode == 1
    assert "is the disk full?" in done.stderr
    assert not (tmp_path / "m.bin").exists()


@pytest.mark.data
def test_clean_text_is_told_from_whole_pages_on_hosts_never_seen(data, tmp_path):
    text = data / "text"
    inside(
        "train", "quality", "--positive", f"{text}/wikipedia_paragraphs_12lang.jsonl.gz where lang == en",
        "--positive", f"{text}/onestopenglish.jsonl.gz by article",
        "--negative", f"{text}/noisy_web_fullpage.jsonl.gz where lang == en",
        "-o", "m.bin", "--dim", 8, "--buckets", 20_000, "--epochs", 15, "--held-out", 0.2, cwd=tmp_path,
    )  # fmt: skip
    found = json.loads((tmp_path / "m.bin.json").read_text())["report"]
    assert found["held_out"]["roc_auc"] >= 0.97
    assert found["documents"]["negative"]["held_out_hosts"] >= 10
