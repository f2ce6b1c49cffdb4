"""Clusters shown: the largest first, whatever the shards; crawled text and URLs obeyed by no terminal."""

from __future__ import annotations

import io

import pytest
from commands import inside
from corpora import Document, carry_out, make_run
from rich.console import Console
from runs import HOSTILE

from gristmill.errors import UsageError
from gristmill.report.clusters import LINES_SHOWN, MEMBERS_SHOWN, clusters
from gristmill.report.clusters_view import render_clusters

NORMAL = "  - dedup: {exact: normalized_text}\n"


def printed(found):
    console = Console(file=io.StringIO(), width=200, force_terminal=False)
    console.print(render_clusters(found))
    return console.file.getvalue()


def run_of(tmp_path, documents, stages=NORMAL, name="mill"):
    return carry_out(make_run(tmp_path, {"a": documents[::2], "b": documents[1::2]}, stages, name))


def test_the_largest_come_first_with_their_members_and_how_they_differ(tmp_path):
    documents = [
        Document("a/1", "The same.\nFetched 12 times\n", "http://a.org/1", day=0),
        Document("a/2", "The same.\nFetched 13 times\n", "http://a.org/2", day=1),
        Document("a/3", "the same!\nFetched 12 times\n", None, day=2),
        Document("b/1", "pair", day=0),
        Document("b/2", "Pair", day=1),
        Document("c/1", "alone"),
    ]
    found = clusters(run_of(tmp_path, documents), 10, diff=True)["dedup"]
    assert [(cluster.size, cluster.survivor.id) for cluster in found] == [(3, "a/1"), (2, "b/1")]
    assert [member.id for member in found[0].members] == ["a/2", "a/3"]
    assert [line for line in found[0].members[0].diff if line[0] in "+-"] == ["-Fetched 12 times", "+Fetched 13 times"]
    shown = printed({"dedup": found})
    assert shown.index("3 documents") < shown.index("2 documents")
    assert "+Fetched 13 times" in shown
    assert "kept    http://a.org/1  a/1" in shown
    assert [cluster.size for cluster in clusters(run_of(tmp_path, documents, name="again"), 1)["dedup"]] == [3]


def test_many_members_are_counted_and_long_diffs_are_cut(tmp_path):
    long = "".join(f"Line {number} {'x' * 300}\n" for number in range(50))
    documents = [Document(f"a/{number:03}", long.replace("x", "X") if number else long) for number in range(31)]
    (cluster,) = clusters(run_of(tmp_path, documents), 1, diff=True)["dedup"]
    assert len(cluster.members) == MEMBERS_SHOWN
    assert len(cluster.members[0].diff) == LINES_SHOWN + 1
    assert max(map(len, cluster.members[0].diff)) < 210
    assert "and 20 more" in printed({"dedup": [cluster]})


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_and_urls_are_written_out(tmp_path, hostile):
    documents = [
        Document("a/1", f"same\n{hostile}", hostile),
        Document("a/2", f"same\n{hostile} \x1b]0;x\x07", hostile),
    ]
    found = clusters(run_of(tmp_path, documents, "  - dedup: {url: {}}\n"), 5, diff=True)
    shown = printed(found)
    assert found["dedup"]
    assert not any(control in shown for control in "\x1b\x07\u202e")


def test_runs_without_clusters_say_so(tmp_path):
    alone = run_of(tmp_path, [Document("a/1", "one"), Document("a/2", "two")])
    assert clusters(alone, 5) == {"dedup": []}
    assert "no document has a copy" in printed(clusters(alone, 5))
    unfinished = make_run(tmp_path, {"a": []}, NORMAL, "unfinished")
    with pytest.raises(UsageError, match="has not finished 'dedup' yet"):
        clusters(unfinished, 5)
    with pytest.raises(UsageError, match="has no `dedup` stage"):
        clusters(make_run(tmp_path, {"a": []}, "  - language\n", "none"), 5)


def test_the_command_shows_them(tmp_path):
    run_of(tmp_path, [Document("a/1", "one \x1b[31m"), Document("a/2", "One \x1b[32m")])
    done = inside("clusters", tmp_path / "mill", "--top", 3, "--diff", cwd=tmp_path)
    assert "2 documents" in done.stdout
    assert "a/2" in done.stdout
    assert "\x1b" not in done.stdout
