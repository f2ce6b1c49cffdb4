"""What is said of a run: the numbers against a recount by hand, and hostile text against every way it is shown."""

from __future__ import annotations

import io
import math
import re
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from runs import PAGES, RECIPE, build_run

from gristmill.errors import UsageError
from gristmill.report import figures
from gristmill.report.charts import histogram
from gristmill.report.explain import explain, render_explanation
from gristmill.report.funnel import funnel, render_funnel
from gristmill.report.origins import hosts_of
from gristmill.report.stats import collect
from gristmill.report.tally import GRID, Histogram, Names, display_edges

TWO = "gopher_quality.word_count.min"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("runs") / "mill", PAGES)


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("runs") / "unfinished", PAGES, until="filter")


def printed(renderable, width=100):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(renderable)
    return console.file.getvalue()


# the funnel


def test_the_funnel_counts_every_stage(run):
    rows = [(r.stage, r.role, r.documents_in, r.documents_kept) for r in funnel(run)]
    assert rows == [
        ("records", "records", 26, 12),
        ("extract", "decides", 12, 10),
        ("language", "decides", 10, 8),
        ("signals", "measures", 8, 8),
        ("filter", "decides", 8, 6),
        ("dedup", "decides", 6, 5),
        ("decontaminate", "decides", 5, 4),
        ("tokenize", "tokens", 4, 4),
    ]
    last = funnel(run)[-1]
    kept = ("kept and counted", "eine Seite mit Worten", "kept at another time", "without address")
    assert last.bytes_kept == sum(map(len, kept))
    assert last.tokens == sum(len(text) // 4 for text in kept)
    assert all(row.dropped == row.documents_in - row.documents_kept for row in funnel(run))


def test_the_funnel_of_an_unfinished_run_says_what_is_missing(unfinished):
    rows = {row.stage: row for row in funnel(unfinished)}
    assert rows["filter"].documents_kept == 6
    assert [rows[s].role for s in ("dedup", "decontaminate", "tokenize")] == ["unfinished"] * 3
    assert rows["dedup"].dropped is None
    assert "0 of 2 shards" in printed(render_funnel(funnel(unfinished)))


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_funnel_fits(run, width):
    shown = printed(render_funnel(funnel(run)), width)
    assert all(len(line) <= width for line in shown.splitlines())
    assert "decontaminate" in shown
    assert "80.0%" in printed(render_funnel(funnel(run)))


def test_an_index_of_other_tokens_is_not_counted(tmp_path):
    other = build_run(tmp_path / "run", PAGES)
    index = other.folder.read_json("tokens/index.json")
    other.folder.write_json("tokens/index.json", index | {"computed_from": "something else"})
    assert funnel(other)[-1].role == "unfinished"
    assert collect(other)["tokens"] is None


# explanations


def test_a_kept_document_shows_its_room_to_each_bound(run):
    (explained,) = explain(run, "two/0")
    assert (explained.dropped_by, explained.is_final) == (None, True)
    stages = {stage.stage: stage for stage in explained.stages}
    assert stages["language"].values == {"language": "de", "language_score": 0.55}
    assert [(r.code, r.parts[0].value, r.asked, r.hit) for r in stages["language"].rules] == [
        ("language.language.in", "de", "in en, de", False),
        ("language.language_score.min", 0.55, "≥ 0.5 if language is de", False),
    ]
    assert len(stages["filter"].rules) == 4
    assert stages["tokenize"].state == "encoded"
    shown = printed(render_explanation(explained))
    assert re.search(r"✓ +language.language_score.min +0.55 +≥ 0.5 if language is de +0.05", shown)
    assert "two.warc.gz, at byte 0; row 0" in shown
    assert "2024-04-21 06:24:15 UTC" in shown


def test_a_dropped_document_has_all_its_reasons(run):
    (explained,) = explain(run, "http://www.example.org/odd")
    assert explained.dropped_by.stage == "filter"
    assert explained.dropped_by.reasons == (TWO, "gopher_quality.mean_word_length.min")
    assert [rule.hit for rule in explained.dropped_by.rules] == [True, False, True, False]
    states = {stage.stage: stage.state for stage in explained.stages}
    assert states["dedup"] == "not compared"
    assert states["tokenize"] == "not encoded"
    shown = printed(render_explanation(explained))
    assert f"dropped by filter: {TWO} (and 1 more)" in shown
    assert re.search(rf"✗ +{TWO} +20 +≥ 50 +-30", shown)
    assert "would have kept it" in shown


def test_a_duplicate_names_its_survivor(run):
    (explained,) = explain(run, "one/3000")
    dedup = next(stage for stage in explained.stages if stage.stage == "dedup")
    assert (dedup.survivor.id, dedup.survivor.url) == ("one/0", "http://example.org/kept")
    assert dedup.cluster_size == 2
    shown = printed(render_explanation(explained))
    assert "same as  one/0" in shown
    assert "http://example.org/kept" in shown
    (survivor,) = explain(run, "one/0")
    assert "kept for 2 copies" in printed(render_explanation(survivor))


def test_a_url_that_was_fetched_twice_is_explained_twice(run):
    explained = explain(run, "http://example.org/kept")
    assert [(e.shard, e.row) for e in explained] == [("one", 0), ("two", 2)]


def test_a_record_without_text_has_only_its_fate(run):
    (explained,) = explain(run, "one/4000")
    assert explained.dropped_by.reasons == ("extract.status",)
    assert {stage.state for stage in explained.stages[1:]} == {"no text"}
    assert explained.text() is None
    assert "404 text/html utf-8" in printed(render_explanation(explained, text=True))


def test_a_record_without_url_is_explained(run):
    (explained,) = explain(run, "two/4000")
    assert "a record without URL" in printed(render_explanation(explained))


def test_contamination_names_the_item(run):
    (explained,) = explain(run, "http://example.org/quoted")
    assert explained.dropped_by.values["benchmark_item"] == "test-1"
    assert "test-1" in printed(render_explanation(explained))


def test_text_is_read_for_the_row(run):
    for shard, pages in PAGES.items():
        for row, page in enumerate(pages):
            (explained,) = explain(run, f"{shard}/{1000 * row}")
            assert explained.text() == (None if page.fate else page.text)


def test_an_unfinished_run_is_explained_as_far_as_it_is(unfinished):
    (explained,) = explain(unfinished, "one/0")
    assert not explained.is_final
    assert "kept so far; not done yet: dedup, decontaminate, tokenize" in printed(render_explanation(explained))
    (dropped,) = explain(unfinished, "one/1000")
    assert dropped.is_final


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("https://EXAMPLE.org/copy/", "http://example.org/copy"),
        ("http://www.example.org/kept#top", "http://example.org/kept"),
        ("http://example.org/unsur", "http://example.org/unsure"),
        ("http://nowhere.test/", "nor one that contains it"),
        ("one/17", "the nearest are one/0, one/1000"),
        ("onne/1000", "did you mean one?"),
        ("\x1b[31m", r"\x1b[31m"),
        ("", "no record"),
    ],
)
def test_what_does_not_exist_is_answered_with_the_nearest(run, query, said):
    with pytest.raises(UsageError) as raised:
        explain(run, query)
    assert said in str(raised.value)
    assert "\x1b" not in str(raised.value)


