"""Decontamination on whole runs: what is dropped, cut and told, and what may not change it."""

from __future__ import annotations

import io
import json

import pyarrow.parquet as pq
import pytest
from commands import outputs
from corpora import Document, carry_out, make_run
from pydantic import ValidationError
from rich.console import Console
from test_dedup_stage import spread

from gristmill import schema
from gristmill.dedup.settings import DecontaminateSettings
from gristmill.pipeline.audit import audit
from gristmill.pipeline.carry_out import phases_of
from gristmill.pipeline.ledger import flows
from gristmill.report.card_steps import steps_section
from gristmill.report.explain import explain, render_explanation
from gristmill.report.stats import collect

QUESTION = (
    "Janet’s ducks lay 16 eggs per day. She eats three for breakfast every morning and bakes muffins for her friends."
)
OTHER = "A robe takes 2 bolts of blue fiber and half that much white fiber. How many bolts in total does it take?"
SHORT = "Which gas do green plants mostly take in?"
FILLER = "The weather was fine that day, and nobody had anything to do. " * 12
SIGNALS = "  - signals: {families: [gopher_quality]}\n"


@pytest.fixture
def stage(tmp_path):
    """A function that returns a stage with two benchmarks and more settings."""
    items = {"sums": [("1", QUESTION), ("2", OTHER)], "facts": [("7", SHORT)]}
    for name, rows in items.items():
        lines = (json.dumps({"id": identity, "question": question}) + "\n" for identity, question in rows)
        (tmp_path / f"{name}.jsonl").write_text("".join(lines), "utf-8")
    paths = ", ".join(str(tmp_path / f"{name}.jsonl") for name in items)
    return lambda more="": f"  - decontaminate: {{benchmarks: [{paths}]{more and ', ' + more}}}\n{SIGNALS}"


DOCUMENTS = [
    Document("whole", f"{FILLER}\n{QUESTION.upper()}\n{FILLER}"),
    Document("both", f"{FILLER}\n{OTHER}\n{FILLER}\n{SHORT}\n{FILLER}"),
    Document("part", f"{FILLER} so bolts of blue fiber and half that much white fiber: how many bolts in it {FILLER}"),
    Document("short", f"{FILLER}\nwhich gas do GREEN plants mostly take in?\n{FILLER}"),
    Document("clean", FILLER),
    Document("none", None),
    Document("small", f"Q: {QUESTION}"),
]


def layer(run, name="decontaminate"):
    """A step's layer, by id."""
    found = {}
    for shard in run.plan.shards:
        ids = run.read(run.plan.text_step, shard, [schema.ID]).column(0).to_pylist()
        found |= dict(zip(ids, run.read(run.plan.step(name), shard).to_pylist(), strict=True))
    return found


def hits(run):
    """The hits, with the document's id in place of its row."""
    found = []
    for shard in run.plan.shards:
        ids = run.read(run.plan.text_step, shard, [schema.ID]).column(0).to_pylist()
        step = run.plan.step("decontaminate")
        table = pq.read_table(run.folder.path(f"{step.folder}/hits/{shard.name}.parquet")).to_pylist()
        found += [(ids[row.pop(schema.ROW)], row) for row in table]
    return found


def left(run):
    """The text that a later step reads of each document."""
    found = {}
    for shard in run.plan.shards:
        for table in run.texts(run.plan.step("signals"), shard, [schema.ID, schema.TEXT]):
            found |= dict(zip(*(table.column(name).to_pylist() for name in (schema.ID, schema.TEXT)), strict=True))
    return found


def reasons(run):
    return {identity: row[schema.REASONS] for identity, row in layer(run, "decontaminate.keep").items()}


def test_each_hit_tells_of_whom_and_where(tmp_path, stage):
    run = carry_out(make_run(tmp_path, {"x": DOCUMENTS}, stage()))
    assert [finding.broken for finding in audit(run)] == [[]] * 7
    found = hits(run)
    texts = {document.id: document.text for document in DOCUMENTS}
    assert [(i, h["benchmark"], h["benchmark_item"], h["field"], h["item_ratio"]) for i, h in found] == [
        ("whole", "sums", "1", "question", 1.0),
        ("both", "sums", "2", "question", 1.0),
        ("both", "facts", "7", "question", 1.0),
        ("part", "sums", "2", "question", pytest.approx(14 / 22)),
        ("short", "facts", "7", "question", 1.0),
        ("small", "sums", "1", "question", 1.0),
    ]
    for identity, hit in found:
        text = texts[identity]
        span = text[hit["character_start"] : hit["character_end"]]
        assert text.encode()[hit["start"] : hit["end"]].decode() == span
        assert hit["longest_match"] == hit["matched_word_count"]
    assert texts["whole"][found[0][1]["character_start"] :].startswith("JANET")
    assert found[3][1]["matched_word_count"] == 14
    dropped = "decontaminate.contaminated_ngram_count.max", "decontaminate.contaminated_short_count.max"
    assert reasons(run) == {
        "whole": [dropped[0]],
        "both": [*dropped],
        "part": [dropped[0]],
        "short": [dropped[1]],
        "clean": [],
        "none": [],
        "small": [dropped[0]],
    }


