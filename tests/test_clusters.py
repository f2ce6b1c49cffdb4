"""Clusters shown: the largest first, whatever the shards; crawled text and URLs obeyed by no terminal."""

from __future__ import annotations

import io
import re

import pytest
from commands import inside
from corpora import Document, carry_out, make_run
from rich.cells import cell_len
from rich.console import Console
from runs import HOSTILE

from gristmill.errors import UsageError
from gristmill.report.clusters import LINES_SHOWN, MEMBERS_SHOWN, clusters
from gristmill.report.clusters_view import render_clusters

NORMAL = "  - dedup: {exact: normalized_text}\n"


def printed(found, width=200):
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
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
    assert re.search(r"kept +http://a.org/1 *\n +a/1", shown)
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


PARAGRAPH = " ".join(f"word{k}" for k in range(300))
NEAR = [
    Document(
        f"CC-MAIN-20240221072204-20240221102204-0000{i}/{81_000 + i}",
        f"A heading\n{PARAGRAPH} {'x' * i} end{i} {PARAGRAPH}\nLast line",
        f"https://www.a-rather-long-host.example.org/2024/04/21/a-path-of-many-words/index.html?page={i}&session=0123",
    )
    for i in range(3)
]


def test_near_duplicates_are_shown_with_their_similarity_and_where_they_differ(tmp_path):
    run = run_of(tmp_path, NEAR, "  - dedup: {minhash: {}}\n")
    found = clusters(run, 5, diff=True)
    (cluster,) = found["dedup"]
    assert (cluster.size, cluster.survivor.id) == (3, NEAR[2].id)
    assert [member.id for member in cluster.members] == [NEAR[0].id, NEAR[1].id]
    facts = dict(cluster.members[0].facts)
    assert 0.75 <= facts["similarity"] < 1
    assert facts["component_size"] == 3
    assert cluster.members[1].diff == (
        "@@ -1,3 +1,3 @@",
        " A heading",
        f"-…{PARAGRAPH[-38:]} xx end2 {PARAGRAPH}"[:200] + "…",
        f"+…{PARAGRAPH[-38:]} x end1 {PARAGRAPH}"[:200] + "…",
        " Last line",
    )
    lines = printed(found, 80).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert all(line.startswith(" " * 12) or line[4:11].strip() in ("kept", "dropped") for line in lines[3:-1])
    joined = "".join(line.strip() for line in lines)
    assert all(document.id in joined and document.url in joined for document in NEAR)


@pytest.mark.parametrize("hostile", [*HOSTILE, "\x00" * 5, "-\n+\n@@ -1 +1 @@\n", "\u3042" * 300, "[/red]\t\r\x0b\x85"])
def test_a_diff_of_hostile_texts_keeps_to_its_columns(tmp_path, hostile):
    texts = [f"{PARAGRAPH}\n{hostile}\n", f"{PARAGRAPH}\n{hostile}{hostile}x\n{PARAGRAPH[:50]}", f"{PARAGRAPH}\n"]
    documents = [Document(f"a/{i}", text, hostile) for i, text in enumerate(texts)]
    found = clusters(
        run_of(tmp_path, documents, "  - dedup: {minhash: {verify: 0.3, bands: 50, rows: 2}}\n"), 5, diff=True
    )
    assert len(found["dedup"][0].members) == 2
    shown = printed(found, 80)
    assert not any(control in shown for control in "\x1b\x07\u202e\x00\r\x0b\x85")
    for line in shown.splitlines()[3:-1]:
        assert cell_len(line) <= 80
        assert line.startswith(" " * 12) or line[4:11].strip() in ("kept", "dropped")


def test_giant_lines_are_compared_and_cut(tmp_path):
    giant = "z" * 3_000_000
    documents = [
        Document("a/0", f"{giant}a\nsame"),
        Document("a/1", f"{giant}B\nsame"),
        Document("a/2", f"{giant}\nsame"),
    ]
    found = clusters(run_of(tmp_path, documents, "  - dedup: {url: {}}\n"), 1, diff=True)["dedup"]
    lines = [line for member in found[0].members for line in member.diff if line[0] in "+-"]
    assert lines == [f"-…{'z' * 40}a", f"+…{'z' * 40}B", f"-…{'z' * 40}a", f"+…{'z' * 40}"]


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
