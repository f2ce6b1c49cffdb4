"""The stage: what reads edited text, how edits compose, what a run tells of them."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import reference_edits as reference
from commands import difference, gristmill, inside, outputs
from hypothesis import given, settings
from hypothesis import strategies as st
from test_edits import HOSTILE

from gristmill import schema
from gristmill.errors import CorruptError, RecipeError
from gristmill.filters.edits import catalogue
from gristmill.filters.edits.settings import EditSettings
from gristmill.filters.edits.spans import misfits
from gristmill.pipeline.audit import audit
from gristmill.pipeline.ledger import flows
from gristmill.pipeline.run import Run
from gristmill.pipeline.session import planned
from gristmill.pipeline.texts import edited
from gristmill.report.edited import pieces_of
from gristmill.report.explain import explain
from gristmill.report.html import render_html
from gristmill.report.stats import collect

STAGES = """
  - extract: {extractor: trafilatura, mode: precision}
  - language: {model: lid176, keep: {en: 0.65, de: 0.65, fr: 0.65, es: 0.65}}
  - edit: {pii: {types: [email, ip]}}
  - edit: {unicode: {normalization: NFC}}
  - edit: {c4_lines: {terminal_punctuation: false}}
  - edit: {repeated_lines: {where: anywhere, copies_kept: first}}
  - signals: {families: [gopher_quality]}
  - edit: {refinedweb_lines: {}, keep: {cut_word_ratio: {max: 0.02}}}
  - filter: {house: {cut_word_ratio: {max: 0.01}, word_count: {min: 30}}}
  - dedup: {exact: text}
  - tokenize: {vocabulary: 1024, sequence_length: 512, shard_tokens: 32k}
