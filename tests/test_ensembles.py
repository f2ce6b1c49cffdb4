"""Ensembles: buckets by rank against a slow twin; every way in which their layer is read."""

import json
import math
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from corpora import Document, carry_out, make_run
from hypothesis import given, settings
from hypothesis import strategies as st

from gristmill import schema
from gristmill.classifiers.ensemble.buckets import buckets_of, combined, layout
from gristmill.classifiers.ensemble.settings import EnsembleSettings, Score
from gristmill.errors import RecipeError
from gristmill.pipeline.audit import audit
from gristmill.report.explain import explain
from gristmill.report.stats import collect
from gristmill.report.sweep import sweep
from gristmill.report.swept import find_rule

MEASURE = "  - signals: {families: [gopher_quality]}\n"


def bucket_of(value, values, weights, count):
    """The slow twin: how many cuts are worse, a cut being the least value up to which a share of the weight lies."""
    total, found = sum(weights), 0
    for number in range(1, count):
        share = Fraction(number, count) * total
        cut = min(v for v in values if sum(w for u, w in zip(values, weights, strict=True) if u <= v) >= share)
        found += value > cut
    return found


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([-2.5, 0.0, 1.0, 1.5, math.inf]) | st.floats(-9, 9), st.integers(1, 9)),
        min_size=1,
        max_size=25,
    ),
    st.integers(2, 21),
    st.booleans(),
)
def test_buckets_are_those_of_the_twin(rows, count, lower):
    from gristmill.pipeline.order_statistics import at_shares

    values, weights = [value for value, _ in rows], [weight for _, weight in rows]
    sign = -1 if lower else 1
    places = at_shares([Fraction(n, count) for n in range(1, count)])(sum(weights))
    ordered = [sign * v for v, w in sorted((sign * v, w) for v, w in rows) for _ in range(w)]
    cuts = {None: [ordered[place - 1] for place in places]}
    score = Score(column="x", lower_is_better=lower)
    found = buckets_of(pa.array(values), pa.nulls(len(values), pa.string()), cuts, score).to_pylist()
    turned = [sign * value for value in values]
    assert found == [bucket_of(value, turned, weights, count) for value in turned]
    assert max(found) <= count - 1


def test_twenty_unlike_documents_fill_twenty_buckets():
    cuts = {None: [float(n) for n in range(1, 20)]}
    values = pa.array([float(n) for n in range(1, 21)])
    assert buckets_of(values, pa.nulls(20, pa.string()), cuts, Score(column="x")).to_pylist() == list(range(20))


def test_what_has_no_value_or_no_rank_has_no_bucket():
    values = pa.array([1.0, None, math.nan, 3.0, 1.0, -math.inf])
    groups = pa.array(["en", "en", "en", None, "de", "en"])
    found = buckets_of(values, groups, {"en": [0.0], None: [2.0]}, Score(column="x"))
    assert found.to_pylist() == [1, None, None, 1, None, 0]
    assert buckets_of(pa.array([], pa.float64()), pa.array([], pa.string()), {}, Score(column="x")).to_pylist() == []


def test_buckets_are_put_together():
    first, second = pa.array([3, None, 4, None], pa.int64()), pa.array([7, 2, None, None], pa.int64())
    best = combined([first, second], EnsembleSettings(scores=["a", "b"]))
    assert best.column("score_bucket").to_pylist() == [7, 2, 4, None]
    assert best.column("a_rank_bucket").equals(first)
    scores = [{"column": "a", "weight": 0.1}, {"column": "b", "weight": 0.2}]
    mean = combined([first, second], EnsembleSettings(scores=scores, combine="mean", name="both"))
    assert mean.column("both_score_bucket").to_pylist() == [5, 2, 4, None]
    assert mean.column("both_score_bucket_mean").to_pylist() == [17 / 3, 2.0, 4.0, None]
    nineteen = pa.array([19], pa.int64())
    assert combined([nineteen] * 2, EnsembleSettings(scores=scores, combine="mean"))["score_bucket"].to_pylist() == [19]