# statistics


def test_reasons_are_counted_three_ways(run):
    stages = {stage["stage"]: stage["reasons"] for stage in collect(run)["reasons"]}
    counts = {r["reason"]: (r["first"], r["hits"], r["alone"]) for reasons in stages.values() for r in reasons}
    assert counts == {
        "extract.media_type": (1, 1, 1),
        "extract.status": (1, 1, 1),
        "language.language.in": (1, 1, 1),
        "language.language_score.min": (1, 1, 1),
        TWO: (2, 2, 1),
        "gopher_quality.word_count.max": (0, 0, 0),
        "gopher_quality.mean_word_length.min": (0, 1, 0),
        "gopher_quality.mean_word_length.max": (0, 0, 0),
        "dedup.exact": (1, 1, 1),
        "decontaminate.contaminated_ngram_count.max": (1, 1, 1),
    }
    for row in funnel(run):
        if row.role == "decides":
            assert sum(reason["first"] for reason in stages[row.stage]) == row.dropped


def test_languages_add_up(run):
    records = {record["language"]: record for record in collect(run)["languages"]}
    assert (records["en"]["documents"], records["en"]["documents_kept"]) == (8, 3)
    assert (records["fr"]["documents"], records["fr"]["documents_kept"]) == (1, 0)
    assert records["de"]["tokens"] == len("eine Seite mit Worten") // 4
    last = funnel(run)[-1]
    assert sum(record["documents_kept"] for record in records.values()) == last.documents_kept
    assert sum(record["text_bytes_kept"] for record in records.values()) == last.bytes_kept
    assert sum(record["tokens"] for record in records.values()) == last.tokens