"""
EDITS = ("edit", "edit-2", "edit-3", "edit-4", "edit-5")


@pytest.fixture
def recipe(tmp_path):
    def write(stages, source="sample/*.warc.gz"):
        path = tmp_path / "recipe.yaml"
        path.write_text(f'name: quickstart\nsource: {{warc: ["{source}"]}}\nstages:{stages}', encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="module")
def edited_run(quickstart, tmp_path_factory):
    """A folder with the sample and a run of many edits, whose documents are those of the quickstart run."""
    folder = tmp_path_factory.mktemp("edits")
    (folder / "sample").symlink_to(quickstart / "sample")
    shutil.copytree(quickstart / "runs/quickstart/documents", folder / "runs/quickstart/documents")
    text = f'name: quickstart\nsource: {{warc: ["sample/*.warc.gz"]}}\nstages:{STAGES}'
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    inside("run", "recipe.yaml", "--workers", 1, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def run(edited_run):
    return Run.open(str(edited_run / "runs/quickstart"))


# --- planning -------------------------------------------------------------------------------------------------------


def test_what_reads_text_has_the_edits_before_it_among_its_inputs(quickstart, recipe, monkeypatch):
    monkeypatch.chdir(quickstart)
    inputs = {step.name: step.inputs for step in planned(recipe(STAGES)).steps}
    assert inputs["language"] == ("extract",)
    assert inputs["edit"] == ("extract",)
    assert inputs["edit-3"] == ("extract", "edit", "edit-2")
    assert inputs["signals"] == ("extract", *EDITS[:4])
    for name in ("dedup", "tokenize"):
        assert [step for step in inputs[name] if step in EDITS] == list(EDITS)
    assert set(inputs["filter"]) == {"edit-5", "signals"}


def test_another_edit_changes_what_reads_it_and_nothing_else(quickstart, recipe, monkeypatch):
    monkeypatch.chdir(quickstart)

    def digests(stages):
        return {step.name: step.digest for step in planned(recipe(stages)).steps}

    before = digests(STAGES)
    other = digests(STAGES.replace("[email, ip]", "[email]"))
    assert {name for name in before if before[name] == other[name]} == {"extract", "language", "language.keep"}
    bound = digests(STAGES.replace("max: 0.02", "max: 0.03"))
    changed = {name for name in before if before[name] != bound[name]}
    assert changed == {"edit-5.keep", "dedup", "tokenize"}


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ("edit: {}", "a stage makes one edit"),
        ("edit: {pii: {}, citations: {}}", "here is citations and pii"),
        ("edit: {pii: {type: [email]}}", "unknown key 'stages.edit.pii.type'; did you mean 'types'"),
        ("edit: {pii: {types: [fax]}}", "'stages.edit.pii.types'"),
        ("edit: {pii: {}, keep: {cut_word_ratio: {max: 1}}}", "'pii' does not measure 'cut_word_ratio'"),
        ("edit: {unicode: {repair: false}}", "nothing would be edited"),
    ],
)
def test_mistakes_are_found_before_anything_runs(quickstart, recipe, monkeypatch, stage, message):
    monkeypatch.chdir(quickstart)
    with pytest.raises(RecipeError) as caught:
        planned(recipe(f"\n  - extract\n  - {stage}\n"))
    assert message in str(caught.value)
    assert "recipe.yaml:5)" in str(caught.value)


# --- reading --------------------------------------------------------------------------------------------------------

CHAIN = tuple(
    EditSettings.model_validate(value)
    for value in ({"citations": {}}, {"pii": {}}, {"c4_lines": {"terminal_punctuation": False}}, {"unicode": {}})
)


def layers_of(rows):
    """The layers of a chain of edits, and the texts after all."""
    column, layers = pa.array(rows, pa.large_string()), []
    for edit in CHAIN:
        layers.append(catalogue.annotate(column, edit))
        column = catalogue.make(column, edit).texts
    return layers, column.to_pylist()


@settings(max_examples=60)
@given(rows=st.lists(st.one_of(HOSTILE, st.none()), max_size=8), size=st.integers(1, 4), other=st.integers(1, 4))
def test_texts_are_edited_whatever_the_row_groups(rows, size, other):
    layers, expected = layers_of(rows)
    documents = pa.table([pa.array(range(len(rows))), pa.array(rows, pa.large_string())], ["row", schema.TEXT])
    documents = documents.append_column(schema.TEXT_BYTES, pa.array([None] * len(rows), pa.int64()))

    def pieces(table, rows_each):
        return iter([table.slice(start, rows_each) for start in range(0, table.num_rows, rows_each)])

    tables = edited(pieces(documents, size), [pieces(pa.Table.from_batches([layer]), other) for layer in layers])
    found = [row for table in tables for row in table.to_pylist()]
    assert [row[schema.TEXT] for row in found] == expected
    assert [row[schema.TEXT_BYTES] for row in found] == [None if t is None else len(t.encode()) for t in expected]


@settings(max_examples=60)
@given(text=HOSTILE)
def test_pieces_hold_the_original_and_the_edited_text(text):
    layers, (expected,) = layers_of([text])
    pieces = pieces_of(text, [layer.column(schema.EDITS)[0].as_py() for layer in layers])
    assert b"".join(piece.text for piece in pieces if piece.state != "cut").decode() == expected
    first = pieces_of(text, [layers[0].column(schema.EDITS)[0].as_py()])
    assert b"".join(piece.text for piece in first if piece.state != "new").decode() == text
    assert all(piece.reason for piece in pieces if piece.state != "stays")


def test_a_layer_that_does_not_fit_is_named():
    documents = pa.table({schema.TEXT: pa.array(["short"], pa.large_string())})
    layer = pa.Table.from_pylist(
        [{"edits": [{"start": 1, "end": 99, "replacement": "", "reason": "x"}], "text_bytes": 1}], schema.EDITS_LAYER
    )
    with pytest.raises(CorruptError, match="gristmill audit"):
        list(edited(iter([documents]), [iter([layer])]))


def test_misfits_are_told_without_the_text():
    def row(left, *spans):
        edits = [dict(zip(("start", "end", "replacement", "reason"), (*s, "x"), strict=True)) for s in spans]
        return {"edits": edits, "text_bytes": left}

    rows = [
        row(5),
        row(4),
        row(4, (0, 2, "a")),
        row(3, (0, 2, ""), (1, 2, "")),
        row(9, (4, 6, "123456")),
        row(5, (2, 1, "")),
    ]
    table = pa.Table.from_pylist([*rows, {"edits": None, "text_bytes": None}], schema.EDITS_LAYER)
    edits, left = (table.column(name).combine_chunks() for name in schema.EDITS_LAYER.names)
    found = misfits(pa.array([5] * 6 + [0]), edits, left.fill_null(0))
    assert found.tolist() == [False, True, False, True, True, True, False]


# --- a whole run ----------------------------------------------------------------------------------------------------


def texts_after(run, count):
    """Every text of a run after its first edits, by id, made by the twin on the documents' own text."""
    texts = {}
    for shard in run.plan.shards:
        documents = run.read(run.plan.text_step, shard, [schema.ID, schema.TEXT]).to_pylist()
        layers = [run.read(step, shard, [schema.EDITS]).column(0).to_pylist() for step in run.plan.edits[:count]]
        for position, row in enumerate(documents):
            text = row[schema.TEXT]
            for layer in layers:
                text = None if text is None else reference.applied(text, layer[position])
            texts[row[schema.ID]] = text
    return texts