def test_the_layer_tells_what_its_columns_are():
    asked = EnsembleSettings(scores=["a"], by="language", buckets=5)
    assert layout(asked).field("score_bucket").metadata[b"meaning"].startswith(b"0 to 4: the best of the buckets of a")
    assert b"as many bytes of text each" in layout(asked).field("a_rank_bucket").metadata[b"meaning"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"scores": ["a", "a"]}, "'a' stands twice"),
        ({"scores": [{"column": "a", "weight": 2}]}, "has no weights"),
        ({"scores": []}, "at least 1"),
        ({"scores": ["a"], "buckets": 1}, "greater than or equal to 2"),
        ({"scores": ["a"], "name": "A b"}, "match pattern"),
        ({"scores": ["perplexity"]}, "'perplexity' is best where it is least; write lower_is_better: true"),
        ({"scores": ["a", {"column": "max_line_perplexity"}]}, "'max_line_perplexity' is best where it is least"),
    ],
)
def test_settings_that_cannot_be_meant(asked, said):
    with pytest.raises(ValueError, match=said):
        EnsembleSettings.model_validate(asked)


def test_the_largest_perplexities_are_best_only_where_that_is_written():
    asked = EnsembleSettings(scores=[{"column": "perplexity", "lower_is_better": False}])
    assert not asked.scores[0].lower_is_better


# over a run

SHARDS = {
    "a": [Document("a/1", "one two three"), Document("a/2", "a bb"), Document("a/3", None), Document("a/4", "")],
    "b": [Document("b/1", "w " * 40), Document("b/2", "longerwords here"), Document("b/3", "x y z " * 9)],
    "c": [],
}
STAGES = f"""\
{MEASURE}\
  - filter: {{use: [], house: {{word_count: {{max: 39}}}}}}
  - ensemble:
      scores: [word_count, {{column: mean_word_length, lower_is_better: true}}]
      buckets: 4
      weight: WEIGHT
      keep: {{score_bucket: {{min: 2}}}}
"""


def layer_of(run, stage="ensemble"):
    found = {}
    for shard in run.plan.shards:
        ids = run.read(run.plan.text_step, shard, [schema.ID]).column(0).to_pylist()
        found |= dict(zip(ids, run.read(run.plan.step(stage), shard).to_pylist(), strict=True))
    return found


@pytest.mark.parametrize("weight", ["bytes", "documents"])
def test_only_what_earlier_stages_kept_is_ranked(tmp_path, weight):
    run = carry_out(make_run(tmp_path, SHARDS, STAGES.replace("WEIGHT", weight)))
    measured = layer_of(run, "signals")
    texts = {d.id: d.text for shard in SHARDS.values() for d in shard if d.text is not None}
    kept = [i for i in texts if measured[i]["word_count"] <= 39]
    assert 0 < len(kept) < len(texts)
    for column, sign in (("word_count", 1), ("mean_word_length", -1)):
        values = [sign * measured[i][column] for i in kept]
        weights = [1 if weight == "documents" else len(texts[i].encode()) for i in kept]
        for i in texts:
            expected = bucket_of(sign * measured[i][column], values, weights, 4)
            assert layer_of(run)[i][f"{column}_rank_bucket"] == expected
    for row in layer_of(run).values():
        of = [row["word_count_rank_bucket"], row["mean_word_length_rank_bucket"]]
        assert row["score_bucket"] == (max(of) if None not in of else None)
    assert [finding.broken for finding in audit(run)] == [[]] * 7


def test_cuts_are_a_file_to_read(tmp_path):
    run = carry_out(make_run(tmp_path, SHARDS, STAGES.replace("WEIGHT", "documents")))
    facts = json.loads(run.folder.read_bytes(f"{run.plan.step('ensemble').folder}/cuts.json"))
    assert facts["scores"]["word_count"] == [{"group": None, "documents": 5, "cuts": [2.0, 2.0, 3.0]}]
    assert facts["by"] is None
    assert len(facts["scores"]["mean_word_length"][0]["cuts"]) == 3


def test_the_order_of_shards_and_items_does_not_matter(tmp_path):
    rng = np.random.default_rng(1)
    documents = [
        Document(f"d/{i}", " ".join("ab" * int(n) for n in rng.integers(1, 9, rng.integers(1, 20)))) for i in range(90)
    ]
    stages = STAGES.replace("WEIGHT", "bytes")
    one = carry_out(make_run(tmp_path / "1", {"a": documents}, stages))
    three = {name: documents[::-1][k::3] for k, name in enumerate("abc")}
    several = carry_out(make_run(tmp_path / "3", three, stages), reverse=True)
    assert layer_of(one) == layer_of(several)
    assert len({row["score_bucket"] for row in layer_of(one).values()}) > 2