def test_signals_are_those_of_the_documents_that_came_into_their_stage(run):
    signals = {signal["signal"]: signal for signal in collect(run)["signals"]}
    words = signals["word_count"]
    assert (words["stage"], words["kept"]["documents"], words["dropped"]["documents"]) == ("filter", 6, 2)
    assert words["dropped"]["quantiles"]["0.5"] == 20
    assert [bound["bound"] for bound in words["bounds"]] == [50, 100_000]
    for signal in signals.values():
        shown = signal["histogram"]
        assert sum(shown["kept"]) == signal["kept"]["documents"]
        assert sum(shown["dropped"]) == signal["dropped"]["documents"]
        assert len(shown["edges"]) == len(shown["kept"]) + 1


def test_the_rest_of_the_statistics(run):
    stats = collect(run)
    assert stats["complete"]
    assert stats["recipe"] == RECIPE
    assert stats["hosts"]["most"] == [{"host": "example.org", "documents": 2}, {"host": "example.de", "documents": 1}]
    assert stats["statuses"]["most"][0] == {"status": "200", "documents": 11}
    assert stats["dates"] == {"first": "2024-04-21T06:24:15+00:00", "last": "2024-04-21T11:24:15+00:00"}
    (dedup,) = stats["duplicates"]
    assert (dedup["compared"], dedup["clusters"]) == (6, 1)
    assert dedup["largest"] == [{"size": 2, "survivor": "one/0", "url": "http://example.org/kept"}]
    (found,) = stats["contamination"]
    assert found == {"stage": "decontaminate", "benchmark": "gsm8k", "documents": 1, "items": 1}


def test_hosts_come_from_any_url():
    urls = {
        "http://Example.ORG:8080/x?y@z": "example.org",
        "https://user:pass@host.test/": "host.test",
        "http://[::1]:80/": "[::1]",
        "http://[bad": "[bad",
        "dns:example.org": None,
        "": None,
    }
    found = hosts_of(pa.chunked_array([pa.array([*urls, None])]))
    assert found.to_pylist() == [*urls.values(), None]


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=30), max_size=6), st.integers(1, 8))
def test_names_are_never_overcounted_and_undercounted_within_the_bound(batches, capacity):
    names = Names(capacity)
    true = {}
    for batch in batches:
        names.add(pa.array(batch, pa.string()))
        for name in batch:
            true[name] = true.get(name, 0) + 1
    assert len(names.counts) <= capacity
    assert names.total == sum(true.values())
    for name, count in true.items():
        assert 0 <= count - names.counts.get(name, 0) <= names.undercount
    if len(true) <= capacity:
        assert names.counts == true


NUMBERS = st.one_of(
    st.integers(-1000, 10**6).map(float), st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-5)
)


@given(st.lists(NUMBERS, min_size=1, max_size=50), st.floats(0.01, 1.0))
def test_quantiles_are_exact_to_three_digits(values, share):
    counted = Histogram()
    for part in np.array_split(np.array(values), 3):
        counted.add(part)
    exact = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    found = counted.quantile(share)
    assert abs(found - exact) <= 0.01 * abs(exact) + 1e-12
    assert found <= exact or found == min(values)
    if 0 <= exact < 1000 and exact == int(exact):
        assert found == exact
    assert counted.total == len(values)


@given(
    st.lists(NUMBERS, min_size=1, max_size=50), st.lists(st.sampled_from([0.018112, 0.1, 3, 50, 100_000]), max_size=2)
)
def test_what_is_drawn_is_what_was_counted(values, bounds):
    counted = Histogram()
    counted.add(np.array(values))
    edges = display_edges((counted, Histogram()), bounds)
    assert all(low < high for low, high in pairwise(edges))
    assert len(edges) < 130
    inner = [edge for edge in edges[1:-1] if abs(edge) < 1000]
    assert all(np.isclose(GRID, edge, rtol=1e-9, atol=0).any() for edge in inner if edge)
    between = counted.between(edges)
    assert sum(between) == len(values)
    assert histogram({"signal": "x", "bounds": [], "histogram": {"edges": edges, "kept": between, "dropped": between}})


def test_numbers_are_written_for_readers():
    assert figures.share(999_999, 1_000_000) == ">99.9%"
    assert figures.size(123_456_789) == "123 MB"
    assert figures.number(float("nan")) == "nan"
    assert figures.number(float("inf")) == "inf"
    assert figures.exact(0.018112) == "0.018112"
