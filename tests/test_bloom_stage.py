"""Deduplication with Bloom filters on whole runs: what it is without them, and what older runs' filters claim."""

from __future__ import annotations

import math
import random
import shutil

import pyarrow as pa
import pytest
from corpora import Document, carry_out, decided, make_run
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from test_dedup_stage import CORPORA, KINDS, NAMES, spread

from gristmill.dedup.bloom.sizes import rate_of, size_for
from gristmill.errors import CorruptError, StaleError, UsageError
from gristmill.pipeline import exchange
from gristmill.pipeline.audit import audit
from gristmill.pipeline.doubts import doubts
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup.bloom import one
from gristmill.report.clusters import clusters
from gristmill.report.explain import explain
from gristmill.report.explain_view import render_explanation

SOUND = [[]] * 7
PASSES = ("two", "one")
POOR = "false_positives: 0.5"


def stage(kind="exact: text", bloom="", against=()):
    filters = f", bloom: {{{bloom}}}" if bloom is not None else ""
    older = f", against: [{', '.join(map(str, against))}]" if against else ""
    return f"  - dedup: {{{kind}{filters}{older}}}\n"


def layers(run):
    return [run.read(run.plan.step("dedup"), shard) for shard in run.plan.shards]


def broken(run):
    return [finding.broken for finding in audit(run)]


# --- one run --------------------------------------------------------------------------------------------------------


@settings(max_examples=8)
@given(
    documents=CORPORA,
    kind=st.sampled_from(KINDS),
    bloom=st.sampled_from(["passes: two", f"passes: two, {POOR}", "passes: one", f"passes: one, {POOR}, capacity: 1"]),
    seed=st.integers(0, 99),
    names=NAMES,
)
def test_layers_are_what_they_are_without_filters(tmp_path_factory, documents, kind, bloom, seed, names):
    folder, shards = tmp_path_factory.mktemp("bloom"), spread(documents, names, seed)
    plain = carry_out(make_run(folder, shards, stage(kind, None), "plain"))
    run = carry_out(make_run(folder, shards, stage(kind, bloom), "bloom"), reverse=True)
    assert layers(run) == layers(plain)
    assert broken(run) == SOUND
    assert run.plan.step("dedup").digest != plain.plan.step("dedup").digest


@pytest.mark.parametrize("passes", PASSES)
@pytest.mark.parametrize("partitions", [1, 8])
def test_neither_filters_that_err_often_nor_partitions_nor_shards_change_what_is_decided(
    tmp_path, monkeypatch, passes, partitions
):
    documents = [Document(f"d/{i}", f"text {i % 700}", day=i % 3) for i in range(1000)]
    plain = decided(carry_out(make_run(tmp_path, {"a": documents}, stage(bloom=None), "plain")))
    monkeypatch.setattr(exchange, "partition_count", lambda *_: partitions)
    for seed, names in enumerate(("a", "abcdefg")):
        shards = spread(documents, names, seed)
        run = make_run(tmp_path, shards, stage(bloom=f"passes: {passes}, {POOR}"), f"run-{seed}")
        assert decided(carry_out(run)) == plain


def test_in_two_passes_the_keys_of_candidates_alone_go_out(tmp_path):
    documents = [Document(f"d/{i}", f"text {i if i >= 20 else i // 2}") for i in range(5000)]
    run = carry_out(make_run(tmp_path, spread(documents, "abc", 1), stage()))
    step = run.plan.step("dedup")
    sent = sum(rows(run, f"{step.folder}/keys/{shard.name}.arrow") for shard in run.plan.shards)
    short = sum(rows(run, f"{step.folder}/short/{shard.name}.arrow") for shard in run.plan.shards)
    assert short == 5000
    assert 20 <= sent < 20 + 5000 * 0.02


def rows(run, name):
    with run.folder.source(name) as source:
        return pa.ipc.open_file(source).read_all().num_rows


