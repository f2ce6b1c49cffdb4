"""minhash against finished runs: by their signatures, what survived there wins, and nothing else of theirs counts."""

from __future__ import annotations

import random
import shutil
from itertools import islice

import numpy as np
import pyarrow as pa
import pytest
import reference_minhash as twin
from commands import difference, inside, outputs
from corpora import Document, NoProgress, carry_out, decided, make_run
from hypothesis import given, settings
from hypothesis import strategies as st
from test_minhash_stage import bytes_of, numbered, planted, similarities, spread
from test_resume import kill_at

from gristmill.dedup.minhash.bands import band_keys
from gristmill.dedup.minhash.clusters import SHOWN
from gristmill.dedup.minhash.curve import Banding
from gristmill.dedup.minhash.shingles import shingles
from gristmill.dedup.minhash.signatures import signatures
from gristmill.errors import StaleError, UsageError
from gristmill.pipeline.audit import audit
from gristmill.pipeline.carry_out import phases_of
from gristmill.pipeline.run import Run
from gristmill.pipeline.session import begin
from gristmill.report.clusters import clusters
from gristmill.report.explain import explain
from gristmill.report.explain_view import render_explanation

STAGE = "  - dedup: {minhash: {ngram: 2, bands: 20, rows: 2, verify: %s}, survivor: oldest%s}\n"


def stage(*older, verify=0.6, scope="corpus"):
    against = f", against: [{', '.join(map(str, older))}]" if older else ""
    return STAGE % (verify, f", scope: {scope}{against}")


def run_of(folder, name, documents, *older, **settings_):
    shards = documents if isinstance(documents, dict) else {name: documents}
    return carry_out(make_run(folder, shards, stage(*older, **settings_), name))


def dated(documents, day):
    """The documents, fetched in their order from a day on."""
    return [Document(d.id, d.text, d.url, day + i) for i, d in enumerate(documents)]


def test_the_older_survivor_wins_and_what_an_older_run_dropped_does_not_count(tmp_path):
    # a chain: 1 is like 0 and goes, 2 is like 1 but not like 0
    chain = [numbered(0, 100), numbered(2, 100), numbered(4, 100)]
    old = dated([Document("a/0", chain[0]), Document("a/1", chain[1])], 50)
    assert decided(run_of(tmp_path, "old", old, verify=0.65))["a/1"] == ("dedup.minhash", "a/0", 2)
    new = [Document("b/0", chain[0], day=0), Document("b/1", chain[1], day=0), Document("b/2", chain[2], day=0)]
    new += [Document("b/3", "something else"), Document("b/4", chain[2] + " and"), Document("b/5", "")]
    run = run_of(tmp_path, "new", {"b": new}, tmp_path / "old", verify=0.65)
    assert decided(run) == {
        "b/0": ("dedup.minhash", "old:a/0", 2),
        "b/1": ("dedup.minhash", "old:a/0", 2),
        "b/2": (None, None, 2),
        "b/3": (None, None, 1),
        "b/4": ("dedup.minhash", "b/2", 2),
        "b/5": (None, None, 1),
    }
    assert similarities(run)["b/0"] == ("old:a/0", 1.0)
    assert [finding.broken for finding in audit(run)] == [[]] * 7
    (told,) = explain(run, "b/1")
    assert told.stages[1].survivor.id == "old:a/0"
    render_explanation(told)
    shown = clusters(run, 10, diff=True)["dedup"]
    assert [(c.survivor.id, c.size, [m.id for m in c.members]) for c in shown] == [
        ("b/2", 2, ["b/4"]),
        ("old:a/0", 2, ["b/0", "b/1"]),
    ]


def test_a_lone_document_meets_one_with_its_very_signature(tmp_path):
    run_of(tmp_path, "old", [Document("a/0", "One, two three")])
    run = run_of(tmp_path, "new", [Document("b/0", "one two three"), Document("b/1", "four")], tmp_path / "old")
    assert decided(run) == {"b/0": ("dedup.minhash", "old:a/0", 1), "b/1": (None, None, 1)}


