"""Rules: the laws of deciding, the presets, and what a recipe may say."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gristmill import schema
from gristmill.filters.rules import evaluate as evaluation
from gristmill.filters.rules.evaluate import decide, evaluate, hits, rules_of
from gristmill.filters.rules.presets import ALIASES, PRESETS
from gristmill.filters.rules.rule import LANGUAGE, AnyRule, Choice, Rule
from gristmill.filters.rules.serialize import from_json, to_json
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.families import FAMILIES, SIGNALS

NUMBERS = st.one_of(st.none(), st.floats(width=32), st.integers(-5, 5).map(float))
WHOLE = st.one_of(st.none(), st.integers(-5, 5))
BOUNDS = st.integers(-5, 5).map(float)
LABELS = st.one_of(st.none(), st.sampled_from(["en", "fr", "zh"]))


CONDITION = st.one_of(
    st.none(), st.tuples(st.just("label"), st.lists(st.sampled_from(["en", "fr"]), min_size=1, unique=True).map(tuple))
)
NUMERIC = st.builds(
    Rule, st.just("p"), st.sampled_from("ab"), st.sampled_from(["min", "max"]), BOUNDS, CONDITION, CONDITION
)
AMONG = st.builds(
    Rule, st.just("q"), st.just("label"), st.just("in"), st.lists(st.sampled_from(["en", "zh"])).map(tuple), CONDITION
)
RULE = st.recursive(
    st.one_of(NUMERIC, AMONG),
    lambda inner: st.builds(
        Choice,
        st.just("p"),
        st.lists(st.lists(inner, min_size=1, max_size=2).map(tuple), min_size=2, max_size=3).map(tuple),
    ),
    max_leaves=6,
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[AnyRule], dict[str, pa.Array], int]:
    """Rules over three columns, and the columns."""
    rows = draw(st.integers(0, 12))
    columns = {
        "a": pa.array(draw(st.lists(NUMBERS, min_size=rows, max_size=rows)), pa.float64()),
        "b": pa.array(draw(st.lists(WHOLE, min_size=rows, max_size=rows)), pa.int64()),
        "label": pa.array(draw(st.lists(LABELS, min_size=rows, max_size=rows)), pa.string()),
    }
    return draw(st.lists(RULE, max_size=6)), columns, rows


def drops(rule: AnyRule, row: dict[str, float | str | None]) -> bool:
    """The slow twin of one rule on one row."""
    if isinstance(rule, Choice):
        return all(any(drops(part, row) for part in option) for option in rule.options)
    value = row[rule.signal]
    if value is None or (rule.where is not None and row[rule.where[0]] not in rule.where[1]):
        return False
    if rule.unless is not None and row[rule.unless[0]] in rule.unless[1]:
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
        hit = {rule.code for rule in rules if drops(rule, row)}
        reasons = [code for code in dict.fromkeys(rule.code for rule in rules) if code in hit]
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


def _tighter(rule: AnyRule, step: int) -> AnyRule:
    if isinstance(rule, Choice):
        return Choice(rule.preset, tuple(tuple(_tighter(r, step) for r in option) for option in rule.options))
    if isinstance(rule.bound, tuple):
        return replace(rule, bound=rule.bound[step:])
    return replace(rule, bound=rule.bound + (step if rule.side == "min" else -step))


@given(cases())
def test_a_choice_keeps_what_any_of_its_options_keeps(case):
    rules, columns, rows = case
    kept = [~hits(rule, columns, rows) for rule in rules]
    options = [(rule,) for rule in rules]
    if len(options) > 1:
        assert (~hits(Choice("p", tuple(options)), columns, rows) == np.logical_or.reduce(kept)).all()


@given(cases())
def test_batches_change_nothing(case):
    rules, columns, rows = case
    with mock.patch.object(evaluation, "ROWS_AT_ONCE", 3):
        batches = list(decide(rules, columns, rows))
    assert pa.Table.from_batches(batches, schema.DECISIONS).to_pylist() == evaluate(rules, columns, rows).to_pylist()


@given(cases())
def test_rules_survive_json(case):
    rules, _, _ = case
    assert [from_json(json.loads(json.dumps(to_json(rule)))) for rule in rules] == rules


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
        Rule("language", "score", "min", 0.65, where=("language", ("en",))),
        Rule("language", "score", "min", 0.9, where=("language", ("fr",))),
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
        if name in FAMILIES and name != "refinedweb":  # which bounds Gopher's signals too
            assert {rule.signal for rule in preset.rules} <= set(FAMILIES[name])
        assert {rule.preset for rule in preset.rules} == {name}
        assert all(rule.signal in SIGNALS for rule in preset.rules)


def codes(value: dict) -> list[str]:
    return [rule.code for rule in rules_of(FilterSettings.model_validate(value))]


def bounds(value: dict) -> dict[str, float]:
    return {rule.code: rule.bound for rule in rules_of(FilterSettings.model_validate(value))}


def test_a_recipe_names_presets_and_changes_single_bounds():
    found = bounds(
        {
            "use": list(PRESETS),
            "gopher_quality": {"word_count": {"min": 20}, "stop_word_count": {"min": None}},
            "house": {"word_count": {"min": 5, "max": 10.5}, "language": {"in": ["en"]}},
        }
    )
    published = {rule.code: rule.bound for preset in PRESETS.values() for rule in preset.rules}
    changed = published | {"gopher_quality.word_count.min": 20}
    del changed["gopher_quality.stop_word_count.min"]
    own = {"house.word_count.min": 5, "house.word_count.max": 10.5, "house.language.in": ("en",)}
    assert list(found.items()) == list((changed | own).items())


def test_a_preset_answers_to_its_aliases_and_has_one_name_in_reasons():
    assert ALIASES["c4@datatrove"] == "c4"
    assert not ALIASES.keys() & PRESETS.keys()
    assert rules_in({"use": ["c4@datatrove"]}) == PRESETS["c4"].rules
    changed = {"use": ["c4@datatrove"], "c4@datatrove": {"c4_sentence_count": {"min": 3}}}
    assert bounds(changed)["c4.c4_sentence_count.min"] == 3
    assert bounds(changed) == bounds({"use": ["c4"], "c4": {"c4_sentence_count": {"min": 3}}})


def test_presets_apply_in_the_order_of_use():
    assert codes({"use": ["gopher_quality", "gopher_repetition"]}) == [
        *(rule.code for rule in PRESETS["gopher_quality"].rules),
        *(rule.code for rule in PRESETS["gopher_repetition"].rules),
    ]


def rules_in(value: dict) -> tuple[AnyRule, ...]:
    return rules_of(FilterSettings.model_validate(value))


def test_a_language_can_have_bounds_of_its_own():
    apart = {"zh": {"min": 20}, "ja": {"min": 20}, "th": {"min": None}, "fr": {"max": 10}}
    found = rules_in({"house": {"word_count": {"min": 50, "languages": apart}}})
    assert found == (
        Rule("house", "word_count", "min", 50, unless=(LANGUAGE, ("zh", "ja", "th"))),
        Rule("house", "word_count", "min", 20, where=(LANGUAGE, ("zh", "ja"))),
        Rule("house", "word_count", "max", 10, where=(LANGUAGE, ("fr",))),
    )
    columns = {"word_count": pa.array([30, 30, 5, 30, 30]), "language": pa.array(["en", "zh", "th", "fr", None])}
    assert evaluate(found, columns, 5).column("reasons").to_pylist() == [
        ["house.word_count.min"],
        [],
        [],
        ["house.word_count.min", "house.word_count.max"],
        ["house.word_count.min"],
    ]


def test_a_preset_can_be_changed_for_one_language():
    found = rules_in(
        {"use": ["gopher_quality"], "gopher_quality": {"stop_word_count": {"languages": {"de": {"min": None}}}}}
    )
    assert found[-1] == Rule("gopher_quality", "stop_word_count", "min", 2, unless=(LANGUAGE, ("de",)))
    assert found[:-1] == PRESETS["gopher_quality"].rules[:-1]


def test_choices_have_codes_that_say_what_they_are():
    one, two, three = {"a": {"min": 1}}, {"b": {"max": 2}, "c": {"min": 3, "max": 4}}, {"d": {"min": 5}}
    found = rules_in({"house": {"e": {"min": 0}, "all": [{"any": [one, two]}, {"any": [one, three]}, three]}})
    assert [rule.code for rule in found] == [
        "house.e.min",
        "house.any(a.min,all(b.max,c.min,c.max))",
        "house.any(a.min,d.min)",
        "house.d.min",
    ]


def test_bounds_by_language_in_a_choice_are_named_once():
    apart = {"a": {"min": 1, "languages": {"de": {"min": 2}}}}
    (found,) = rules_in({"house": {"any": [apart, {"b": {"min": 1}}]}})
    assert found.code == "house.any(a.min,b.min)"
    columns = {"a": pa.array([1, 1, 2]), "b": pa.array([0, 0, 0]), "language": pa.array(["en", "de", "de"])}
    assert hits(found, columns, 3).tolist() == [False, True, False]


def test_the_column_of_languages_is_the_schemas():
    assert schema.LANGUAGE == LANGUAGE


def test_a_whole_bound_is_written_as_an_integer():
    assert str(bounds({"house": {"word_count": {"min": 5.0}}})["house.word_count.min"]) == "5"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "no rule: name presets"),
        ({"use": ["gopher_qualty"]}, "there is no preset 'gopher_qualty'; did you mean 'gopher_quality'?"),
        ({"use": ["x"]}, "there is no preset 'x'; there are: gopher_repetition, gopher_quality, "),
        ({"use": ["gopher_quality", "gopher_quality"]}, "a preset is named twice in 'use'"),
        ({"use": ["c4", "c4@datatrove"]}, "a preset is named twice in 'use'"),
        (
            {"use": ["c4"], **{name: {"c4_sentence_count": {"min": 1}} for name in ("c4", "c4@datatrove")}},
            "are one preset; write its bounds once",
        ),
        ({"gopher_quality": {"word_count": {"min": 1}}}, "changes a preset that 'use' does not name"),
        ({"use": ["gopher_quality"], "gopher_qualty": {"word_count": {"min": 1}}}, "nearly 'gopher_quality'"),
        ({"usee": ["gopher_quality"]}, "valid dictionary or instance of RuleSet"),
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
        ({"house": {}}, "a set of bounds is empty"),
        ({"house": {"any": [{"a": {"min": 1}}]}}, "at least 2 items"),
        ({"house": {"any": [{"a": {"min": 1}}, {}]}}, "a set of bounds is empty"),
        ({"house": {"any": [{"a": {"min": 1}}, {"a": {"min": None}}]}}, "'house' is no preset"),
        ({"house": {"a": {"min": 1}, "all": [{"a": {"min": 2}}]}}, "'house.a.min' would be the reason of two rules"),
        ({"house": {"a": {"max": 1, "languages": {"de": {"min": None}}}}}, "languages.de': null switches off nothing"),
        ({"house": {"a": {"languages": {}}}}, "at least 1 item"),
        ({"house": {"a": {"languages": {"de": {"languages": {}}}}}}, "Extra inputs"),
        (
            {"use": ["gopher_quality"], "gopher_quality": {"any": [{"a": {"min": 1}}, {"b": {"min": 1}}]}},
            "'any' and 'all' belong into a rule set of your own",
        ),
        (
            {"use": ["gopher_quality"], "gopher_quality": {"hash_word_ratio": {"languages": {"de": {"min": 1}}}}},
            "no rule 'hash_word_ratio.min'",
        ),
        ({"use": ["fineweb2/fra_Latn"]}, "preset 'fineweb2/fra_Latn' needs FineWeb-2's published bounds"),
        ({"use": ["fineweb2/french"]}, "there is no preset 'fineweb2/french'"),
    ],
)
def test_a_recipe_that_cannot_be_meant_is_refused(value, message):
    with pytest.raises(ValidationError, match=".*") as error:
        FilterSettings.model_validate(value)
    assert message in str(error.value)


def test_the_json_schema_offers_presets_and_their_signals_to_editors():
    described = FilterSettings.model_json_schema()
    assert described["properties"]["use"]["items"]["anyOf"][0]["enum"] == [*PRESETS, *ALIASES]
    for name in (*PRESETS, *ALIASES):
        signals = {rule.signal for rule in PRESETS[ALIASES.get(name, name)].rules}
        assert set(described["properties"][name]["propertyNames"]["enum"]) == signals
    assert described["$defs"]["SignalBound"]["properties"].keys() == {"min", "max", "in", "languages"}