def test_explain_sweep_and_the_report_show_the_bucket(tmp_path):
    run = carry_out(make_run(tmp_path, SHARDS, STAGES.replace("WEIGHT", "documents")))
    dropped = next(i for i, row in layer_of(run, "ensemble.keep").items() if not row["keep"])
    (explained,) = explain(run, dropped)
    outcome = next(stage for stage in explained.stages if stage.stage == "ensemble")
    assert outcome.reasons == ("ensemble.score_bucket.min",)
    assert outcome.values["score_bucket"] < 2 == outcome.rules[0].parts[0].rule.bound

    class Quiet:
        def begin(self, *_):
            pass

        update = end = begin

    found = sweep(run, find_rule(run, "ensemble.score_bucket.min"), [0, 1, 3, 4], Quiet())
    assert found.bounds[0].documents_kept == found.documents_in == 5
    assert found.bounds[-1].documents_kept == 0
    signals = {record["signal"]: record for record in collect(run)["signals"]}
    assert signals["score_bucket"]["bounds"][0]["reason"] == "ensemble.score_bucket.min"


def test_two_ensembles_need_two_names(tmp_path):
    two = "  - ensemble: {scores: [word_count]}\n"
    with pytest.raises(RecipeError, match="column 'score_bucket' is there already, from stage 'ensemble'; .*name"):
        make_run(tmp_path, {"a": []}, MEASURE + two + two)
    named = two + "  - ensemble: {scores: [word_count], name: second, by: language}\n"
    language = "  - language: {model: lid176}\n"
    run = make_run(tmp_path, {"a": []}, MEASURE + language + named, "named")
    assert run.plan.step("ensemble-2").columns == ("second_score_bucket", "second_word_count_rank_bucket")


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("{scores: [word_cuont]}", "'scores' needs 'word_cuont', which no stage before .*did you mean 'word_count'"),
        ("{scores: [word_count], by: word_count}", "'by' needs 'word_count', which is a number, not a text"),
        ("{scores: [word_count], keep: {score_bucke: {min: 1}}}", "does not measure 'score_bucke'; did you mean"),
        ("{scores: [word_count], keep: {score_bucket: {in: [a]}}}", "is a number, so it is bounded by min and max"),
        ("{scores: [word_count], keep: {score_bucket: {min: null}}}", "switches every bound off"),
        ("{scores: [word_count], combine: best}", "combine"),
        ("{scores: [word_count], keep: {score_bucket: {min: 20}}}", "goes from 0 to 19, so min: 20 drops"),
        ("{scores: [word_count], buckets: 5, keep: {score_bucket: {max: -1}}}", "from 0 to 4, so max: -1 drops every"),
        ("{scores: [{colum: word_count}]}", r"unknown key 'stages.ensemble.scores.colum'; did you mean 'column'\?"),
    ],
)
def test_mistakes_are_found_before_anything_runs(tmp_path, stage, said):
    with pytest.raises(RecipeError, match=said) as raised:
        make_run(tmp_path, {"a": []}, f"{MEASURE}  - ensemble: {stage}\n")
    assert "tuple should have" not in str(raised.value)


@pytest.mark.parametrize("warn", [True, False])
def test_a_bound_is_in_doubt_unless_the_recipe_says_otherwise(tmp_path, warn):
    stages = STAGES.replace("WEIGHT", "bytes") + ("" if warn else "      warn: false\n")
    plan = make_run(tmp_path, {"a": []}, stages).plan
    assert plan.step("ensemble.keep").settings["warn"] is warn
    assert "warn" not in plan.step("ensemble").settings


def test_a_bound_that_changes_leaves_the_buckets_as_they_are(tmp_path):
    stages = STAGES.replace("WEIGHT", "bytes")
    first = make_run(tmp_path, {"a": []}, stages)
    other = make_run(tmp_path, {"a": []}, stages.replace("min: 2", "min: 3"), "other")
    more = make_run(tmp_path, {"a": []}, stages.replace("buckets: 4", "buckets: 5"), "more")
    digests = [[run.plan.step(name).digest for name in ("ensemble", "ensemble.keep")] for run in (first, other, more)]
    assert digests[0][0] == digests[1][0] != digests[2][0]
    assert len({keep for _, keep in digests}) == 3
