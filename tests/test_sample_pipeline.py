"""The whole pipeline is held to the truth of the embedded sample."""

import json
import shutil

import pyarrow.parquet as pq
import pytest
from commands import QUICKSTART, difference, gristmill, inside, outputs

from gristmill.pipeline.run import Run


@pytest.fixture(scope="module")
def truth(quickstart):
    return [json.loads(line) for line in (quickstart / "sample" / "truth.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def fates(quickstart):
    inside("fates", "quickstart", "-o", "fates.parquet", cwd=quickstart)
    return {row["id"]: row for row in pq.read_table(quickstart / "fates.parquet").to_pylist()}


def identity(line):
    return f"{line['warc'].removesuffix('.warc.gz')}/{line['offset']}"


def test_every_record_has_exactly_one_fate(truth, fates):
    assert {identity(line) for line in truth} == set(fates)
    assert len(truth) == len(fates)


def test_every_fate_is_the_expected_one(truth, fates):
    wrong = []
    for line in truth:
        found = fates[identity(line)]
        right = found["kept"] == line["kept"] and found["stage"] == line["stage"]
        if not line["kept"]:
            right = right and bool(set(found["reasons"]) & set(line["reasons_any"]))
        if not right or found["duplicate_of"] != line.get("duplicate_of"):
            wrong.append((line, found))
    assert not wrong, f"{len(wrong)} of {len(truth)}:\n" + "\n".join(f"{a}\n  {b}" for a, b in wrong[:10])


def test_every_planted_case_occurs(truth):
    cases = {line["case"] for line in truth}
    assert len(cases) >= 15, cases
    assert {"near_duplicate", "outdated_copy"} <= cases


def test_the_token_shards_hold_the_kept_documents(quickstart, fates):
    index = json.loads((quickstart / "runs/quickstart/tokens/index.json").read_text())
    packed = set()
    for path in (quickstart / "runs/quickstart/tokens").glob("*.parquet"):
        for ids in pq.read_table(path, columns=["document_ids"]).column("document_ids").to_pylist():
            packed |= set(ids)
    assert packed == {key for key, row in fates.items() if row["kept"]}
    assert index["documents"] == len(packed)
    assert len(index["shards"]) > 1


def test_the_audit_passes_and_finds_what_is_broken(quickstart, tmp_path):
    done = inside("audit", "runs/quickstart", cwd=quickstart)
    assert "broken" in done.stdout
    copy = tmp_path / "copy"
    shutil.copytree(quickstart / "runs" / "quickstart", copy)
    run = Run.open(str(copy))
    tokens, made = copy / "tokens", next(copy.glob("tokenize-*"))
    victims = {
        "footer": (copy / run.file(run.plan.step("language"), run.plan.shards[0]), with_another_column_name),
        "tokenizer": (tokens / "tokenizer.json", lambda b: b[:50] + b"x" + b[51:]),
        "trained tokenizer": (made / "tokenizer.json", lambda b: b""),
        "index": (tokens / "index.json", lambda b: b.replace(b'"sha256": "', b'"sha256": "0')),
        "no index": (tokens / "index.json", lambda b: b"[]"),
        "altered": (
            copy / run.file(run.plan.step("signals"), run.plan.shards[0]),
            lambda b: b[:100] + b"\x00" + b[101:],
        ),
        "missing": (next((copy / "tokens").glob("*.parquet")), None),
        "short": (copy / run.file(run.plan.step("filter"), run.plan.shards[1]), lambda b: b[: len(b) // 2]),
    }
    for name, (path, change) in victims.items():
        whole = path.read_bytes()
        if change is None:
            path.unlink()
        else:
            path.write_bytes(change(whole))
        failed = inside("audit", str(copy), cwd=quickstart, check=False)
        assert failed.returncode == 1, name
        assert path.name in failed.stderr, (name, failed.stderr)
        assert "Traceback" not in failed.stderr
        path.write_bytes(whole)
    inside("audit", str(copy), cwd=quickstart)


def with_another_column_name(data):
    """Return a Parquet file with a letter of a column's name changed in its footer, where no data lies."""
    at = data.rindex(b"language_score")
    return data[:at] + b"language_scorf" + data[at + 14 :]


def test_a_run_heals_what_is_damaged_or_gone(quickstart, tmp_path):
    """Control files, tokens and layers: whatever is not what was written is written again, to the same bytes."""
    run = tmp_path / "quickstart"
    shutil.copytree(quickstart / "runs" / "quickstart", run)
    expected = outputs(run)
    damage = {
        "tokens/index.json": b"{",
        "tokens/tokenizer.json": b"",
        "tokenize-*/tokenizer.json": b"{}",
        "tokenize-*/tokenizer.made_from.json": b"[]",
        "tokenize-*/packed/train-00000-*.json": b"null",
        "decontaminate-*/index/index.parquet": b"PAR1",
        "signals-*/sample-00001.parquet": b"",
        "dedup-*/reduced/00002.arrow": b"x" * 100,
        "documents/sample-00002.parquet": None,
        "plan.json": b"",
        "manifest.json": b"",
    }
    for pattern, data in damage.items():
        (path,) = run.glob(pattern)
        if data is None:
            path.unlink()
        else:
            path.write_bytes(data)
    gristmill("run", QUICKSTART, "--workdir", tmp_path, "--workers", 2, cwd=quickstart)
    assert difference(expected, outputs(run)) == []
    inside("audit", run, cwd=quickstart)


def test_a_packed_shard_that_lost_a_document_is_found(quickstart, tmp_path):
    """A file rewritten with a right digest but without one sequence still breaks the law of tokens."""
    from gristmill import schema
    from gristmill.pipeline import shards
    from gristmill.pipeline.stages.tokenize import Tokenization

    copy = tmp_path / "copy"
    shutil.copytree(quickstart / "runs" / "quickstart", copy)
    run = Run.open(str(copy))
    work = Tokenization(run, run.plan.step("tokenize"))
    name = work.token_shards()[0]
    table = pq.read_table(copy / "tokens" / f"{name}.parquet")
    with run.folder.writing(f"tokens/{name}.parquet") as sink:
        writer = shards.ShardWriter(sink, schema.packed(work.encoder.token_type), work.packed_digest(name))
        writer.write_group(table.slice(1))
        writer.close()
    failed = inside("audit", str(copy), cwd=quickstart, check=False)
    assert failed.returncode == 1
    assert f"{name}.parquet holds" in failed.stderr
