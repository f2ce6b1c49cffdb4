"""Other bounds tried: what a sweep says is what evaluating the rules with each bound gives."""

from __future__ import annotations

import io
import json
import random

import pyarrow.parquet as pq
import pytest
from commands import inside
from rich.console import Console
from runs import PAGES, Page, build_run

from gristmill import schema
from gristmill.errors import UsageError
from gristmill.filters.rules.evaluate import evaluate, hits
from gristmill.filters.rules.rule import Choice, Rule
from gristmill.pipeline.stages.rules import rule_columns, step_rules
from gristmill.report.live import watcher
from gristmill.report.sweep import Sweep, SweptBound, bounds_between, sweep, sweep_table
from gristmill.report.sweep_view import render_sweep
from gristmill.report.swept import find_rule

SILENT = watcher(Console(file=io.StringIO()))
GERMAN, OTHERS = ("language", ("de",)), ("language", ("de", "fr"))
RULES = (
    Rule("house", "word_count", "min", 50),
    Rule("house", "mean_word_length", "min", 3, unless=OTHERS),
    Rule("house", "mean_word_length", "min", 4, where=GERMAN),
    Rule("house", "mean_word_length", "max", 8),
    Rule("house", "language", "in", ("en", "de")),
    Choice("house", ((Rule("house", "word_count", "min", 70),), (Rule("house", "mean_word_length", "max", 6),))),
    Choice(
        "nested",
        (
            (
                Rule("nested", "word_count", "min", 60),
                Choice(
                    "nested",
                    (
                        (Rule("nested", "mean_word_length", "min", 3.5, unless=GERMAN),),
                        (
                            Rule("nested", "word_count", "min", 90),
                            Rule("nested", "mean_word_length", "min", 2, where=GERMAN),
                        ),
                    ),
                ),
            ),
            (Rule("nested", "mean_word_length", "max", 3), Rule("nested", "word_count", "min", 60)),
        ),
    ),
)
CHOICE = "house.any(word_count.min,mean_word_length.max)"
NESTED = next(rule.code for rule in RULES if rule.preset == "nested")
VALUES = [2.0, 3.0, 3.5, 4.0, 6.0, 6.5, 8.0, 9.0, float("nan"), None]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    chance = random.Random(7)
    pages = {
        shard: [
            Page(
                text="x" * chance.randint(1, 50),
                language=chance.choice(["en", "de", "fr"]),
                word_count=chance.choice([None, 20, 49, 50, 51, 69, 70, 90]),
                mean_word_length=chance.choice(VALUES),
                fate=chance.choice([None, None, None, "extract.status"]),
            )
            for _ in range(60)
        ]
        for shard in ("one", "two", "three")
    }
    return build_run(tmp_path_factory.mktemp("runs") / "swept", pages, until="filter", rules=RULES)


def recount(run, swept, bound):
    """The slow twin: the filter evaluated with that bound."""
    own = swept.with_bound(bound)
    rules = [own if rule == swept.whole else rule for rule in step_rules(swept.step)]
    kept = kept_bytes = hit = alone = 0
    for shard in run.plan.shards:
        rows = run.footer(run.plan.text_step, shard).rows
        columns = rule_columns(run, swept.step, shard)
        came = run.kept(run.plan.deciders[:2], shard).to_pylist()
        sizes = run.read(run.plan.text_step, shard, ["text_bytes"]).column("text_bytes").to_pylist()
        decided = evaluate(rules, columns, rows).column("keep").to_pylist()
        others = evaluate([r for r in rules if r != own], columns, rows).column("keep").to_pylist()
        dropped = hits(own, columns, rows).tolist()
        for c, k, o, d, size in zip(came, decided, others, dropped, sizes, strict=True):
            kept += c and k
            kept_bytes += size if c and k else 0
            hit += c and d
            alone += c and d and o
    return kept, kept_bytes, hit, alone


