"""Each dedup stage is told by what it does, and of each kind it is said where it removes nearly all, or nothing."""

from __future__ import annotations

import io

import pytest
from corpora import Document, carry_out, make_run
from rich.console import Console

from gristmill.errors import UsageError
from gristmill.pipeline import doubts as run_doubts
from gristmill.pipeline.doubts import doubts
from gristmill.pipeline.stages.dedup import doubts as dedup_doubts
from gristmill.report.card import render_card
from gristmill.report.clusters import clusters
from gristmill.report.clusters_view import render_clusters
from gristmill.report.funnel import funnel, render_funnel
from gristmill.report.html import render_html
from gristmill.report.stage_names import stages_of
from gristmill.report.stats import collect
from gristmill.report.tables import plan_table, status_of

STAGES = """  - dedup: {scope: host, exact: text}
  - edit: {citations: }
  - dedup: {substrings: {tokens: 4}}
  - dedup: {simhash: {min_ngrams: 1}}
"""


def printed(renderable, width=100):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(renderable)
    return console.file.getvalue()


def numbered(start, count):
    return " ".join(f"w{k}" for k in range(start, start + count))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    documents = [Document("a/0", "one two three"), Document("a/1", "one two three"), Document("a/2", "something else")]
    return carry_out(make_run(tmp_path_factory.mktemp("names"), {"a": documents}, STAGES))


def test_every_table_names_the_kind_of_a_dedup_and_an_edit(run):
    told = {stage: f"{stage} ({does})" for stage, does in stages_of(run.plan).items()}
    assert told == {
        "dedup": "dedup (exact)",
        "edit": "edit (citations)",
        "dedup-2": "dedup-2 (substrings)",
        "dedup-3": "dedup-3 (simhash)",
    }
    stats = collect(run)
    for shown in (
        printed(render_funnel(funnel(run))),
        printed(status_of(run)),
        printed(plan_table(run.plan), 160),
        render_card(run, stats),
    ):
        for name in told.values():
            assert name in shown
        assert "extract (" not in shown
    page = render_html(stats)
    for does in ("exact", "citations", "substrings", "simhash"):
        assert f'<span class="does"> {does}</span>' in page
    shown = printed(render_clusters(clusters(run, 3), stages_of(run.plan)))
    assert "dedup (exact)\n" in shown
    assert "dedup-3 (simhash)  no document has a copy" in shown


@pytest.mark.parametrize("width", [60, 80])
def test_the_names_fit(run, width):
    for shown in (printed(render_funnel(funnel(run)), width), printed(status_of(run), width)):
        assert all(len(line) <= width for line in shown.splitlines())
    assert "dedup-2 (substrings)" in printed(render_funnel(funnel(run)), 80)
    planned = printed(plan_table(run.plan), 80)
    assert all(step.folder in planned for step in run.plan.steps)


def test_a_run_that_only_cuts_says_where_its_copies_are_shown(tmp_path):
    run = carry_out(make_run(tmp_path, {"a": [Document("a", "x\ny")]}, "  - dedup: {lines: {}}\n"))
    with pytest.raises(UsageError, match="'mill' has no clusters: its stage 'dedup' cuts what .* explain --text"):
        clusters(run, 3)


# --- doubts ---------------------------------------------------------------------------------------------------------


def test_a_kind_that_cuts_little_and_drops_most_pages_names_the_rule(tmp_path, monkeypatch):
    """Each page has short lines of its own, which no n-gram is in: a third of it is cut, and the page is dropped."""
    monkeypatch.setattr(run_doubts, "FEWEST_FOR_LITTLE", 50)
    shared = numbered(0, 30)
    own = ("\n".join(f"own {i} {line}" for line in range(20)) for i in range(50))
    documents = [Document(f"d/{i:04}", f"{shared}\n{text}") for i, text in enumerate(own)]
    stage = "  - dedup: {paragraphs: {fewest_words: 13}%s}\n"
    said = doubts(carry_out(make_run(tmp_path, {"a": documents}, stage % "", "loud")))
    assert said == {
        "dedup": "dedup drops 49 of 50 documents after its cuts. Likely cause: "
        "'dedup.paragraphs.seen_ngram_ratio.max' drops 49 of them, most of whose text stands in others. If this is "
        "meant, write warn: false into the stage"
    }
    assert doubts(carry_out(make_run(tmp_path, {"a": documents}, stage % ", warn: false", "quiet"))) == {}


def test_a_second_stage_that_cuts_the_same_names_the_first(tmp_path, monkeypatch):
    monkeypatch.setattr(run_doubts, "FEWEST_FOR_NOTHING", 3)
    documents = [Document(name, f"nobody has {name}") for name in ("x", "y", "z")]
    stages = "  - dedup: {lines: {}, warn: false}\n  - dedup: {lines: {}}\n"
    said = doubts(carry_out(make_run(tmp_path, {"a": documents}, stages)))
    assert list(said) == ["dedup-2"]
    assert "cuts nothing of 3 documents. Likely cause: stage 'dedup' before it has the same" in said["dedup-2"]


def test_a_chain_of_fingerprints_is_told_of(tmp_path, monkeypatch):
    monkeypatch.setattr(dedup_doubts, "GIANT", 5)
    documents = [Document(f"d/{i:02}", numbered(25 * i, 300)) for i in range(40)]
    stage = "  - dedup: {simhash: {distance: 8, ngram: 2%s}}\n"
    said = doubts(carry_out(make_run(tmp_path, {"a": documents}, stage % "")))["dedup"]
    assert "which verification split into" in said
    assert "come within 8 of 64 bits of each other; try a lesser `distance`" in said
    assert "gristmill clusters mill --diff" in said
