"""Two runs beside each other: every document that both have is compared, and what is said of it is true of both."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from commands import QUICKSTART, inside
from rich.console import Console
from runs import HOSTILE, PAGES, QUALITY, Page, build_run

from gristmill import schema
from gristmill.errors import UsageError
from gristmill.filters.rules.rule import Rule
from gristmill.pipeline.ledger import fates
from gristmill.report.compare import compare
from gristmill.report.compare_view import render_comparison
from gristmill.report.live import watcher

SILENT = watcher(Console(file=io.StringIO()))
SHORT = "gopher_quality.word_count.min"
LOOSE = (replace(QUALITY[0], bound=10), *QUALITY[1:])


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("runs") / "strict", PAGES, until="filter")


def shown(found):
    console = Console(file=io.StringIO(), width=150, force_terminal=True, color_system=None)
    console.print(render_comparison(found))
    return console.file.getvalue()


def transitions(found):
    return {(change.before, change.after): change.documents for change in found.changes}


def test_another_bound_is_compared(strict, tmp_path):
    loose = build_run(tmp_path / "loose", PAGES, until="filter", rules=LOOSE)
    found = compare(strict, loose, 3, SILENT)
    assert transitions(found) == {(SHORT, "kept"): 1, (SHORT, "gopher_quality.mean_word_length.min"): 1}
    assert (found.documents, found.unchanged) == (12, 10)
    assert (found.before.kept, found.after.kept) == (6, 7)
    assert found.before.not_done == ("dedup", "decontaminate")
    kept = next(change for change in found.changes if change.after == "kept")
    (sample,) = kept.samples
    assert (sample.id, sample.url) == ("one/1000", "http://example.org/short")
    assert (sample.before.values, sample.before.asked) == ({"word_count": 20}, "≥ 50")
    assert (sample.after.reason, sample.after.values, sample.after.asked) == ("kept", {"word_count": 20}, "≥ 10")
    assert kept.bytes_before == kept.bytes_after == len("few words")
    assert f"before  {SHORT}: word_count 20, asked ≥ 50" in shown(found)
    assert "after   kept: word_count 20, asked ≥ 10" in shown(found)


def test_a_run_compared_with_itself_has_no_change(strict):
    found = compare(strict, strict, 3, SILENT)
    assert found.changes == ()
    assert found.unchanged == found.documents == 12
    assert "no document that both have changed its fate" in shown(found)


def test_comparing_the_other_way_round_mirrors_the_changes(strict, tmp_path):
    other = build_run(tmp_path / "other", PAGES, rules=LOOSE)
    there, back = compare(strict, other, 0, SILENT), compare(other, strict, 0, SILENT)
    assert {(a, b): n for (b, a), n in transitions(there).items()} == transitions(back)


def test_every_pair_of_fates_is_counted(strict, tmp_path):
    other = build_run(tmp_path / "other", PAGES, rules=(Rule("house", "mean_word_length", "max", 4.9),))
    expected: dict[tuple[str, str], int] = {}
    for shard in strict.plan.shards:
        decided = [(run, run.plan.shard(shard.name), run.plan.deciders[:3]) for run in (strict, other)]
        rows = [fates(*arguments).to_pylist() for arguments in decided]
        for one, two in zip(*rows, strict=True):
            pair = (one["reason"] or "kept", two["reason"] or "kept")
            if pair[0] != pair[1]:
                expected[pair] = expected.get(pair, 0) + 1
    assert transitions(compare(strict, other, 1, SILENT)) == expected


def test_other_crawls_have_documents_without_partner(strict, tmp_path):
    shorter = {"two": PAGES["two"][:4], "three": PAGES["one"]}
    other = build_run(tmp_path / "other", shorter, until="filter", rules=LOOSE)
    found = compare(strict, other, 3, SILENT)
    assert found.documents == 4
    assert (found.before.documents, found.before.without_partner) == (12, 8)
    assert (found.after.documents, found.after.without_partner) == (10, 6)
    assert found.before.kept_without_partner + found.after.kept_without_partner < 14
    assert "8 have no partner in the other" in shown(found)


def test_rows_in_another_order_are_found_by_id(strict, tmp_path):
    """A shard of the same name whose rows lie elsewhere: the documents are those of the same id."""
    pages = {"one": [*PAGES["one"], Page("http://example.org/new", word_count=1)], "two": PAGES["two"]}
    found = compare(strict, build_run(tmp_path / "longer", pages, until="filter"), 3, SILENT)
    assert (found.documents, found.changes) == (12, ())
    assert found.after.without_partner == 1


def test_samples_are_as_many_as_asked_for_and_always_the_same(tmp_path):
    pages = {shard: [Page(f"http://{shard}/{n}", word_count=20) for n in range(40)] for shard in "abc"}
    one = build_run(tmp_path / "one", pages, until="filter")
    two = build_run(tmp_path / "two", pages, until="filter", rules=LOOSE)
    (few,), (many,) = compare(one, two, 2, SILENT).changes, compare(one, two, 50, SILENT).changes
    assert few.documents == many.documents == 120
    assert len(few.samples) == 2
    assert many.samples[:2] == few.samples
    assert len({sample.id.partition("/")[0] for sample in many.samples}) == 3


def test_hostile_urls_are_shown_as_text(tmp_path):
    pages = {"one": [Page(url, word_count=20) for url in HOSTILE]}
    one = build_run(tmp_path / "one", pages, until="filter")
    two = build_run(tmp_path / "two", pages, until="filter", rules=LOOSE)
    text = shown(compare(one, two, 100, SILENT))
    assert "\x1b[31m" not in text
    assert "\u202e" not in text
    assert "[bold red]markup[/bold red]:smile:" in text


def test_a_run_without_decisions_cannot_be_compared(strict, tmp_path):
    folder = tmp_path / "none"
    run = build_run(folder, PAGES, until="extract")
    for path in (folder / "documents").glob("*.parquet"):
        path.unlink()
    with pytest.raises(UsageError, match="has decided nothing on every shard yet"):
        compare(strict, run, 3, SILENT)


def test_the_command_compares_two_runs(quickstart, tmp_path):
    change = ["--set", "stages.filter.gopher_quality.word_count.min=400", "--set", "name=longer"]
    shutil_run(quickstart, tmp_path)
    inside("run", QUICKSTART, "--workdir", tmp_path, "--until", "filter", "--workers", 1, *change, cwd=quickstart)
    ask = ["compare", "runs/quickstart", tmp_path / "longer"]
    told = json.loads(inside(*ask, "--json", "-o", tmp_path / "c.parquet", cwd=quickstart).stdout)
    table = pq.read_table(tmp_path / "c.parquet")
    assert table.schema.names == schema.CHANGES.names
    assert table.num_rows == told["documents"] - told["unchanged"] == sum(c["documents"] for c in told["changes"])
    assert ("kept", SHORT) in {(change["before"], change["after"]) for change in told["changes"]}
    assert "reason before" in inside(*ask, cwd=quickstart).stdout
    failed = inside("compare", "runs/quickstart", "runs/quickstrat", cwd=quickstart, check=False)
    assert failed.returncode == 2
    assert "runs/quickstart" in failed.stderr


def shutil_run(quickstart, folder):
    """Copy the finished run, so that only its filter is computed again."""
    import shutil

    shutil.copytree(quickstart / "runs" / "quickstart", folder / "longer")