def test_the_run_is_sound_and_two_workers_give_the_same_bytes(edited_run, run, tmp_path):
    assert [finding.broken for finding in audit(run)] == [[]] * 7
    (tmp_path / "quickstart").mkdir()
    shutil.copytree(edited_run / "runs/quickstart/documents", tmp_path / "quickstart/documents")
    gristmill("run", "recipe.yaml", "--workers", 2, "--workdir", tmp_path, cwd=edited_run)
    assert difference(outputs(edited_run / "runs/quickstart"), outputs(tmp_path / "quickstart")) == []


def test_signals_are_those_of_the_edited_text(run):
    from gristmill.filters.signals.families import measure
    from gristmill.filters.signals.settings import SignalsSettings

    texts = texts_after(run, 4)
    step = run.plan.step("signals")
    for shard in run.plan.shards:
        ids = run.read(run.plan.text_step, shard, [schema.ID]).column(0).to_pylist()
        column = pa.array([texts[identity] for identity in ids], pa.large_string())
        expected = measure(column, SignalsSettings(families=["gopher_quality"])).to_pylist()
        assert run.read(step, shard).to_pylist() == expected
    original = texts_after(run, 0)
    assert sum(texts[key] != original[key] for key in texts) > 20


def test_the_tokens_are_those_of_the_edited_text(edited_run, run):
    from tokenizers import Tokenizer

    tokens = edited_run / "runs/quickstart/tokens"
    tokenizer = Tokenizer.from_file(str(tokens / "tokenizer.json"))
    found: dict[str, list[int]] = {}
    for path in sorted(tokens.glob("*.parquet")):
        for row in pq.read_table(path).to_pylist():
            at = 0
            for identity, length in zip(row["document_ids"], row["document_lengths"], strict=True):
                found.setdefault(identity, []).extend(row["tokens"][at : at + length])
                at += length
    texts = texts_after(run, 5)
    assert {key: tokenizer.decode(ids[:-1], skip_special_tokens=False) for key, ids in found.items()} == {
        key: texts[key] for key in found
    }
    index = json.loads((tokens / "index.json").read_text())
    assert index["text_bytes"] == sum(len(texts[key].encode()) for key in found)


def test_the_funnel_counts_the_bytes_that_are_left(run):
    def alive(deciders):
        for shard in run.plan.shards:
            ids = run.read(run.plan.text_step, shard, [schema.ID]).column(0).to_pylist()
            kept = run.kept(deciders, shard).to_pylist()
            yield from (key for key, keep in zip(ids, kept, strict=True) if keep)

    before, after = texts_after(run, 2), texts_after(run, 3)
    flow = next(flow for flow in flows(run, run.plan.deciders) if flow.stage == "edit-3")
    came, left = list(alive(run.plan.deciders[:4])), list(alive(run.plan.deciders[:5]))
    assert (flow.documents_in, flow.documents_kept) == (len(came), len(left))
    assert flow.bytes_in == sum(len(before[key].encode()) for key in came)
    assert flow.bytes_kept == sum(len(after[key].encode()) for key in left)
    assert flow.bytes_kept < sum(len(before[key].encode()) for key in left)


