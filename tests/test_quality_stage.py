"""The stage: a layer for each classifier, bounds on scores, and what a run tells of them."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
import quality_models as models
from commands import difference, inside, outputs
from corpora import Document, carry_out, make_run

from gristmill import schema
from gristmill.classifiers.quality.sidecar import sidecar_path
from gristmill.errors import GristmillError, RecipeError, StaleError, UsageError
from gristmill.filters.rules.rule import Rule
from gristmill.pipeline.audit import audit
from gristmill.pipeline.ledger import fates
from gristmill.pipeline.run import Run
from gristmill.pipeline.session import planned
from gristmill.pipeline.stages import PHASES
from gristmill.pipeline.stages.rules import step_rules
from gristmill.report.explain import explain
from gristmill.report.stats import collect
from gristmill.report.write import write_card, write_report

TEXTS = [*models.GOOD, *models.BAD, "", "of", None]
SHARDS = {
    "one": [Document(f"one/{row}", text, f"http://a.example/{row}") for row, text in enumerate(TEXTS)],
    "two": [Document(f"two/{row}", text, f"http://b.example/{row}") for row, text in enumerate(reversed(TEXTS))],
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two models, of which the second has a table of probabilities beside it."""
    folder = tmp_path_factory.mktemp("models")
    one = models.train(folder / "one.bin")
    return SimpleNamespace(one=one, two=models.describe(models.train(folder / "two.bin", epoch=2)))


@pytest.fixture(scope="module")
def done(files, tmp_path_factory):
    """A finished run with two classifiers and every kind of bound."""
    stages = f"""\
  - quality:
      fasttext:
        dclm: {files.one}
        own: {{model: {files.two}, buckets: [0.2, 0.4]}}
      use: [dclm]
      keep: {{own_probability: {{min: 0.2}}, own_bucket: {{max: 5}}}}
  - filter: {{house: {{dclm_score: {{min: 0.4}}, own_score: {{max: 0.9999}}}}}}
  - dedup: {{exact: text}}
"""
    return carry_out(make_run(tmp_path_factory.mktemp("done"), SHARDS, stages))


def layer(run, step):
    found = {}
    for shard in run.plan.shards:
        ids = run.read(run.plan.text_step, shard, [schema.ID]).column(0).to_pylist()
        found |= dict(zip(ids, run.read(run.plan.step(step), shard).to_pylist(), strict=True))
    return found


def stage(files, **written):
    given = ", ".join(f"{key}: {value}" for key, value in ({"fasttext": files.one} | written).items())
    return f"  - quality: {{{given}}}\n"


# --- planning -------------------------------------------------------------------------------------------------------


def test_a_path_alone_is_a_classifier_named_fasttext_quality(files, tmp_path):
    run = make_run(tmp_path, SHARDS, stage(files, keep="{fasttext_quality_score: {min: 0.018}}"))
    scoring, deciding = run.plan.steps[1:]
    assert scoring.columns == ("fasttext_quality_score",)
    assert step_rules(deciding) == (Rule("quality", "fasttext_quality_score", "min", 0.018),)
    carry_out(run)
    assert len([row for row in layer(run, scoring.name).values() if row["fasttext_quality_score"] is not None]) == 16


def test_without_a_bound_nothing_is_decided(files, tmp_path):
    steps = make_run(tmp_path, SHARDS, stage(files)).plan.steps
    assert [step.kind for step in steps] == ["extract", "quality"]


def test_keep_changes_a_presets_bounds_or_switches_them_off(files, tmp_path):
    def rules(name, keep):
        text = stage(files, fasttext=f"{{dclm: {files.one}}}", use="[dclm]", keep=keep)
        steps = make_run(tmp_path, SHARDS, text, name).plan.steps
        return [(rule.code, rule.bound) for step in steps if step.kind == "rules" for rule in step_rules(step)]

    assert rules("a", "{}") == [("quality.dclm_score.min", 0.018112)]
    assert rules("b", "{dclm_score: {min: 0.1}}") == [("quality.dclm_score.min", 0.1)]
    assert rules("c", "{dclm_score: {max: 1}}") == [
        ("quality.dclm_score.min", 0.018112),
        ("quality.dclm_score.max", 1),
    ]
    assert rules("d", "{dclm_score: {min: null}}") == []


def test_one_classifier_more_leaves_the_others_layers_as_they_are(files, tmp_path):
    one = make_run(tmp_path, SHARDS, stage(files, fasttext=f"{{a: {files.one}}}"), "one").plan
    both = make_run(tmp_path, SHARDS, stage(files, fasttext=f"{{b: {files.two}, a: {files.one}}}"), "both").plan
    assert one.step("quality.a").digest == both.step("quality.a").digest