def test_what_survived_there_survives_though_it_would_not_here(tmp_path):
    old = dated([Document("a/0", numbered(0, 100)), Document("a/1", numbered(2, 100))], 0)
    run_of(tmp_path, "old", old, verify=0.9)
    run = run_of(tmp_path, "new", [Document("b/0", old[1].text)], tmp_path / "old", verify=0.5)
    assert decided(run) == {"b/0": ("dedup.minhash", "old:a/1", 1)}


def test_the_texts_of_the_older_run_are_not_read(tmp_path):
    run_of(tmp_path, "old", {"a": [Document("a/0", numbered(0))], "b": [Document("b/0", numbered(50))]})
    shutil.rmtree(tmp_path / "old" / "documents")
    new = [Document("c/0", numbered(0) + " more"), Document("c/1", numbered(50))]
    assert decided(run_of(tmp_path, "new", new, tmp_path / "old")) == {
        "c/0": ("dedup.minhash", "old:a/0", 1),
        "c/1": ("dedup.minhash", "old:b/0", 1),
    }


def test_what_an_older_run_went_against_counts_too_and_of_equals_the_oldest_has_the_word(tmp_path):
    run_of(tmp_path, "first", [Document("a/0", numbered(0))])
    run_of(tmp_path, "second", [Document("b/0", numbered(0)), Document("b/1", numbered(50))], tmp_path / "first")
    run_of(tmp_path, "apart", [Document("x/0", numbered(0)), Document("x/1", numbered(90))])
    new = [Document(f"c/{i}", numbered(i)) for i in (0, 50, 90)]
    third = run_of(tmp_path, "third", new, tmp_path / "second", tmp_path / "apart")
    assert decided(third) == {
        "c/0": ("dedup.minhash", "first:a/0", 1),
        "c/50": ("dedup.minhash", "second:b/1", 1),
        "c/90": ("dedup.minhash", "apart:x/1", 1),
    }
    both = make_run(tmp_path, {"c": new}, stage(*(tmp_path / name for name in ("first", "second", "apart"))), "both")
    assert both.plan.step("dedup").digest == third.plan.step("dedup").digest
    turned = run_of(tmp_path, "turned", new, tmp_path / "apart", tmp_path / "second")
    assert decided(turned)["c/0"] == ("dedup.minhash", "apart:x/0", 1)


def test_documents_meet_older_ones_of_their_scope_alone(tmp_path):
    run_of(tmp_path, "old", [Document("a/0", numbered(0), "http://a.org/")], scope="host")
    new = [Document("b/0", numbered(0), "http://a.org/x"), Document("b/1", numbered(0), "http://b.org/")]
    run = run_of(tmp_path, "new", new, tmp_path / "old", scope="host")
    assert decided(run) == {"b/0": ("dedup.minhash", "old:a/0", 1), "b/1": (None, None, 1)}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("minhash: {ngram: 2, bands: 14, rows: 2}", "its stage 'dedup' has bands 20, here 14 ("),
        ("minhash: {ngram: 2, bands: 10, rows: 4, seed: 7}", "bands 20, here 10, rows 2, here 4, seed 1, here 7 ("),
        ("minhash: {bands: 20, rows: 2, scheme: legacy}", "scheme affine32, here legacy, ngram 2, here 5 ("),
        ("minhash: {ngram: 2, bands: 20, rows: 2, shingles: characters}", "shingles words, here characters ("),
        ("minhash: {ngram: 2, bands: 20, rows: 2}, scope: host", "scope corpus, here host ("),
        ("exact: text", "no keys of {exact: text, scope: corpus}: it has no `exact` stage, but 'dedup' (minhash) ("),
        ("minhash: {ngram: 2, bands: 20, rows: 2, verify: {exact: 0.6}}", "give `verify` a similarity"),
        ("minhash: {ngram: 2, bands: 20, rows: 2, verify: none}", "give `verify` a similarity"),
    ],
)
def test_signatures_that_cannot_be_compared_are_an_error_with_both_values_and_the_line(tmp_path, kind, message):
    make_run(tmp_path, {"a": []}, stage(), "old")
    with pytest.raises(UsageError) as caught:
        make_run(tmp_path, {"b": []}, f"  - dedup: {{{kind}, against: [{tmp_path / 'old'}]}}\n", "new")
    assert message in str(caught.value)
    assert "new.yaml:5)" in str(caught.value)