@pytest.mark.parametrize(
    ("code", "language", "inside", "bounds"),
    [
        ("house.word_count.min", None, None, [0, 49, 50, 50.5, 70, 71, 1000]),
        ("house.mean_word_length.max", None, None, [1, 6, 6.5, 8, 9, 10]),
        ("house.mean_word_length.min", None, None, [0, 3, 3.25, 4, 9]),
        ("house.mean_word_length.min", "de", None, [0, 3, 4, 9]),
        (CHOICE, None, "word_count.min", [0, 49, 70, 71, 1000]),
        (CHOICE, None, "2.mean_word_length.max", [1, 3.5, 6, 9, 10]),
        (NESTED, None, "1.word_count.min", [0, 50, 60, 70, 1000]),
        (NESTED, None, "1.2.word_count.min", [0, 60, 90, 1000]),
        (NESTED, None, "2.word_count.min", [0, 60, 70, 1000]),
        (NESTED, None, "1.1.mean_word_length.min", [0, 3, 3.5, 4, 9]),
        (NESTED, "de", "1.2.mean_word_length.min", [0, 2, 3.5, 4, 9]),
        (NESTED, None, "mean_word_length.max", [0, 2, 3, 4, 9]),
    ],
)
def test_a_sweep_agrees_with_evaluating_each_bound(run, code, language, inside, bounds):
    swept = find_rule(run, code, language, inside)
    found = sweep(run, swept, bounds, SILENT)
    own = swept.rule.bound
    assert [one.bound for one in found.bounds] == sorted({*map(float, bounds), float(own)})
    assert [one.bound for one in found.bounds if one.is_current] == [own]
    for one in found.bounds:
        assert (one.documents_kept, one.bytes_kept, one.hits, one.alone) == recount(run, swept, one.bound)
    assert swept.with_bound(own) == swept.whole


def test_the_overlap_is_what_both_rules_drop(tmp_path):
    run = build_run(tmp_path / "run", PAGES, until="filter")
    found = sweep(run, find_rule(run, "gopher_quality.word_count.min"), [10, 150], SILENT)
    assert [(one.bound, one.hits, one.alone, one.overlap) for one in found.bounds] == [
        (10, 0, 0, {}),
        (50, 2, 1, {"gopher_quality.mean_word_length.min": 1}),
        (150, 8, 7, {"gopher_quality.mean_word_length.min": 1}),
    ]
    assert found.documents_in == 8
    assert sum(one.is_current for one in found.bounds) == 1


def test_a_tighter_bound_never_keeps_more(run):
    for code, tighter in (("house.word_count.min", 1), ("house.mean_word_length.max", -1)):
        kept = [one.documents_kept for one in sweep(run, find_rule(run, code), range(0, 100, 3), SILENT).bounds]
        assert kept == sorted(kept, reverse=tighter > 0)


@pytest.mark.parametrize(
    ("code", "language", "message"),
    [
        (
            "house.word_cuont.min",
            None,
            "the run has no rule 'house.word_cuont.min'; did you mean 'house.word_count.min'?",
        ),
        ("house.language.in", None, "is no bound on a number; sweep takes one such as"),
        (CHOICE, None, "is a choice among bounds; name one with --bound: 1.word_count.min, 2.mean_word_length.max"),
        (
            "nested.word_count.min",
            None,
            f"a bound of that name stands inside a choice: --rule '{NESTED}' --bound word_count.min",
        ),
        ("house.mean_word_length.min", "it", "has no bound for 'it'; it has bounds of their own for de"),
        ("house.word_count.min", "de", "has no bound for 'de'; it has one bound for all languages"),
        ("language.language_score.min", None, "choose one with --language; it has bounds of their own for de, en"),
    ],
)
def test_what_cannot_be_swept_is_answered_with_what_can(run, code, language, message):
    with pytest.raises(UsageError) as error:
        find_rule(run, code, language)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("code", "bound", "message"),
    [
        (CHOICE, "word_cuont.min", "bound 'word_cuont.min' is not in rule 'house.any("),
        (NESTED, "word_count.min", "stands in several options of rule 'nested.any("),
        (NESTED, "word_count.min", "with --bound: 1.word_count.min, 1.1.mean_word_length.min, 1.2.word_count.min, "),
        ("house.word_count.min", "word_count.min", "leave --bound out"),
    ],
)
def test_a_bound_inside_a_choice_is_named(run, code, bound, message):
    with pytest.raises(UsageError) as error:
        find_rule(run, code, None, bound)
    assert message in str(error.value)