def test_in_one_pass_candidates_alone_are_held(tmp_path, monkeypatch):
    held = []

    def counted(members, older=None):
        held.append(members.num_rows)
        return survivors(members, older)

    survivors = one.survivors
    monkeypatch.setattr(one, "survivors", counted)
    carry_out(
        make_run(tmp_path, {"a": [Document(f"d/{i}", f"text {i}") for i in range(5000)]}, stage(bloom="passes: one"))
    )
    assert len(held) == 4
    assert sum(held) < 5000 * 0.02


@pytest.mark.parametrize("passes", PASSES)
def test_100_000_equal_pages_are_one_cluster(tmp_path, passes):
    pages = [Document(f"d/{i:06}", "Not found", day=None) for i in range(100_000)]
    quiet = stage(bloom=f"passes: {passes}", kind="exact: text, warn: false")
    found = decided(carry_out(make_run(tmp_path, {"a": pages[::2], "b": pages[1::2]}, quiet)))
    assert found.pop("d/000000") == (None, None, 100_000)
    assert set(found.values()) == {("dedup.exact", "d/000000", 100_000)}


@pytest.mark.parametrize("passes", PASSES)
@pytest.mark.parametrize("shards", [{"a": []}, {"a": [Document("d/1", None)], "b": [Document("d/2", "")]}])
def test_a_run_without_texts_has_filters_that_hold_nothing(tmp_path, passes, shards):
    run = carry_out(make_run(tmp_path, shards, stage(bloom=f"passes: {passes}")))
    assert all(reason is None for reason, *_ in decided(run).values())
    assert broken(run) == SOUND


@pytest.mark.parametrize("passes", PASSES)
def test_a_killed_run_is_resumed_with_the_same_bytes(tmp_path, passes):
    chance = random.Random(5)
    documents = [Document(f"d/{i}", f"text {i % 7}", day=i % 3) for i in range(40)]
    run = carry_out(make_run(tmp_path, spread(documents, "abc", 1), stage(bloom=f"passes: {passes}")))
    files = sorted(p for p in (tmp_path / "mill").glob("dedup*/**/*.parquet"))
    whole = {path: path.read_bytes() for path in files}
    for _ in range(5):
        lost = chance.sample(files, chance.randrange(1, len(files)))
        for path in lost:
            path.unlink()
        times = {path: path.stat().st_mtime_ns for path in files if path not in lost}
        carry_out(run, reverse=True)
        assert {path: path.read_bytes() for path in files} == whole
        assert {path: path.stat().st_mtime_ns for path in times} == times


@pytest.mark.parametrize("passes", PASSES)
def test_filters_that_hold_more_than_they_are_made_for_are_in_doubt_with_their_real_rate(tmp_path, passes):
    documents = [Document(f"d/{i}", f"text {i}") for i in range(4000)]
    bloom = f"passes: {passes}, capacity: 2000"
    run = carry_out(make_run(tmp_path, {"a": documents}, stage(bloom=bloom)))
    (told,) = doubts(run).values()
    assert told.startswith("dedup has 4,000 keys in Bloom filters for 2,000: their rate of false positives is 0.1")
    assert "instead of 0.01. Give it a capacity of 4,000 or more" in told
    shutil.rmtree(tmp_path / "mill" / run.plan.step("dedup").folder / "filters")
    assert doubts(run) == {}
    run = carry_out(make_run(tmp_path, {"a": documents}, stage(bloom=bloom.replace("2000", "4000")), "enough"))
    assert doubts(run) == {}


def test_bloom_filters_for_near_duplicates_are_a_mistake_with_its_line(tmp_path):
    with pytest.raises(UsageError, match=r"`bloom` is for what must be equal.*mill.yaml:5\)"):
        make_run(tmp_path, {"a": []}, "  - dedup: {minhash: {}, bloom: {}}\n")


# --- against older runs ---------------------------------------------------------------------------------------------

SERVED = [("two", None), ("two", "one"), ("two", "two"), ("one", "one"), ("one", "two"), (None, "one")]


def of(passes, more=""):
    return None if passes is None else f"passes: {passes}{more}"