def summed(run, step):
    """The report's record of an edit, one document after the other."""
    before = run.plan.before_stage(run.plan.deciders, step.stage)
    found = {"documents": 0, "documents_edited": 0, "bytes_before": 0, "bytes_after": 0}
    reasons: dict[str, dict[str, int]] = {}
    for shard in run.plan.shards:
        came = [all(keep) for keep in zip(*(run.keep(d, shard).to_pylist() for d in before), strict=True)]
        for here, row in zip(came, run.read(step, shard, ["edits", "text_bytes"]).to_pylist(), strict=True):
            if not here or row["text_bytes"] is None:
                continue
            grown = sum(len(e["replacement"].encode()) - (e["end"] - e["start"]) for e in row["edits"])
            found["documents"] += 1
            found["documents_edited"] += bool(row["edits"])
            found["bytes_before"] += row["text_bytes"] - grown
            found["bytes_after"] += row["text_bytes"]
            for reason in {e["reason"] for e in row["edits"]}:
                spans = [e["end"] - e["start"] for e in row["edits"] if e["reason"] == reason]
                sums = reasons.setdefault(reason, {"documents": 0, "spans": 0, "bytes_cut": 0})
                for kind, number in zip(sums, (1, len(spans), sum(spans)), strict=True):
                    sums[kind] += number
    return found | {"stage": step.stage, "reasons": reasons}


def test_the_report_adds_up_what_each_edit_did(edited_run, run):
    stats = collect(run)
    for step, record in zip(run.plan.edits, stats["edits"], strict=True):
        reasons = {row.pop("reason"): row for row in (dict(row) for row in record["reasons"])}
        assert record | {"reasons": reasons} == summed(run, step)
        assert list(reasons) == sorted(
            reasons, key=lambda name: (-reasons[name]["bytes_cut"], -reasons[name]["spans"], name)
        )
    assert sum(record["documents_edited"] for record in stats["edits"]) > 10
    page = render_html(stats)
    assert '<span class="does"> c4_lines</span>' in page
    assert "<code>c4_<wbr>lines.<wbr>few_<wbr>words</code>" in page
    assert '<span class="does"> exact</span>' in page


def test_an_edit_drops_by_its_own_reasons(run):
    step = run.plan.step("edit-3.keep")
    reasons = {
        reason
        for shard in run.plan.shards
        for row in run.read(step, shard, [schema.REASONS]).column(0).to_pylist()
        for reason in row
    }
    assert reasons <= {rule.code for rule in catalogue.rules_of(EditSettings(c4_lines={}))}
    assert {"edit.c4_lines.kept_sentence_count.min", "edit.c4_lines.curly_bracket_line_count.max"} <= reasons


def test_explain_shows_what_was_cut_and_why(quickstart, edited_run, run):
    lines = [json.loads(line) for line in (quickstart / "sample/truth.jsonl").read_text().splitlines()]
    url = next(line["url"] for line in lines if line["case"] == "contact")
    (explanation,) = explain(run, url)
    shown = inside("explain", "runs/quickstart", url, "--text", cwd=edited_run).stdout
    assert "{pii." in shown
    assert "[+" in shown
    assert "edit.pii.text_bytes.min" in shown
    original = inside("explain", "runs/quickstart", url, "--original", cwd=edited_run).stdout
    assert "{pii." not in original
    assert explanation.text().split()[0] in original
    hostile = next(line["url"] for line in lines if line["case"] == "hostile" and "202e" not in line["url"])
    assert "\u202e" not in inside("explain", "runs/quickstart", hostile, "--text", cwd=edited_run).stdout


def test_the_card_says_what_of_an_edit_is_as_published(edited_run):
    inside("card", "runs/quickstart", cwd=edited_run)
    card = (edited_run / "runs/quickstart/README.md").read_text(encoding="utf-8")
    assert "| terminal punctuation | false | true |" in card
    assert "| `edit.c4_lines.kept_sentence_count.min` | ≥ 5 | yes |" in card
    assert "| `edit.refinedweb_lines.cut_word_ratio.max` | ≤ 0.02 | ≤ 0.05 |" in card


def test_an_altered_layer_of_edits_is_found(edited_run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(edited_run / "runs/quickstart", copy)
    run = Run.open(str(copy))
    step, shard = run.plan.step("edit-3"), run.plan.shards[0]
    table = run.read(step, shard)
    sizes = table.column(schema.TEXT_BYTES).to_pylist()
    position = table.column_names.index(schema.TEXT_BYTES)
    changed = table.set_column(position, table.field(position), pa.array([s and s + 1 for s in sizes], pa.int64()))
    from gristmill.pipeline.phases import as_batch, write_layer

    write_layer(run, step, shard, [as_batch(changed)], columns=catalogue.layout("c4_lines"))
    (copy / "manifest.json").unlink()
    broken = {finding.law: finding.broken for finding in audit(Run.open(str(copy)))}
    assert any("edits do not fit the text" in sentence for sentence in broken["edits"])