def test_a_run_without_decisions_cannot_be_swept(tmp_path):
    run = build_run(tmp_path / "run", PAGES, until="extract")
    with pytest.raises(UsageError, match="no rule that has been evaluated on every shard"):
        find_rule(run, "gopher_quality.word_count.min")


def test_bounds_are_at_equal_distances():
    assert bounds_between(50, 20, 4) == [50, 40, 30, 20]
    assert bounds_between(1, 1, 5) == [1]
    with pytest.raises(UsageError, match="finite"):
        bounds_between(0, float("nan"), 3)


def test_a_sweep_is_shown_and_written(run):
    found = sweep(run, find_rule(run, "house.word_count.min"), [40, 60], SILENT)
    assert sweep_table(found).schema == schema.SWEEP
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(render_sweep(found))
    assert "50 now" in console.file.getvalue()


def lines_of(found, width):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(render_sweep(found))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_sweep_is_read_at_80_columns():
    """As at any width: nothing is wrapped, folded or cut, with the largest of the numbers that a shard may have."""
    code = "gopher_repetition.dup_10gram_char_ratio.max"
    bounds = [
        SweptBound(bound, bound == 0.1, 9_876_543, 98_765_432_100, 1_234_567, 234_567, 10**9, {code: 999_999})
        for bound in (0.05, 0.1, 0.125)
    ]
    found = Sweep("gopher_repetition.dup_9gram_char_ratio.max", "≤ 0.1", "filter", 12_345_678, 10**12, tuple(bounds))
    lines = lines_of(found, 80)
    assert lines == lines_of(found, 200)
    assert any(line.split()[:3] == ["0.1", "now", "9,876,543"] for line in lines)
    assert [line.split() for line in lines if line.startswith(code)] == [[code, "999,999", "999,999", "999,999"]]


def test_overlaps_are_told_at_both_ends_and_at_the_bound_in_force(tmp_path):
    run = build_run(tmp_path / "run", PAGES, until="filter")
    lines = lines_of(sweep(run, find_rule(run, "gopher_quality.word_count.min"), [10, 100, 150], SILENT), 80)
    assert lines[-3:] == [
        "of the hits, others drop too         at 10  at 50 now  at 150",
        "any of them                              0          1       1",
        "gopher_quality.mean_word_length.min      0          1       1",
    ]
    alone = lines_of(sweep(run, find_rule(run, "gopher_quality.word_count.max"), [10**5], SILENT), 80)
    assert alone[-1] == "No other rule drops any of these hits."


def test_the_command_sweeps_a_finished_run(quickstart, tmp_path):
    ask = ["sweep", "quickstart", "--rule", "gopher_quality.word_count.min", "--from", 20, "--to", 80, "--steps", 4]
    told = json.loads(inside(*ask, "--json", "-o", tmp_path / "s.parquet", cwd=quickstart).stdout)
    assert [one["bound"] for one in told["bounds"]] == [20, 40, 50, 60, 80]
    assert pq.read_table(tmp_path / "s.parquet").column("documents_kept").to_pylist() == [
        one["documents_kept"] for one in told["bounds"]
    ]
    funnel = inside("funnel", "quickstart", cwd=quickstart).stdout
    now = next(one for one in told["bounds"] if one["is_current"])
    (line,) = [line for line in funnel.splitlines() if line.startswith("filter")]
    assert line.split()[2] == str(now["documents_kept"])
    shown = inside(*ask, cwd=quickstart)
    assert "50 now" in shown.stdout
    assert shown.stderr == ""
