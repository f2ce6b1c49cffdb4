"""Dedup as a user runs it: two workers, kills, an older run; each time the same bytes."""

from __future__ import annotations

import random
import shutil

import pytest
from commands import difference, gristmill, outputs
from test_dedup_stage import decided
from test_resume import kill_at

from gristmill.pipeline.audit import audit
from gristmill.pipeline.run import Run

RECIPE = """\
name: kinds
source: {warc: ["sample/*.warc.gz"]}
stages:
  - extract: {extractor: trafilatura, mode: precision}
  - dedup: {url: {}}
  - dedup: {exact: normalized_text, survivor: longest, scope: host, bloom: {passes: one}}
  - dedup: {exact: text, bloom: {passes: two}, against: [runs/quickstart], warn: false}
  - dedup: {lines: {}}
  - dedup: {paragraphs: {ngram: 5, fewest_words: 5}}
  - dedup: {substrings: {tokens: 6}}
"""
KILLS = 3


@pytest.fixture(scope="module")
def folder(quickstart, tmp_path_factory):
    """A folder with the sample, its quickstart run, and the run of many kinds with one worker."""
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "sample").symlink_to(quickstart / "sample")
    (folder / "runs").mkdir()
    (folder / "runs" / "quickstart").symlink_to(quickstart / "runs" / "quickstart")
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    run(folder, "runs", 1)
    return folder


def run(folder, workdir, workers):
    documents = folder / workdir / "kinds" / "documents"
    if not documents.exists():
        shutil.copytree(folder / "runs" / "quickstart" / "documents", documents)
    return gristmill("run", "recipe.yaml", "--workers", workers, "--workdir", workdir, cwd=folder)


def test_the_run_is_sound_and_what_the_older_run_has_is_dropped(folder, monkeypatch):
    monkeypatch.chdir(folder)
    opened = Run.open("runs/kinds")
    assert [finding.broken for finding in audit(opened)] == [[]] * 7
    older = decided(Run.open("runs/quickstart"))
    compared = {identity for identity, (_, _, size) in older.items() if size is not None}
    found = decided(opened, "dedup-3")
    dropped = {identity for identity, (_, partner, _) in found.items() if (partner or "").startswith("quickstart:")}
    assert len(dropped) > 100, "an edit has changed few of the older run's texts"
    assert dropped <= compared
    for identity in dropped:
        assert found[identity][:2] == ("dedup.exact", f"quickstart:{older[identity][1] or identity}")
    assert {reason for reason, *_ in decided(opened).values()} == {None, "dedup.url"}
    assert edits(opened, "dedup-4") > 10
    assert edits(opened, "dedup-5") > 0
    assert edits(opened, "dedup-6") > 10


def edits(run, name):
    """How many spans a step cuts."""
    step = run.plan.step(name)
    return sum(
        sum(map(len, run.read(step, shard, ["edits"])["edits"].drop_null().to_pylist())) for shard in run.plan.shards
    )


def test_two_workers_give_the_same_bytes(folder):
    run(folder, "two", 2)
    assert difference(outputs(folder / "runs" / "kinds"), outputs(folder / "two" / "kinds")) == []


def test_killed_and_resumed_gives_the_same_bytes(folder):
    moments = random.Random(7)
    shutil.copytree(folder / "runs" / "quickstart" / "documents", folder / "killed" / "kinds" / "documents")
    arguments = ("run", "recipe.yaml", "--workers", 2, "--workdir", "killed")
    for _ in range(KILLS):
        assert kill_at(moments.randint(3, 12), arguments, folder)
    run(folder, "killed", 2)
    assert difference(outputs(folder / "runs" / "kinds"), outputs(folder / "killed" / "kinds")) == []
