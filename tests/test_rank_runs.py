"""Ensembles and importance resampling in one recipe: killed and resumed the same bytes; the page and the card."""

import json
import random

import pytest
from commands import difference, outputs
from corpora import Document, carry_out, make_run

from gristmill.pipeline import order_statistics
from gristmill.pipeline.audit import audit
from gristmill.pipeline.carry_out import phases_of
from gristmill.pipeline.manifest import write_manifest
from gristmill.pipeline.run import Run
from gristmill.pipeline.warm import parts_of
from gristmill.report.write import CARD_FILE, PAGE_FILE, write_card, write_report

STAGES = """\
  - signals: {{families: [gopher_quality]}}
  - importance: {{target: {target}, min_words: 3, fraction: 0.8, scale_to: 20, seed: 3}}
  - ensemble:
      scores: [importance_log_weight, word_count, {{column: mean_word_length, lower_is_better: true, weight: 0.5}}]
      combine: mean
      buckets: 7
      keep: {{score_bucket: {{min: 2}}}}
"""


class Killed(Exception):
    pass


class Killer:
    """Progress that ends the work at a random report."""

    def __init__(self, left):
        self.left = left

    def update(self, rows, fraction):
        self.left -= 1
        if self.left < 0:
            raise Killed


@pytest.fixture
def stages(tmp_path):
    (tmp_path / "target.txt").write_text("a b c d\nthe a of b\n" * 5, "utf-8")
    return STAGES.format(target=tmp_path / "target.txt")


def shards():
    rng = random.Random(3)
    words = ["a", "b", "of", "the", "page", "shopping", "cart", "checkout"]
    texts = [" ".join(rng.choices(words, k=rng.randint(2, 30))) for _ in range(80)]
    documents = [Document(f"d/{i}", text) for i, text in enumerate([*texts, None, "", "<b>&\0"])]
    return {"a": documents[:30], "b": documents[30:31], "c": documents[31:]}


def layers(folder):
    """All files that a run must reproduce, but for those that name the folder of its source."""
    return {name: digest for name, digest in outputs(folder).items() if "/" in name}


def test_killed_at_random_moments_and_resumed_gives_the_same_bytes(tmp_path, stages):
    carry_out(make_run(tmp_path / "whole", shards(), stages))
    killed = make_run(tmp_path / "killed", shards(), stages)
    moments, kills = random.Random(11), 0
    while True:
        run = Run.open(killed.folder.url)
        try:
            for _, phase in phases_of(run, run.plan.steps[1:]):
                for item in phase.items():
                    if not phase.is_done(item):
                        phase.perform(item, Killer(moments.randint(0, 3)))
            break
        except Killed:
            kills += 1
    write_manifest(run)
    assert kills > 5
    mine, others = (layers(tmp_path / name / "mill") for name in ("whole", "killed"))
    assert len(mine) > 20
    assert difference(mine, others) == []
    assert [finding.broken for finding in audit(run)] == [[]] * 7


def test_more_rounds_give_the_same_layers(tmp_path, stages, monkeypatch):
    few = carry_out(make_run(tmp_path / "1", shards(), stages))
    monkeypatch.setattr(order_statistics, "FEW_DOCUMENTS", 0)
    many = carry_out(make_run(tmp_path / "2", shards(), stages))
    rounds = f"{many.plan.step('ensemble').folder}/order/narrow-5.parquet"
    assert many.folder.exists(rounds)
    assert not few.folder.exists(rounds)
    for step in few.plan.steps:
        for shard in few.plan.shards:
            assert few.read(step, shard).equals(many.read(many.plan.step(step.name), shard))


def test_the_kernels_are_compiled_before_workers_start(tmp_path, stages):
    run = make_run(tmp_path, shards(), stages)
    assert parts_of(run.plan.steps) == ["gopher_quality.unicode", "importance", "importance_key"]


def test_the_page_and_the_card_tell_of_both(tmp_path, stages):
    run = carry_out(make_run(tmp_path, shards(), stages))
    write_report(run)
    write_card(run)
    card = run.folder.read_bytes(CARD_FILE).decode()
    assert "- fraction: `0.8`" in card
    assert "target.txt" in card
    assert "- buckets: `7`" in card
    assert card.count("- min words: ") == 1
    assert "| `ensemble.score_bucket.min` | ≥ 2 | – | 19 |" in card
    page = run.folder.read_bytes(PAGE_FILE).decode().replace("<wbr>", "")
    for name in ("score_bucket", "importance_log_weight", "importance.importance_key.min", "ensemble.score_bucket.min"):
        assert name in page
    stats = json.loads(run.folder.read_bytes("report/stats.json"))
    assert [row["stage"] for row in stats["funnel"]][-2:] == ["importance", "ensemble"]