def test_a_threshold_is_the_bands_that_it_stands_for(tmp_path):
    old = "  - dedup: {minhash: {threshold: 0.7, verify: {exact: 0.9}}}\n"
    carry_out(make_run(tmp_path, {"a": [Document("a/0", numbered(0))]}, old, "old"))
    new = f"  - dedup: {{minhash: {{bands: 14, rows: 9, verify: 0.8}}, against: [{tmp_path / 'old'}]}}\n"
    run = carry_out(make_run(tmp_path, {"b": [Document("b/0", numbered(0))]}, new, "new"))
    assert decided(run) == {"b/0": ("dedup.minhash", "old:a/0", 1)}


def test_a_run_without_minhash_unfinished_or_its_own_is_an_error(tmp_path):
    carry_out(make_run(tmp_path, {"a": [Document("a/0", "one")]}, "  - dedup: {exact: text}\n", "exact"))
    with pytest.raises(UsageError, match="has no signatures of .* it has no `minhash` stage"):
        make_run(tmp_path, {"b": []}, stage(tmp_path / "exact"), "x")
    unfinished = make_run(tmp_path, {"a": []}, stage(), "unfinished")
    with pytest.raises(UsageError, match="lacks the signatures of 1 of its 1 shards, such as a; finish it first"):
        make_run(tmp_path, {"b": []}, stage(tmp_path / "unfinished"), "y")
    carry_out(unfinished)
    second = carry_out(make_run(tmp_path, {"b": []}, stage(tmp_path / "unfinished"), "second"))
    recipe, kept = tmp_path / "unfinished.yaml", (tmp_path / "unfinished" / "plan.json").read_bytes()
    for name in ("unfinished", "second"):
        recipe.write_text(recipe.read_text("utf-8").partition("  - dedup")[0] + stage(tmp_path / name), "utf-8")
        with pytest.raises(UsageError, match="'unfinished' goes against itself"):
            begin(recipe, str(tmp_path), [], None, None)
    assert (tmp_path / "unfinished" / "plan.json").read_bytes() == kept
    assert decided(second) == {}


def test_what_an_older_run_holds_is_part_of_the_plan_and_altered_files_are_stale(tmp_path):
    old = run_of(tmp_path, "old", [Document("a/0", numbered(0))])
    (tmp_path / "other").mkdir()
    run_of(tmp_path / "other", "old", {"z": [Document("z/0", numbered(0))]})
    digests = {
        make_run(tmp_path, {"b": []}, stage(folder / "old"), name).plan.step("dedup").digest
        for name, folder in (("x", tmp_path), ("y", tmp_path / "other"))
    }
    assert len(digests) == 2
    run = make_run(tmp_path, {"b": [Document("b/0", numbered(0))]}, stage(tmp_path / "old"), "new")
    plan = tmp_path / "old" / "plan.json"
    plan.write_text(plan.read_text().replace(old.plan.shards[0].fingerprint, "0" * 32))
    with pytest.raises(StaleError):
        carry_out(run)


PIECES = ("one two three four", "five six seven", "eight nine ten", "five six", "One, two three!", "", "alpha beta")
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=5).map(" ".join), min_size=1, max_size=16)


def brute_force(older, new, least):
    """What becomes of new documents after the older ones that survived: (survivor, similarity) of each."""
    everything = [*older, *new]
    found = shingles(pa.array([d.text for d in everything], pa.large_string()), "words", 2)
    signed = signatures(found, "affine32", 40, 1)
    bands = [[(b, key) for b, key in enumerate(row)] for row in band_keys(signed, Banding(20, 2)).tolist()]
    has = np.diff(found.counts) > 0
    buckets = [row if has[i] else [("alone", i)] for i, row in enumerate(bands)]
    leaders, values, _ = twin.led(lambda i, j: float(np.mean(signed[i] == signed[j])), buckets, least, SHOWN)
    names = [f"old:{d.id}" for d in older] + [d.id for d in new]
    return {
        d.id: (None if leaders[i] == i else names[leaders[i]], values[i])
        for i, d in enumerate(everything)
        if i >= len(older)
    }