@pytest.mark.parametrize(("mine", "theirs"), SERVED)
def test_against_an_older_run_the_same_documents_go_as_without_filters(tmp_path, mine, theirs):
    """At a billionth, one pass errs in none of these either."""
    chance = random.Random(f"{mine} {theirs}")
    texts, urls = (
        ["one", "One!", "two", "", None],
        ["http://a.org/", "https://A.org", "http://b.org/?utm_source=x", None],
    )
    documents = [
        Document(f"d/{i}", chance.choice(texts), chance.choice(urls), chance.choice([None, 0, 1])) for i in range(24)
    ]
    old, new, kind, names = documents[:10], documents[10:], KINDS[SERVED.index((mine, theirs))], "abc"
    fine = ", false_positives: 0.000000001" if mine == "one" else f", {POOR}"
    found = {}
    for way, own, older in (("plain", None, None), ("bloom", of(mine, fine), of(theirs, fine))):
        carry_out(make_run(tmp_path, spread(old, names, 1), stage(kind, older), f"{way}-old"))
        shards, steps = spread(new, names[:2], 2), stage(kind, own, [tmp_path / f"{way}-old"])
        run = carry_out(make_run(tmp_path, shards, steps, f"{way}-new"))
        assert broken(run) == SOUND
        found[way] = decided(run)
    assert any((partner or "").startswith("plain-old:") for _, partner, _ in found["plain"].values())
    for identity, (reason, partner, size) in found["plain"].items():
        is_old = (partner or "").startswith("plain-old:")
        named = mine is None or (mine, theirs) in (("two", "one"), ("two", None))
        expected = f"bloom-old:{partner.partition(':')[2] if named else ''}" if is_old else partner
        assert found["bloom"][identity] == (reason, expected, size)


@pytest.mark.parametrize("passes", [("one", "two"), ("two", "one"), ("two", "two")])
@pytest.mark.parametrize("partitions", [(1, 8), (8, 1)])
def test_runs_of_other_numbers_of_partitions_find_each_others_filters(tmp_path, monkeypatch, passes, partitions):
    mine, theirs = passes
    monkeypatch.setattr(exchange, "partition_count", lambda shards, finer=1: partitions[shards - 1])
    old = {"a": [Document(f"a/{i}", f"text {i}") for i in range(100)]}
    carry_out(make_run(tmp_path, old, stage(bloom=of(theirs)), "old"))
    new = {"b": [Document(f"b/{i}", f"text {i}") for i in range(50, 150)], "c": []}
    run = carry_out(make_run(tmp_path, new, stage(bloom=of(mine), against=[tmp_path / "old"]), "new"))
    dropped = {identity for identity, (reason, *_) in decided(run).items() if reason}
    assert {f"b/{i}" for i in range(50, 100)} <= dropped
    assert len(dropped) <= 50 + (6 if mine == "one" else 0)


@pytest.mark.parametrize("older", PASSES)
def test_in_one_pass_new_documents_go_at_the_rate_that_theory_says_and_in_two_none(tmp_path, older):
    """The filters of an older run are all that one pass needs of it."""
    count, rate = 4000, 0.1
    old = {"a": [Document(f"a/{i}", f"old {i}") for i in range(count)]}
    made = carry_out(make_run(tmp_path, old, stage(bloom=of(older, f", false_positives: {rate}")), "old"))
    new = {"b": [Document(f"b/{i}", f"new {i}") for i in range(count)]}
    two = carry_out(make_run(tmp_path, new, stage(bloom="passes: two", against=[tmp_path / "old"]), "two"))
    assert {reason for reason, *_ in decided(two).values()} == {None}
    folder = tmp_path / "old" / made.plan.step("dedup").folder
    for gone in ("keys", "short", "reduced", "candidates"):
        shutil.rmtree(folder / gone, ignore_errors=True)
    shutil.rmtree(tmp_path / "old" / "documents")
    run = carry_out(make_run(tmp_path, new, stage(bloom="passes: one", against=[tmp_path / "old"]), "one"))
    wrong = [partner for _, partner, _ in decided(run).values() if partner is not None]
    assert set(wrong) == {"old:"}
    theory = rate_of(size_for(count, rate), count)
    assert abs(len(wrong) - theory * count) < 4 * math.sqrt(theory * count) + 0.1 * theory * count
    assert broken(run) == SOUND


