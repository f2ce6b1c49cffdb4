"""Other bounds tried: what a sweep says is what evaluating the rules with each bound gives."""

from __future__ import annotations

import io
import json
import random
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from commands import gristmill
from rich.console import Console
from runs import PAGES, Page, build_run

from gristmill import schema
from gristmill.errors import UsageError
from gristmill.filters.rules.evaluate import evaluate, hits
from gristmill.filters.rules.rule import Choice, Rule
from gristmill.pipeline.stages.rules import rule_columns, step_rules
from gristmill.report.live import watcher
from gristmill.report.sweep import bounds_between, find_rule, sweep, sweep_table
from gristmill.report.sweep_view import render_sweep

SILENT = watcher(Console(file=io.StringIO()))
GERMAN, OTHERS = ("language", ("de",)), ("language", ("de", "fr"))
RULES = (
    Rule("house", "word_count", "min", 50),
    Rule("house", "mean_word_length", "min", 3, unless=OTHERS),
    Rule("house", "mean_word_length", "min", 4, where=GERMAN),
    Rule("house", "mean_word_length", "max", 8),
    Rule("house", "language", "in", ("en", "de")),
    Choice("house", ((Rule("house", "word_count", "min", 70),), (Rule("house", "mean_word_length", "max", 6),))),
)
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


def recount(run, code, language, bound):
    """The slow twin: the filter evaluated with that bound."""
    swept = find_rule(run, code, language)
    rules = [replace(rule, bound=bound) if rule == swept.rule else rule for rule in step_rules(swept.step)]
    own = replace(swept.rule, bound=bound)
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
    ("code", "language", "bounds"),
    [
        ("house.word_count.min", None, [0, 49, 50, 50.5, 70, 71, 1000]),
        ("house.mean_word_length.max", None, [1, 6, 6.5, 8, 9, 10]),
        ("house.mean_word_length.min", None, [0, 3, 3.25, 4, 9]),
        ("house.mean_word_length.min", "de", [0, 3, 4, 9]),
    ],
)
def test_a_sweep_agrees_with_evaluating_each_bound(run, code, language, bounds):
    found = sweep(run, find_rule(run, code, language), bounds, SILENT)
    own = find_rule(run, code, language).rule.bound
    assert [one.bound for one in found.bounds] == sorted({*map(float, bounds), float(own)})
    assert [one.bound for one in found.bounds if one.is_current] == [own]
    for one in found.bounds:
        assert (one.documents_kept, one.bytes_kept, one.hits, one.alone) == recount(run, code, language, one.bound)


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
        ("house.any(word_count.min,mean_word_length.max)", None, "is no bound on a number"),
        ("house.mean_word_length.min", "it", "has no bound for 'it'; it has bounds of their own for de"),
        ("house.word_count.min", "de", "has no bound for 'de'; it has one bound for all languages"),
        ("language.language_score.min", None, "choose one with --language; it has bounds of their own for de, en"),
    ],
)
def test_what_cannot_be_swept_is_answered_with_what_can(run, code, language, message):
    with pytest.raises(UsageError) as error:
        find_rule(run, code, language)
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


def test_the_command_sweeps_a_finished_run(quickstart, tmp_path):
    ask = ["sweep", "quickstart", "--rule", "gopher_quality.word_count.min", "--from", 20, "--to", 80, "--steps", 4]
    told = json.loads(gristmill(*ask, "--json", "-o", tmp_path / "s.parquet", cwd=quickstart).stdout)
    assert [one["bound"] for one in told["bounds"]] == [20, 40, 50, 60, 80]
    assert pq.read_table(tmp_path / "s.parquet").column("documents_kept").to_pylist() == [
        one["documents_kept"] for one in told["bounds"]
    ]
    funnel = gristmill("funnel", "quickstart", cwd=quickstart).stdout
    now = next(one for one in told["bounds"] if one["is_current"])
    (line,) = [line for line in funnel.splitlines() if line.startswith("filter")]
    assert line.split()[2] == str(now["documents_kept"])
    shown = gristmill(*ask, cwd=quickstart)
    assert "50 now" in shown.stdout
    assert shown.stderr == ""
