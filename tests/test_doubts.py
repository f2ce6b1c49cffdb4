"""Filters that keep next to nothing, or drop nothing: what is said of them, and when nothing is."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from runs import Page, build_run

from gristmill.filters.rules.rule import Choice, Rule
from gristmill.pipeline.doubts import doubts
from gristmill.report.html import render_html
from gristmill.report.live import watcher
from gristmill.report.stats import collect

MANY = 10_001


def run_of(folder, pages, *rules, warn=True):
    """Return a run whose filter has these rules, over one shard of pages."""
    return build_run(folder / "run", {"one": pages}, until="filter", rules=rules, warn=warn)


def words(*counts):
    return [Page(word_count=count) for count in counts]


SHORT = Rule("house", "word_count", "min", 50)
LONG = Rule("house", "word_count", "max", 900)


@pytest.mark.parametrize(
    ("pages", "rules", "said"),
    [
        (
            words(*range(1, 1000), 3),
            [Rule("house", "word_count", "min", 1000)],
            "filter keeps 0 of 1,000 documents. Likely cause: 'house.word_count.min' drops 1,000 of them: it asks for "
            "at least 1,000, and its values go from 1 to 999, so the bound may be in another unit. If this is meant, "
            "write warn: false into the stage",
        ),
        (
            words(*[1] * 600, *[1000] * 600),
            [SHORT, LONG],
            "no rule alone, 2 together; the hardest, 'house.word_count.min' drops 600",
        ),
        (
            words(*[1] * 1000),
            [Choice("house", ((SHORT,), (Rule("house", "mean_word_length", "min", 9),)))],
            "'house.any(word_count.min,mean_word_length.min)' drops 1,000 of them.",
        ),
        (
            words(*[60] * MANY),
            [SHORT],
            "every value lies inside its bound: word_count.min 50 (its values go from 60 to",
        ),
        (
            words(*[60] * MANY),
            [Rule("house", "word_count", "min", 99, where=("language", ("fr", "fra_Latn")))],
            "no document is labelled fr or fra_Latn",
        ),
        (
            words(*[60] * MANY),
            [Rule("house", "language_score", "min", 0.65, where=("language", ("en",)))],
            "stage 'language' before it has the same rules",
        ),
        (words(*[60] * (MANY - 1)), [SHORT], None),
        (words(*[1] * 999), [SHORT], None),
        (words(*[1] * 999, 60), [SHORT], None),
    ],
)
def test_a_filter_in_doubt_is_told(tmp_path, pages, rules, said):
    found = doubts(run_of(tmp_path, pages, *rules))
    if said is None:
        assert found == {}
    else:
        assert said in found["filter"]


def test_a_filter_can_be_silenced_and_its_digest_stays(tmp_path):
    loud, quiet = (run_of(tmp_path / str(warn), words(*[1] * 1000), SHORT, warn=warn) for warn in (True, False))
    assert doubts(loud)
    assert doubts(quiet) == {}
    assert loud.plan.step("filter").digest == quiet.plan.step("filter").digest


def test_what_was_dropped_before_does_not_count(tmp_path):
    gone = [Page(word_count=1, language="xx")] * 2000
    assert doubts(run_of(tmp_path, [*gone, *words(60, 1)], SHORT)) == {}


def test_a_warning_stands_in_the_manifest_and_in_the_report(tmp_path):
    run = run_of(tmp_path, words(*[1] * 1000), SHORT)
    told = doubts(run)
    assert run.folder.read_json("manifest.json")["warnings"] == told
    stats = collect(run)
    assert stats["warnings"] == told
    assert "Likely cause" in render_html(stats)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_watcher_shows_warnings_on_one_line_without_escapes(terminal):
    console = Console(file=io.StringIO(), width=40, force_terminal=terminal, color_system=None)
    watcher(console).warn("filter keeps none \x1b[31m" + "of many " * 20)
    shown = console.file.getvalue()
    assert shown.startswith("warning: filter keeps none \\x1b[31m")
    assert shown.count("\n") == 1