def test_a_document_that_a_filter_claims_is_told_of(tmp_path):
    documents = {"a": [Document(f"a/{i}", "one") for i in range(2)]}
    carry_out(make_run(tmp_path, documents, stage(bloom="passes: one"), "old"))
    new = {"b": [Document("b/1", "one"), Document("b/2", "one"), Document("b/3", "two"), Document("b/4", "two")]}
    run = carry_out(make_run(tmp_path, new, stage(bloom="passes: one", against=[tmp_path / "old"]), "new"))
    assert decided(run)["b/1"] == decided(run)["b/2"] == ("dedup.exact", "old:", 2)
    assert [(cluster.survivor.id, cluster.size) for cluster in clusters(run, 10)["dedup"]] == [("b/3", 2)]
    (told,) = explain(run, "b/1")
    shown = next(line for line in text_of(render_explanation(told)).splitlines() if "same as" in line)
    assert "some document of run old" in shown


def text_of(renderable):
    console = Console(width=160, color_system=None)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def test_a_chain_of_runs_is_asked_from_the_oldest_on(tmp_path):
    carry_out(make_run(tmp_path, {"a": [Document("a/1", "one")]}, stage(bloom="passes: one"), "first"))
    second = {"b": [Document("b/1", "one"), Document("b/2", "two")]}
    carry_out(make_run(tmp_path, second, stage(bloom="passes: one", against=[tmp_path / "first"]), "second"))
    third = {"c": [Document("c/1", "one"), Document("c/2", "two"), Document("c/3", "three")]}
    for passes, ids in (("one", ("first:", "second:")), ("two", ("first:a/1", "second:b/2"))):
        steps = stage(bloom=f"passes: {passes}, false_positives: 0.0001", against=[tmp_path / "second"])
        run = carry_out(make_run(tmp_path, third, steps, f"third-{passes}"))
        assert [decided(run)[f"c/{i}"][1] for i in (1, 2, 3)] == [*ids, None]


@pytest.mark.parametrize(
    ("mine", "theirs", "said"),
    [
        (None, "two", r"has the keys of candidates alone; .* `bloom: \{passes: two\}` or `one`"),
        ("one", None, r"has no filters; it is compared by a stage with .*, or by one without `bloom`"),
    ],
)
def test_a_run_that_cannot_serve_is_an_error_with_its_line(tmp_path, mine, theirs, said):
    carry_out(make_run(tmp_path, {"a": [Document("a/1", "one")]}, stage(bloom=of(theirs)), "old"))
    with pytest.raises(UsageError, match=rf"stage 'dedup' of run 'old' in .* {said}.*new.yaml:5\)"):
        make_run(tmp_path, {"b": []}, stage(bloom=of(mine), against=[tmp_path / "old"]), "new")


def test_filters_that_are_gone_altered_or_of_another_version_are_errors(tmp_path):
    old = carry_out(make_run(tmp_path, {"a": [Document("a/1", "one")]}, stage(bloom="passes: one"), "old"))
    (file, *_) = sorted((tmp_path / "old" / old.plan.step("dedup").folder / "filters").iterdir())
    steps, new = stage(bloom="passes: one", against=[tmp_path / "old"]), {"b": [Document("b/1", "one")]}
    run, plan = make_run(tmp_path, new, steps, "new"), tmp_path / "old" / "plan.json"
    whole, text = file.read_bytes(), plan.read_text()
    file.write_bytes(whole[:-20])
    with pytest.raises(CorruptError):
        carry_out(run)
    file.write_bytes(whole)
    plan.write_text(text.replace(old.plan.shards[0].fingerprint, "0" * 32))
    with pytest.raises(StaleError):
        carry_out(Run(run.folder, run.plan))
    plan.write_text(text.replace('"bloom": "1"', '"bloom": "0"'))
    with pytest.raises(UsageError, match="of other versions"):
        make_run(tmp_path, new, steps, "other")
    plan.write_text(text)
    file.unlink()
    with pytest.raises(UsageError, match="lacks the filters of 1 of its 4 partitions, such as 00000; finish it first"):
        make_run(tmp_path, new, steps, "third")
