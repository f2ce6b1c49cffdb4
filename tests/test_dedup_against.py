"""Going against finished runs: their documents win, by their keys alone, and a duplicate names run and document."""

from __future__ import annotations

import shutil

import pytest
from corpora import Document, carry_out, decided, make_run
from hypothesis import given, settings
from hypothesis import strategies as st
from test_dedup_stage import CORPORA, spread

from gristmill.errors import StaleError, UsageError
from gristmill.pipeline.audit import audit
from gristmill.pipeline.run import Run
from gristmill.report.clusters import clusters
from gristmill.report.explain import explain
from gristmill.report.explain_view import render_explanation

EXACT = "exact: text"


def stage(kind, *older):
    return f"  - dedup: {{{kind}, against: [{', '.join(map(str, older))}]}}\n"


@pytest.fixture
def first(tmp_path):
    """A finished run of three documents, of which one is a copy."""
    documents = [Document("a/1", "one", day=5), Document("a/2", "one", day=6), Document("a/3", "two", day=9)]
    return carry_out(make_run(tmp_path, {"a": documents}, f"  - dedup: {{{EXACT}}}\n", "first"))


def test_the_older_run_wins_whatever_the_dates(tmp_path, first):
    new = [Document("b/1", "one", day=0), Document("b/2", "one", day=1), Document("b/3", "new"), Document("b/4", "new")]
    run = carry_out(make_run(tmp_path, {"b": new}, stage(EXACT, tmp_path / "first"), "second"))
    assert decided(run) == {
        "b/1": ("dedup.exact", "first:a/1", 2),
        "b/2": ("dedup.exact", "first:a/1", 2),
        "b/3": (None, None, 2),
        "b/4": ("dedup.exact", "b/3", 2),
    }
    assert [finding.broken for finding in audit(run)] == [[]] * 7
    assert str(first.folder.address) not in run.plan.step("dedup").digest
    (told,) = explain(run, "b/1")
    assert told.stages[1].survivor.id == "first:a/1"
    render_explanation(told)
    largest = clusters(run, 10, diff=True)["dedup"]
    assert [(c.survivor.id, c.size, [m.id for m in c.members]) for c in largest] == [
        ("b/3", 2, ["b/4"]),
        ("first:a/1", 2, ["b/1", "b/2"]),
    ]
    assert [member.diff for member in largest[1].members] == [None, None]
    assert [cluster.dropped for cluster in largest] == [1, 2]


def test_the_texts_of_the_older_run_are_not_read(tmp_path, first):
    shutil.rmtree(tmp_path / "first" / "documents")
    run = carry_out(make_run(tmp_path, {"b": [Document("b/1", "two")]}, stage(EXACT, tmp_path / "first"), "second"))
    assert decided(run) == {"b/1": ("dedup.exact", "first:a/3", 1)}


def test_what_an_older_run_went_against_counts_too_and_the_oldest_has_the_word(tmp_path, first):
    documents = [Document("b/1", "two"), Document("b/2", "three")]
    second = make_run(tmp_path, {"b": documents}, stage(EXACT, tmp_path / "first"), "second")
    carry_out(second)
    new = [Document("c/1", "one"), Document("c/2", "two"), Document("c/3", "three"), Document("c/4", "four")]
    third = carry_out(make_run(tmp_path, {"c": new}, stage(EXACT, tmp_path / "second"), "third"))
    assert decided(third) == {
        "c/1": ("dedup.exact", "first:a/1", 1),
        "c/2": ("dedup.exact", "first:a/3", 1),
        "c/3": ("dedup.exact", "second:b/2", 1),
        "c/4": (None, None, 1),
    }
    both = make_run(tmp_path, {"c": new}, stage(EXACT, tmp_path / "first", tmp_path / "second"), "both")
    assert both.plan.step("dedup").digest == third.plan.step("dedup").digest