def test_where_the_model_lies_changes_nothing_and_what_it_is_changes_all(files, tmp_path):
    def digest(model, name, **written):
        text = stage(files, fasttext=f"{{a: {model}}}", **written)
        return make_run(tmp_path, SHARDS, text, name).plan.step("quality.a").digest

    copy = shutil.copy(files.one, tmp_path / "copy.bin")
    same = digest(files.one, "one")
    assert digest(copy, "two") == same
    assert digest(files.one, "three", first_characters=9) != same
    assert digest(models.train(copy, epoch=7), "four") != same
    other = digest(models.describe(copy), "five")
    moved = sidecar_path(copy)
    moved.write_text(moved.read_text().replace("0.3", "0.35"), encoding="utf-8")
    assert digest(copy, "six") != other, "another calibration is another layer"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"keep": "{fasttext_score: {min: 0.1}}"}, "does not measure 'fasttext_score'; did you mean 'fasttext_quality"),
        ({"keep": "{fasttext_quality_score: {in: [a]}}"}, "is a number, so it is bounded by min and max"),
        ({"fasttext": "nowhere.bin"}, "model 'nowhere.bin' is neither a file nor a name in the registry"),
        ({"fasttext": "{a: {modl: x}}"}, "unknown key 'stages.quality.fasttext.a.modl'; did you mean 'model'"),
        ({"fasttext": "{a: {model: ONE, label: nope}}"}, "has no label 'nope'; it has cc, hq"),
        ({"fasttext": "{language: ONE}"}, "cannot be called 'language'"),
        ({"use": "[dclm]"}, "preset 'dclm' is for a classifier called 'dclm'"),
        ({"fasttext": "{w: ONE}", "keep": "{w_probability: {min: 0.5}}"}, "does not measure 'w_probability'"),
        ({"fasttext": "CUT"}, "is cut short: it ends at byte"),
    ],
)
def test_mistakes_are_found_when_the_plan_is_made_with_their_line(files, tmp_path, written, message):
    (tmp_path / "cut.bin").write_bytes(files.one.read_bytes()[:200])
    paths = {"ONE": str(files.one), "CUT": str(tmp_path / "cut.bin")}
    for word, path in paths.items():
        written = {key: value.replace(word, path) for key, value in written.items()}
    with pytest.raises(GristmillError, match=message) as raised:
        make_run(tmp_path, SHARDS, stage(files, **written))
    assert "mill.yaml:" in str(raised.value)


def test_a_name_that_something_else_has_is_refused(files, tmp_path):
    text = f"  - signals: {{families: [gopher_quality]}}\n{stage(files, fasttext=f'{{language: {files.one}}}')}"
    with pytest.raises(RecipeError, match="cannot be called 'language'"):
        make_run(tmp_path, SHARDS, text)


def test_a_filter_before_the_scores_is_told_what_there_is(files, tmp_path):
    text = "  - signals: {families: [gopher_quality]}\n  - filter: {house: {dclm_score: {min: 0.1}}}\n"
    with pytest.raises(RecipeError, match="needs signal 'dclm_score', which no stage before 'filter' measures"):
        make_run(tmp_path, SHARDS, text + stage(files, fasttext=f"{{dclm: {files.one}}}"))


# --- what is computed -----------------------------------------------------------------------------------------------


def test_every_document_has_its_scores_and_its_fate(done):
    dclm, own = layer(done, "quality.dclm"), layer(done, "quality.own")
    assert list(own["one/0"]) == ["own_score", "own_probability", "own_bucket"]
    decided = layer(done, "quality.keep")
    for identity, row in decided.items():
        score, probability = dclm[identity]["dclm_score"], own[identity]["own_probability"]
        expected = [
            code
            for code, value, bound in (
                ("quality.dclm_score.min", score, 0.018112),
                ("quality.own_probability.min", probability, 0.2),
            )
            if value is not None and value < bound
        ]
        assert row == {"keep": not expected, "reason": expected[0] if expected else None, "reasons": expected}
    assert {reason for row in decided.values() for reason in row["reasons"]} == {
        "quality.dclm_score.min",
        "quality.own_probability.min",
    }
    assert {row["keep"] for row in layer(done, "filter").values()} == {True, False}
    assert dclm["one/8"] == {"dclm_score": None}
    assert dclm["one/6"] == {"dclm_score": 0.0}