def test_each_benchmark_has_its_action(tmp_path, stage):
    run = carry_out(make_run(tmp_path, {"x": DOCUMENTS}, stage("actions: {sums: report}")))
    assert {i for i, found in reasons(run).items() if found} == {"both", "short"}
    actions = {identity: row[schema.CONTAMINATION_ACTION] for identity, row in layer(run).items()}
    assert actions == {
        "whole": "report", "both": "drop_document", "part": "report", "short": "drop_document", "clean": None,
        "none": None, "small": "report",
    }  # fmt: skip
    run = carry_out(make_run(tmp_path, {"x": DOCUMENTS}, stage("action: report"), "reported"))
    assert [step.name for step in run.plan.steps if step.stage == "decontaminate"] == ["decontaminate"]
    assert len(hits(run)) == 6


def test_what_is_found_is_cut_and_a_page_that_is_mostly_it_is_dropped(tmp_path, stage):
    many = Document("many", f"{FILLER}{QUESTION}\n" * 11)
    run = carry_out(make_run(tmp_path, {"x": [*DOCUMENTS, many]}, stage("action: cut")))
    assert [finding.broken for finding in audit(run)] == [[]] * 7
    texts = left(run)
    for identity in ("whole", "both", "short"):
        assert "ducks" not in texts[identity].lower()
        assert "bolts" not in texts[identity]
        assert "green" not in texts[identity].lower()
        assert texts[identity].count("weather") >= 16
    assert texts["clean"] == FILLER
    assert texts["none"] is None
    assert layer(run)["both"][schema.CONTAMINATION_CUT_COUNT] == 2
    assert layer(run)["clean"][schema.CHARACTERS_LEFT] is None
    assert reasons(run)["small"] == ["decontaminate.characters_left.min"]
    assert reasons(run)["many"] == ["decontaminate.contamination_cut_count.max"]
    assert {i for i, found in reasons(run).items() if found} == {"small", "many"}
    sizes = {flow.stage: flow for flow in flows(run, run.plan.deciders)}
    assert sizes["decontaminate"].bytes_kept == sum(
        len(text.encode()) for i, text in texts.items() if text and i not in ("small", "many")
    )
    assert "decontaminate" in steps_section(collect(run))
    console = Console(file=io.StringIO(), width=200)
    for told in explain(run, "http://example.org/"):
        console.print(render_explanation(told, text="edited"))
    assert "decontaminate.item" in console.file.getvalue()


def test_what_many_documents_have_is_passed_over(tmp_path, stage):
    common = [Document(f"c{i}", f"{FILLER} {i} {OTHER}") for i in range(4)]
    shards = {"x": [*DOCUMENTS, *common[:2]], "y": common[2:]}
    run = carry_out(make_run(tmp_path, shards, stage("most_documents: 4")))
    assert run.plan.step("decontaminate").scope == "corpus"
    assert {i for i, found in reasons(run).items() if found} == {"whole", "both", "short", "small"} | {"part"} - {
        "part"
    }
    assert {(i, h["benchmark_item"]) for i, h in hits(run)} == {
        ("whole", "1"), ("small", "1"), ("both", "7"), ("short", "7"),
    }  # fmt: skip
    run = carry_out(make_run(tmp_path, shards, stage("most_documents: 6"), "more"))
    assert {i for i, h in hits(run) if h["benchmark_item"] == "2"} == {"both", "part", "c0", "c1", "c2", "c3"}


@pytest.mark.parametrize("more", ["action: cut, most_documents: 3", "actions: {facts: cut}"])
def test_neither_shards_nor_order_change_a_thing(tmp_path, stage, more):
    documents = [*DOCUMENTS, *(Document(f"c{i}", f"{FILLER} {i} {OTHER}") for i in range(4))]
    expected = None
    for seed in range(3):
        shards = spread(documents, "xyz"[: 1 + seed], seed)
        run = carry_out(make_run(tmp_path, shards, stage(more), f"run{seed}"), reverse=seed == 2)
        found = layer(run), reasons(run), left(run), sorted(map(str, hits(run)))
        assert expected in (None, found)
        expected = found


def test_a_layer_without_its_hits_is_not_done(tmp_path, stage):
    """As after a kill between the two files."""
    run = carry_out(make_run(tmp_path, {"x": DOCUMENTS, "y": [Document("z", OTHER)]}, stage("most_documents: 9")))
    before = outputs(tmp_path / "mill")
    step = run.plan.step("decontaminate")
    run.folder.remove(f"{step.folder}/hits/x.parquet")
    waiting = [item for _, phase in phases_of(run, [step]) for item in phase.items() if not phase.is_done(item)]
    assert waiting == ["x"]
    carry_out(run)
    assert outputs(tmp_path / "mill") == before


def test_an_action_for_no_benchmark_is_refused():
    with pytest.raises(ValidationError, match="`actions` names 'mmlu', which is no benchmark of the stage: gsm8k"):
        DecontaminateSettings.model_validate({"benchmarks": ["gsm8k.jsonl"], "actions": {"mmlu": "cut"}})