@settings(max_examples=8)
@given(texts=TEXTS, cut=st.integers(0, 12), seed=st.integers(0, 9), names=st.sampled_from(["a", "abcde"]))
def test_it_decides_as_one_run_over_both_with_the_older_first_would(tmp_path_factory, texts, cut, seed, names):
    """Against one run over the union, and against all pairs; in any order, in any shards."""
    folder = tmp_path_factory.mktemp("union")
    documents = dated([Document(f"d/{i:02}", text) for i, text in enumerate(texts)], 0)
    old, new = documents[:cut], documents[cut:]
    first = decided(run_of(folder, "old", spread(old, names, seed)))
    run = carry_out(make_run(folder, spread(new, names, seed + 1), stage(folder / "old"), "new"), reverse=True)
    both = decided(run_of(folder, "both", {"only": documents}))
    known = {d.id for d in old}
    expected = {d.id: both[d.id][:2] for d in new}
    expected = {
        i: (reason, f"old:{partner}" if partner in known else partner) for i, (reason, partner) in expected.items()
    }
    found = decided(run)
    assert {i: (reason, partner) for i, (reason, partner, _) in found.items()} == expected
    values = similarities(run)
    survivors = [d for d in old if first[d.id][0] is None]
    assert {i: values.get(i, (None, 1.0)) for i in found} == brute_force(survivors, new, 0.6)
    for i, (_, partner, size) in found.items():
        assert size == sum(other == (partner or i) for _, other, _ in found.values()) + (":" not in (partner or i))
    assert [finding.broken for finding in audit(run)] == [[]] * 7


@pytest.mark.parametrize("stop", [3, 12, 33])
def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(tmp_path, stop):
    old, new = planted(random.Random(3), 20), planted(random.Random(3), 30)
    run_of(tmp_path, "old", spread(old, "ab", 1))
    new = spread([Document(f"n{d.id}", d.text) for d in new], "cd", 2)
    whole = run_of(tmp_path, "whole", new, tmp_path / "old")
    assert {partner.partition(":")[0] for partner, _ in similarities(whole).values()} > {"old"}
    stopped = make_run(tmp_path, new, stage(tmp_path / "old"), "stopped")
    work = ((phase, item) for _, phase in phases_of(stopped, stopped.plan.steps[1:]) for item in phase.items())
    for phase, item in islice(work, stop):
        phase.perform(item, NoProgress())
    assert next(work, None) is not None
    assert bytes_of(carry_out(stopped, reverse=True)) == bytes_of(whole)


RECIPE = """
name: %s
source: {warc: ["sample/%s.warc.gz"]}
stages:
  - extract: {extractor: trafilatura, mode: precision}
  - dedup: {minhash: {bands: 20, rows: 5, verify: 0.7}%s}
"""


def test_what_two_workers_began_and_one_went_on_with_has_the_bytes_of_one(quickstart, tmp_path):
    """A crawl after its first WARC; extraction is the quickstart's, so its documents are taken over."""
    (tmp_path / "sample").symlink_to(quickstart / "sample")
    first = min(path.name for path in (quickstart / "sample").glob("*.warc.gz")).removesuffix(".warc.gz")
    (tmp_path / "early.yaml").write_text(RECIPE % ("early", first, ""), "utf-8")
    (tmp_path / "late.yaml").write_text(RECIPE % ("late", "*", ", against: [runs/early]"), "utf-8")
    for name in ("runs/early", "one/late", "two/late"):
        shutil.copytree(quickstart / "runs" / "quickstart" / "documents", tmp_path / name / "documents")
    inside("run", "early.yaml", "--workers", 1, cwd=tmp_path)
    inside("run", "late.yaml", "--workers", 1, "--workdir", "one", cwd=tmp_path)
    assert kill_at(40, ("run", "late.yaml", "--workers", 2, "--workdir", "two"), tmp_path)
    inside("run", "late.yaml", "--workers", 1, "--workdir", "two", cwd=tmp_path)
    assert difference(outputs(tmp_path / "one" / "late"), outputs(tmp_path / "two" / "late")) == []
    dropped = similarities(Run.open(str(tmp_path / "two" / "late")))
    assert {f"early:{i}" for i, (partner, _) in dropped.items() if i.startswith(first)} >= {
        partner for partner, _ in dropped.values() if partner.startswith("early:")
    }
    assert any(not i.startswith(first) and partner.startswith("early:") for i, (partner, _) in dropped.items())
    assert any(":" not in partner for partner, _ in dropped.values())