def test_nothing_depends_on_shards_or_their_order(done, files, tmp_path):
    own = f"{{model: {files.two}, buckets: [0.2, 0.4]}}"
    stages = f"  - quality: {{fasttext: {{dclm: {files.one}, own: {own}}}, use: [dclm]}}\n"
    documents = [document for several in SHARDS.values() for document in several]
    spread = {f"s{n}": documents[n::5] for n in range(5)}
    other = carry_out(make_run(tmp_path, spread, stages), reverse=True)
    for step in ("quality.dclm", "quality.own"):
        assert layer(other, step) == layer(done, step)


def test_what_is_done_is_not_done_again_and_what_is_lost_comes_back_the_same(files, tmp_path):
    run = carry_out(make_run(tmp_path, SHARDS, stage(files, keep="{fasttext_quality_score: {min: 0.3}}")))
    before = outputs(tmp_path / "mill")
    step, shard = run.plan.steps[1], run.plan.shards[1]
    run.folder.remove(run.file(step, shard))
    (phase,) = PHASES[step.kind](Run(run.folder, run.plan), step)
    assert [phase.is_done(item) for item in phase.items()] == [True, False]
    carry_out(Run(run.folder, run.plan))
    assert difference(before, outputs(tmp_path / "mill")) == []


def test_a_table_that_changes_after_the_plan_is_refused(files, tmp_path):
    copy = models.describe(models.train(tmp_path / "copy.bin"))
    run = make_run(tmp_path, SHARDS, stage(files, fasttext=f"{{a: {copy}}}"))
    path = sidecar_path(copy)
    path.write_text(path.read_text().replace("0.3", "0.35"), encoding="utf-8")
    with pytest.raises(StaleError, match="the calibration beside .* is another than when the plan was made"):
        carry_out(run)
    path.unlink()
    with pytest.raises(StaleError, match="is another than when the plan was made"):
        carry_out(run)


def test_scores_are_those_of_the_edited_text(files, tmp_path):
    text = "  - edit: {pii: {types: [email]}}\n" + stage(files)
    run = make_run(tmp_path, SHARDS, text)
    assert run.plan.step("quality.fasttext_quality").inputs == ("extract", "edit")


# --- what a run tells -----------------------------------------------------------------------------------------------


def test_the_run_is_sound(done):
    assert [sentence for finding in audit(done) for sentence in finding.broken] == []
    rows = [row for shard in done.plan.shards for row in fates(done, shard, done.plan.deciders).to_pylist()]
    assert {row["stage"] for row in rows} >= {"quality", "dedup", None}


def test_explain_shows_scores_and_bounds(done):
    (explanation,) = explain(done, "one/3")
    (outcome,) = [outcome for outcome in explanation.stages if outcome.stage == "quality"]
    assert outcome.state == "dropped"
    assert set(outcome.values) == {"dclm_score", "own_score", "own_probability", "own_bucket"}
    assert {rule.code for rule in outcome.rules} == {
        "quality.dclm_score.min",
        "quality.own_probability.min",
        "quality.own_bucket.max",
    }


def test_sweep_and_compare_know_the_bound(done, files, tmp_path):
    folder = done.folder.root
    rule = ("--rule", "quality.own_probability.min", "--from", 0, "--to", 1)
    swept = inside("sweep", folder, *rule, cwd=tmp_path).stdout
    assert "quality.own_probability.min" in swept
    loose = carry_out(make_run(tmp_path, SHARDS, stage(files, fasttext=f"{{dclm: {files.one}}}")))
    told = inside("compare", loose.folder.root, folder, cwd=tmp_path).stdout
    assert "quality.own_probability.min" in told or "quality.dclm_score.min" in told


def test_the_report_and_the_card_name_the_model_and_where_the_bound_comes_from(done):
    names = [found["signal"] for found in collect(done)["signals"]]
    assert {"dclm_score", "own_score", "own_probability", "own_bucket"} <= set(names)
    write_report(done)
    write_card(done)
    card = done.folder.read_bytes("README.md").decode()
    assert "arXiv:2406.11794" in card
    assert "≥ 0.018112 | yes |" in card
    assert "`__label__hq`" in card


def test_another_table_of_columns_is_no_layer_of_this_stage(done, tmp_path):
    copied = shutil.copytree(done.folder.root, tmp_path / "copy")
    run = Run.open(str(copied))
    step = run.plan.step("quality.dclm")
    path = copied / run.file(step, run.plan.shards[0])
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    with pytest.raises(GristmillError):
        run.read(step, run.plan.shards[0])


def test_the_plan_says_which_columns_rules_can_name(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.warc.gz").write_bytes(b"a")
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        f"name: r\nsource: {{warc: a.warc.gz}}\nstages:\n  - extract\n{stage(files)}"
        "  - filter: {h: {x: {min: 1}}}\n"
    )
    with pytest.raises(UsageError, match="there are: fasttext_quality_score"):
        planned(recipe)