def test_where_the_older_run_lies_changes_no_digest_and_what_it_holds_does(tmp_path, first):
    def digest(folder, name):
        return make_run(tmp_path, {"b": []}, stage(EXACT, folder), name).plan.step("dedup").digest

    shutil.copytree(tmp_path / "first", tmp_path / "elsewhere" / "first")
    assert digest(tmp_path / "first", "x") == digest(tmp_path / "elsewhere" / "first", "y")
    other = tmp_path / "other"
    other.mkdir()
    carry_out(make_run(other, {"z": [Document("z/1", "one")]}, f"  - dedup: {{{EXACT}}}\n", "first"))
    assert digest(other / "first", "z") != digest(tmp_path / "first", "v")
    with pytest.raises(UsageError, match="two runs called 'first'"):
        make_run(tmp_path, {"b": []}, stage(EXACT, other / "first", tmp_path / "first"), "w")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (
            "url: {}",
            "cut_parameters: []}, scope: corpus}: it has no `url` stage, but 'dedup' (exact) (",
        ),
        ("exact: normalized_text", "its stage 'dedup' has exact text, here normalized_text ("),
        ("exact: text, scope: host", "{exact: text, scope: host}: its stage 'dedup' has scope corpus, here host"),
    ],
)
def test_a_run_without_such_keys_is_an_error_with_its_line(tmp_path, first, kind, message):
    with pytest.raises(UsageError) as caught:
        make_run(tmp_path, {"b": []}, stage(kind, tmp_path / "first"), "second")
    assert message in str(caught.value)
    assert "second.yaml:5)" in str(caught.value)


def test_keys_of_other_versions_missing_or_altered_are_errors(tmp_path, first):
    (keys,) = (tmp_path / "first").glob("dedup-*/keys/a.arrow")
    run = make_run(tmp_path, {"b": [Document("b/1", "one")]}, stage(EXACT, tmp_path / "first"), "second")
    plan = tmp_path / "first" / "plan.json"
    whole = plan.read_text()
    plan.write_text(whole.replace('"exact": "1"', '"exact": "0"'))
    with pytest.raises(UsageError, match=r"of other versions: \{'exact': '0'\}, here \{'exact': '1'\}"):
        make_run(tmp_path, {"b": []}, stage(EXACT, tmp_path / "first"), "third")
    plan.write_text(whole.replace(first.plan.shards[0].fingerprint, "0" * 32))
    with pytest.raises(StaleError):
        carry_out(run)
    plan.write_text(whole)
    keys.unlink()
    with pytest.raises(UsageError, match="lacks the keys of 1 of its 1 shards, such as a; finish it first"):
        make_run(tmp_path, {"b": []}, stage(EXACT, tmp_path / "first"), "fourth")


def test_a_run_cannot_go_against_itself_or_against_nothing(tmp_path, first):
    documents = {"a": [Document("a/1", "one", day=5)]}
    shutil.rmtree(tmp_path / "first-warcs")
    with pytest.raises(UsageError, match="goes against itself"):
        carry_out(make_run(tmp_path, documents, stage(EXACT, tmp_path / "first"), "first"))
    with pytest.raises(UsageError, match="there is no run in"):
        make_run(tmp_path, documents, stage(EXACT, tmp_path / "none"), "second")


NAMES = st.sampled_from(["a", "abcde"])
KINDS = st.sampled_from(["exact: text", "exact: normalized_text", "url: {}", "exact: text, scope: host"])


@settings(max_examples=15)
@given(
    documents=CORPORA, cut=st.integers(0, 12), kind=KINDS, seed=st.integers(0, 9), names=st.sampled_from(["a", "abcde"])
)
def test_going_against_a_run_keeps_what_one_run_over_both_in_order_would(
    tmp_path_factory, documents, cut, kind, seed, names
):
    """Each text that survives is one that the older run did not have; together they hold each cluster once."""
    folder = tmp_path_factory.mktemp("against")
    old, new = documents[:cut], documents[cut:]
    carry_out(make_run(folder, spread(old, names, seed), f"  - dedup: {{{kind}}}\n", "old"))
    run = carry_out(make_run(folder, spread(new, names, seed + 1), stage(kind, folder / "old"), "new"))
    both = carry_out(make_run(folder, {"only": documents}, f"  - dedup: {{{kind}}}\n", "both"))
    assert survivors(Run.open(str(folder / "old"))) + survivors(run) == survivors(both)
    assert [finding.broken for finding in audit(run)] == [[]] * 7


def survivors(run):
    return sum(reason is None and size is not None for reason, _, size in decided(run).values())
