"""Rules: the laws of deciding, the presets, and what a recipe may say."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gristmill import schema
from gristmill.filters.rules.evaluate import Rule, evaluate, rules_of
from gristmill.filters.rules.presets import PRESETS
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.families import FAMILIES, SIGNALS

NUMBERS = st.one_of(st.none(), st.floats(width=32), st.integers(-5, 5).map(float))
WHOLE = st.one_of(st.none(), st.integers(-5, 5))
BOUNDS = st.integers(-5, 5).map(float)
LABELS = st.one_of(st.none(), st.sampled_from(["en", "fr", "zh"]))


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Rule], dict[str, pa.Array], int]:
    """Rules over three columns, and the columns."""
    rows = draw(st.integers(0, 12))
    columns = {
        "a": pa.array(draw(st.lists(NUMBERS, min_size=rows, max_size=rows)), pa.float64()),
        "b": pa.array(
            draw(st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=rows, max_size=rows)), pa.int64()
        ),
        "label": pa.array(draw(st.lists(LABELS, min_size=rows, max_size=rows)), pa.string()),
    }
    where = st.one_of(st.none(), st.tuples(st.just("label"), st.sampled_from(["en", "fr"])))
    bound = st.builds(Rule, st.just("p"), st.sampled_from("ab"), st.sampled_from(["min", "max"]), BOUNDS, where)
    among = st.builds(
        Rule, st.just("q"), st.just("label"), st.just("in"), st.lists(st.sampled_from(["en", "zh"])).map(tuple), where
    )
    return draw(st.lists(st.one_of(bound, among), max_size=6)), columns, rows


def drops(rule: Rule, row: dict[str, float | str | None]) -> bool:
    """The slow twin of one rule on one row."""
    value = row[rule.signal]
    if value is None or (rule.where is not None and row[rule.where[0]] != rule.where[1]):
        return False
    if rule.side == "in":
        return value not in rule.bound
    if math.isnan(value):
        return True
    return value < rule.bound if rule.side == "min" else value > rule.bound


def rows_of(columns: dict[str, pa.Array], rows: int) -> list[dict[str, float | str | None]]:
    lists = {name: column.to_pylist() for name, column in columns.items()}
    return [{name: values[i] for name, values in lists.items()} for i in range(rows)]


# --- laws ------------------------------------------------------------------------------------------------------------


@given(cases())
def test_decisions_agree_with_their_twin(case):
    rules, columns, rows = case
    expected = []
    for row in rows_of(columns, rows):
        reasons = [rule.code for rule in rules if drops(rule, row)]
        expected.append({"keep": not reasons, "reason": reasons[0] if reasons else None, "reasons": reasons})
    found = evaluate(rules, columns, rows)
    assert found.to_pylist() == expected
    assert found.schema == schema.DECISIONS


@given(cases().flatmap(lambda case: st.tuples(st.just(case), st.permutations(case[0]))))
def test_the_order_of_rules_never_changes_keep(case):
    (rules, columns, rows), other_order = case
    one, other = evaluate(rules, columns, rows), evaluate(other_order, columns, rows)
    assert one.column("keep") == other.column("keep")
    for a, b in zip(one.column("reasons").to_pylist(), other.column("reasons").to_pylist(), strict=True):
        assert sorted(a) == sorted(b)


@given(cases(), st.integers(0, 5))
def test_tightening_a_bound_never_keeps_more(case, step):
    rules, columns, rows = case
    tighter = [_tighter(rule, step) for rule in rules]
    before = evaluate(rules, columns, rows).column("keep").to_pylist()
    after = evaluate(tighter, columns, rows).column("keep").to_pylist()
    assert all(b or not a for b, a in zip(before, after, strict=True))


def _tighter(rule: Rule, step: int) -> Rule:
    if isinstance(rule.bound, tuple):
        return Rule(rule.preset, rule.signal, rule.side, rule.bound[step:], rule.where)
    sign = 1 if rule.side == "min" else -1
    return Rule(rule.preset, rule.signal, rule.side, rule.bound + sign * step, rule.where)


@given(cases())
def test_keep_is_true_exactly_when_there_is_no_reason(case):
    found = evaluate(*case).to_pylist()
    assert all(row["keep"] == (row["reasons"] == []) == (row["reason"] is None) for row in found)


# --- one rule --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "kept"), [("min", [False, True, True]), ("max", [True, True, False])])
def test_a_value_on_the_bound_is_kept(side, kept):
    found = evaluate([Rule("p", "x", side, 2)], {"x": pa.array([1, 2, 3])}, 3)
    assert found.column("keep").to_pylist() == kept


@pytest.mark.parametrize("side", ["min", "max"])
def test_null_is_kept_and_not_a_number_is_dropped(side):
    found = evaluate([Rule("p", "x", side, 2)], {"x": pa.array([None, math.nan], pa.float64())}, 2)
    assert found.column("keep").to_pylist() == [True, False]


def test_each_language_has_its_own_bound():
    rules = [
        Rule("language", "language", "in", ("en", "fr")),
        Rule("language", "score", "min", 0.65, where=("language", "en")),
        Rule("language", "score", "min", 0.9, where=("language", "fr")),
    ]
    columns = {"language": pa.array(["en", "fr", "de", None]), "score": pa.array([0.7, 0.7, 0.99, None])}
    assert evaluate(rules, columns, 4).column("reasons").to_pylist() == [
        [],
        ["language.score.min"],
        ["language.language.in"],
        [],
    ]


def test_a_record_batch_serves_as_columns():
    batch = pa.record_batch({"x": pa.array([1, 5])})
    assert evaluate([Rule("p", "x", "max", 2)], batch, 2).column("reason").to_pylist() == [None, "p.x.max"]


@pytest.mark.parametrize(
    ("rule", "column", "error", "message"),
    [
        (Rule("p", "y", "min", 1), pa.array([1]), KeyError, "rule 'p.y.min' reads column 'y'; given are x"),
        (Rule("p", "x", "min", 1), pa.array([1, 2]), ValueError, "column 'x' has 2 rows, expected 1"),
        (
            Rule("p", "x", "min", 1),
            pa.array(["a"]),
            TypeError,
            "rule 'p.x.min' takes numbers, and column 'x' is string",
        ),
        (Rule("p", "x", "in", ("a",)), pa.array([1]), TypeError, "rule 'p.x.in' takes texts, and column 'x' is int64"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_says_why(rule, column, error, message):
    with pytest.raises(error, match=message):
        evaluate([rule], {"x": column}, 1)


def test_a_bound_of_the_wrong_kind_is_refused():
    with pytest.raises(ValueError, match="rule 'p.x.min': min and max take a number"):
        Rule("p", "x", "min", ("a",))
    with pytest.raises(ValueError, match="in takes texts, got 3"):
        Rule("p", "x", "in", 3)


# --- presets and recipes ---------------------------------------------------------------------------------------------


def test_presets_bound_signals_of_their_family_and_cite_their_source():
    for name, preset in PRESETS.items():
        assert preset.name == name
        assert preset.source
        assert {rule.signal for rule in preset.rules} == set(FAMILIES[name])
        assert {rule.preset for rule in preset.rules} == {name}
        assert all(rule.signal in SIGNALS for rule in preset.rules)


def codes(value: dict) -> list[str]:
    return [rule.code for rule in rules_of(FilterSettings.model_validate(value))]


def bounds(value: dict) -> dict[str, float]:
    return {rule.code: rule.bound for rule in rules_of(FilterSettings.model_validate(value))}


def test_a_recipe_names_presets_and_changes_single_bounds():
    found = bounds(
        {
            "use": ["gopher_repetition", "gopher_quality"],
            "gopher_quality": {"word_count": {"min": 20}, "stop_word_count": {"min": None}},
            "house": {"word_count": {"min": 5, "max": 10.5}, "language": {"in": ["en"]}},
        }
    )
    published = {rule.code: rule.bound for preset in PRESETS.values() for rule in preset.rules}
    changed = published | {"gopher_quality.word_count.min": 20}
    del changed["gopher_quality.stop_word_count.min"]
    own = {"house.word_count.min": 5, "house.word_count.max": 10.5, "house.language.in": ("en",)}
    assert list(found.items()) == list((changed | own).items())


def test_presets_apply_in_the_order_of_use():
    assert codes({"use": ["gopher_quality", "gopher_repetition"]}) == [
        *(rule.code for rule in PRESETS["gopher_quality"].rules),
        *(rule.code for rule in PRESETS["gopher_repetition"].rules),
    ]


def test_a_whole_bound_is_written_as_an_integer():
    assert str(bounds({"house": {"word_count": {"min": 5.0}}})["house.word_count.min"]) == "5"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "no rule: name presets"),
        ({"use": ["gopher_qualty"]}, "there is no preset 'gopher_qualty'; did you mean 'gopher_quality'?"),
        ({"use": ["x"]}, "there is no preset 'x'; there are: gopher_repetition, gopher_quality"),
        ({"use": ["gopher_quality", "gopher_quality"]}, "a preset is named twice in 'use'"),
        ({"gopher_quality": {"word_count": {"min": 1}}}, "changes a preset that 'use' does not name"),
        ({"use": ["gopher_quality"], "gopher_qualty": {"word_count": {"min": 1}}}, "nearly 'gopher_quality'"),
        ({"usee": ["gopher_quality"]}, "valid dictionary"),
        ({"use": ["gopher_quality"], "gopher_quality": {"word_cuont": {"min": 1}}}, "did you mean 'word_count'?"),
        (
            {"use": ["gopher_quality"], "gopher_quality": {"hash_word_ratio": {"min": 1}}},
            "no rule 'hash_word_ratio.min'",
        ),
        ({"House": {"word_count": {"min": 1}}}, "lower-case letters"),
        ({"house": {"word_count": {"min": None}}}, "'house' is no preset"),
        ({"house": {"word_count": {}}}, "a bound needs min, max or in"),
        ({"house": {"word_count": {"mni": 1}}}, "Extra inputs"),
        ({"house": {"word_count": {"min": 3, "max": 2}}}, "min 3 is more than max 2"),
        ({"house": {"word_count": {"min": True}}}, "valid number"),
        ({"house": {"word_count": {"min": "5"}}}, "valid number"),
        ({"house": {"word_count": {"min": math.nan}}}, "finite number"),
        ({"house": {"language": {"in": []}}}, "at least 1 item"),
    ],
)
def test_a_recipe_that_cannot_be_meant_is_refused(value, message):
    with pytest.raises(ValidationError, match=".*") as error:
        FilterSettings.model_validate(value)
    assert message in str(error.value)


def test_the_json_schema_offers_presets_and_their_signals_to_editors():
    described = FilterSettings.model_json_schema()
    assert described["properties"]["use"]["items"]["enum"] == list(PRESETS)
    for name in PRESETS:
        assert set(described["properties"][name]["properties"]) == set(FAMILIES[name])
    assert described["$defs"]["Bound"]["properties"].keys() == {"min", "max", "in"}
