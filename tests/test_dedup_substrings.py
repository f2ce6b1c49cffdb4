"""substrings on whole runs: what is cut, what stays of it somewhere, and what may not change it."""

from __future__ import annotations

import importlib.util
import random

import pytest
import reference_substrings as twin
from corpora import Document, carry_out, make_run
from hypothesis import given, settings
from hypothesis import strategies as st

from gristmill import schema
from gristmill.errors import GristmillError
from gristmill.pipeline.audit import audit
from gristmill.report.explain import explain

STAGES = "  - dedup: {substrings: {tokens: %d}%s}\n  - signals: {families: [gopher_quality]}\n"
FOX = "The quick brown fox jumps over the lazy dog"


def left(run):
    """The text that the step after the stage reads of each document, by id."""
    found = {}
    for shard in run.plan.shards:
        for table in run.texts(run.plan.step("signals"), shard, [schema.ID, schema.TEXT]):
            found |= dict(zip(*(table.column(name).to_pylist() for name in (schema.ID, schema.TEXT)), strict=True))
    return found


def facts(run, column, step="dedup"):
    found = []
    for shard in run.plan.shards:
        found += run.read(run.plan.step(step), shard, [column]).column(column).to_pylist()
    return found


def test_the_first_copy_of_a_run_of_words_stays_and_the_text_around_the_others(tmp_path):
    documents = [
        Document("x/0", f"Here begins: {FOX}. And ends.", day=2),
        Document("x/1", f"First of all {FOX}, he says", day=1),
        Document("x/2", FOX.replace(" ", "\n"), day=3),
        Document("x/3", FOX.lower(), day=3),
        Document("x/4", None),
        Document("x/5", f"wanted({FOX})store", day=4),
        Document("x/6", "", day=4),
    ]
    run = carry_out(make_run(tmp_path, {"x": documents}, STAGES % (9, "")))
    assert left(run) == {
        "x/0": "Here begins: . And ends.",
        "x/1": documents[1].text,
        "x/2": "",
        "x/3": FOX.lower(),
        "x/4": None,
        "x/5": "wanted( )store",
        "x/6": "",
    }
    assert facts(run, "cut_word_count") == [9, 0, 9, 0, None, 9, 0]
    assert facts(run, schema.EDIT_COUNT) == [1, 0, 1, 0, None, 1, 0]
    assert facts(run, schema.REASON, "dedup.keep")[2] == "dedup.substrings.text_bytes.min"
    assert [finding.broken for finding in audit(run)] == [[]] * 7
    assert 9 in [outcome.values.get("cut_word_count") for outcome in explain(run, "x/2")[0].stages]


WORDS = st.lists(st.sampled_from(["a", "b", "c,", "d\n"]), max_size=24).map(" ".join)
CORPORA = st.lists(st.one_of(st.none(), WORDS, WORDS.map(lambda text: f"{text} {text}")), min_size=1, max_size=9).map(
    lambda texts: [Document(f"d/{i}", text, day=i % 3) for i, text in enumerate(texts)]
)


@settings(max_examples=8)
@given(documents=CORPORA, n=st.integers(4, 6), seed=st.integers(0, 99), names=st.sampled_from(["a", "abc"]))
def test_what_is_left_is_the_twins_whatever_the_order_and_the_shards(tmp_path_factory, documents, n, seed, names):
    chance, folder = random.Random(seed), tmp_path_factory.mktemp("laws")
    shards = {name: [] for name in names}
    for document in chance.sample(documents, len(documents)):
        shards[chance.choice(names)].append(document)
    run = carry_out(make_run(folder, shards, STAGES % (n, "")), reverse=True)
    ordered = sorted((d for d in documents if d.text is not None), key=lambda d: (d.day, d.id))
    words = [d.text.replace(",", " ,").split() for d in ordered]
    kept = {d.id: None for d in documents}
    for document, mine, windows in zip(ordered, words, twin.repeated_windows(words, n), strict=True):
        gone = twin.cut_words(windows, n)
        kept[document.id] = [word for place, word in enumerate(mine) if place not in gone]
    found = {name: None if text is None else text.replace(",", " ,").split() for name, text in left(run).items()}
    assert found == kept
    assert [finding.broken for finding in audit(run)] == [[]] * 7


def test_copies_are_looked_for_within_their_scope_and_the_survivors_stays(tmp_path):
    stages = STAGES % (9, ", survivor: newest, scope: host")
    documents = [
        Document("a", FOX, "http://one.org/1", day=1),
        Document("b", FOX, "http://one.org/2", day=2),
        Document("c", FOX, "http://two.org/1", day=0),
    ]
    assert left(carry_out(make_run(tmp_path, {"x": documents}, stages))) == {"a": "", "b": FOX, "c": FOX}


def test_bounds_on_what_was_cut(tmp_path):
    documents = [Document("a", FOX), Document("b", f"{FOX} {FOX.lower()}", day=1), Document("c", "own words", day=1)]
    run = carry_out(make_run(tmp_path, {"x": documents}, STAGES % (9, ", keep: {cut_word_count: {max: 8}}")))
    assert facts(run, schema.REASON, "dedup.keep") == [None, "dedup.substrings.cut_word_count.max", None]


def test_a_package_that_is_missing_is_an_error_of_the_plan(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(GristmillError, match=r"pip install 'gristmill\[substrings\]' \(.*mill.yaml:5\)"):
        make_run(tmp_path, {"x": [Document("a")]}, STAGES % (50, ""))


def test_what_is_missing_after_a_kill_is_made_again_with_the_same_bytes(tmp_path):
    chance = random.Random(3)
    words = [f"w{i}" for i in range(60)]
    pages = [" ".join(words[a : a + 30]) for a in (chance.randrange(30) for _ in range(12))]
    shards = {
        name: [Document(f"{name}/{i}", page) for i, page in enumerate(pages[k::2])] for k, name in enumerate("ab")
    }
    run = carry_out(make_run(tmp_path, shards, STAGES % (8, "")))
    files = sorted((tmp_path / "mill" / run.plan.step("dedup").folder).rglob("*.*"))
    whole = [path.read_bytes() for path in files]
    assert len(files) > 20
    for path in chance.sample(files, len(files) // 2):
        path.unlink()
    carry_out(run, reverse=True)
    assert [path.read_bytes() for path in files] == whole
    assert 0 < sum(facts(run, "cut_word_count")) < 360
