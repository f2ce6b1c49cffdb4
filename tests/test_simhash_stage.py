"""simhash on whole runs: all pairs of real texts, the curve, and what may not change the result."""

from __future__ import annotations

import random
from itertools import islice, pairwise

import numpy as np
import pyarrow as pa
import pytest
import reference_simhash as twin
from commands import gristmill
from corpora import Document, NoProgress, carry_out, decided, make_run
from hypothesis import given, settings
from hypothesis import strategies as st
from real_texts import real_texts
from test_minhash_stage import bytes_of, changed_to, planted, similarities, spread
from test_simhash import numbers

from gristmill.dedup.minhash.shingles import shingles
from gristmill.dedup.simhash.curve import probability
from gristmill.dedup.simhash.fingerprints import fingerprints
from gristmill.errors import UsageError
from gristmill.pipeline.audit import audit
from gristmill.pipeline.carry_out import phases_of
from gristmill.pipeline.run import open_run
from gristmill.pipeline.stages.dedup.doubts import why_most_are_copies, why_none_is_a_copy
from gristmill.report.card import render_card
from gristmill.report.clusters import clusters
from gristmill.report.explain import explain
from gristmill.report.stats import collect
from gristmill.report.tables import curve_lines

STAGE = "  - dedup: {simhash: {distance: 6, ngram: 2, min_ngrams: %s}}\n"
PIECES = ("one two three four", "five six seven", "eight nine ten", "five six", "One, two three!", "", "alpha beta")
CORPORA = st.lists(
    st.one_of(st.none(), st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join)), min_size=1, max_size=16
).map(lambda texts: [Document(f"d/{i}", text, day=i % 3) for i, text in enumerate(texts)])


@settings(max_examples=8)
@given(
    documents=CORPORA,
    least=st.sampled_from([1, 4]),
    seed=st.integers(0, 99),
    names=st.sampled_from(["a", "ab", "abcdefg"]),
)
def test_neither_the_order_nor_the_number_of_shards_changes_anything(tmp_path_factory, documents, least, seed, names):
    folder, stages = tmp_path_factory.mktemp("laws"), STAGE % least
    one = carry_out(make_run(folder, {"only": documents}, stages, "one"))
    other = carry_out(make_run(folder, spread(documents, names, seed), stages, "other"), reverse=True)
    assert decided(one) == decided(other)
    assert [finding.broken for finding in audit(other)] == [[]] * 7
    assert expected(documents, least) == {identity: found[1:] for identity, found in decided(one).items()}


def expected(documents, least):
    """(duplicate_of, cluster_size) by id, from comparing all pairs."""
    found = shingles(pa.array([document.text for document in documents], pa.large_string()), "words", 2)
    values = numbers(fingerprints(found, 64))
    long = [i for i, n in enumerate(np.diff(found.counts).tolist()) if n >= least and documents[i].text is not None]
    answer = {d.id: (None, None) for d in documents}
    components = twin.components([values[i] for i in long], 6)
    for component in set(components):
        group = [i for i, label in zip(long, components, strict=True) if label == component]
        group.sort(key=lambda i: (-len(documents[i].text.encode()), documents[i].id))
        leaders, _ = twin.led([values[i] for i in group], 6)
        for place, leader in enumerate(leaders):
            survivor = None if leader == place else documents[group[leader]].id
            answer[documents[group[place]].id] = (survivor, leaders.count(leader))
    return answer


@pytest.mark.parametrize("stop", [1, 7, 15, 27])
def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(tmp_path, stop):
    shards = spread(planted(random.Random(3), 30), "ab", 1)
    whole = carry_out(make_run(tmp_path, shards, STAGE % 10, "whole"))
    stopped = make_run(tmp_path, shards, STAGE % 10, "stopped")
    work = ((phase, item) for _, phase in phases_of(stopped, stopped.plan.steps[1:]) for item in phase.items())
    for phase, item in islice(work, stop):
        phase.perform(item, NoProgress())
    assert next(work, None) is not None
    assert bytes_of(carry_out(stopped, reverse=True)) == bytes_of(whole)
    assert len(similarities(whole)) > 5


def test_two_workers_give_the_same_bytes(tmp_path):
    shards = spread(planted(random.Random(3), 30), "abc", 1)
    one = carry_out(make_run(tmp_path, shards, STAGE % 10, "one"))
    two = make_run(tmp_path, shards, STAGE % 10, "two")
    gristmill("run", "two.yaml", "--workers", 2, "--workdir", ".", cwd=tmp_path)
    assert bytes_of(two) == bytes_of(one)


def numbered(start, length=300):
    return " ".join(f"w{k}" for k in range(start, start + length))


def test_documents_are_compared_within_their_scope(tmp_path):
    urls = ["http://a.org/1", "http://a.org/2", "http://b.org/"]
    documents = [Document(f"d/{i}", numbered(0, 300 + i % 2), url) for i, url in enumerate(urls)]
    stage = "  - dedup: {scope: %s, simhash: {}}\n"
    within = decided(carry_out(make_run(tmp_path, {"a": documents}, stage % "host", "host")))
    assert within == {"d/0": ("dedup.simhash", "d/1", 2), "d/1": (None, None, 2), "d/2": (None, None, 1)}
    everywhere = decided(carry_out(make_run(tmp_path, {"a": documents}, stage % "corpus", "corpus")))
    assert [everywhere[f"d/{i}"][1] for i in range(3)] == ["d/1", None, "d/1"]


@pytest.mark.parametrize("bits", [64, 128])
def test_texts_below_the_bound_are_left_alone(tmp_path, bits):
    texts = [*["same words " * 30] * 2, *[numbered(0, 101)] * 2, *[numbered(500, 102)] * 2, "", " … ", None]
    documents = [Document(f"d/{i}", text) for i, text in enumerate(texts)]
    stage = f"  - dedup: {{simhash: {{min_ngrams: 100, bits: {bits}}}}}\n"
    run = carry_out(make_run(tmp_path, {"a": documents[::2], "b": documents[1::2]}, stage))
    found = decided(run)
    assert [found[f"d/{i}"] for i in (0, 1, 2, 3, 6, 7, 8)] == [(None, None, None)] * 7
    (told,) = collect(run)["duplicates"]
    assert told["compared"] == 2
    assert found["d/4"] == (None, None, 2)
    assert found["d/5"] == ("dedup.simhash", "d/4", 2)
    assert similarities(run) == {"d/5": ("d/4", 1.0)}


def test_a_member_beyond_the_distance_of_every_survivor_survives(tmp_path):
    """A chain of texts, each like the next: those that are dropped are within the distance of their survivor."""
    documents = [Document(f"d/{i:02}", numbered(25 * i)) for i in range(40)]
    run = carry_out(make_run(tmp_path, {"a": documents[:25], "b": documents[25:]}, STAGE % 100))
    values = numbers(fingerprints(shingles(pa.array([d.text for d in documents], pa.large_string()), "words", 2), 64))
    dropped = similarities(run)
    kept = set(range(40)) - {int(identity[2:]) for identity in dropped}
    for identity, (survivor, similarity) in dropped.items():
        away = twin.distance(values[int(identity[2:])], values[int(survivor[2:])])
        assert away <= 6
        assert similarity == 1 - away / 64
        assert int(survivor[2:]) in kept
    components = twin.components(values, 6)
    assert len(set(components)) < len(kept)
    (found,) = collect(run)["duplicates"]
    assert found["survivors_told_apart"] == sum(components.count(components[i]) > 1 for i in kept) - sum(
        components.count(components[i]) == size > 1
        for i, size in ((int(identity[2:]), size) for identity, (_, survivor, size) in decided(run).items())
        if i in kept
    )


def test_a_thousand_equal_texts_and_a_giant_one_are_one_node_and_alone(tmp_path):
    giant = " ".join(f"x{i % 9_973}y{i % 7}" for i in range(300_000))
    documents = [Document(f"d/{i:04}", numbered(0), day=i) for i in range(1_000)] + [Document("giant", giant)]
    stage = "  - dedup: {simhash: {}, survivor: oldest, warn: false}\n"
    run = make_run(tmp_path, spread(documents, "abc", 2), stage)
    found = decided(carry_out(run))
    assert found.pop("giant") == (None, None, 1)
    assert found.pop("d/0000") == (None, None, 1_000)
    assert set(found.values()) == {("dedup.simhash", "d/0000", 1_000)}
    folder = run.plan.step("dedup").folder
    blocks = [pa.ipc.open_file(run.folder.read_bytes(f"{folder}/blocks/{shard}.arrow")).read_all() for shard in "abc"]
    assert sum(table.num_rows for table in blocks) == 4 * (3 + 1)


def test_explain_report_and_clusters_tell_of_it(tmp_path):
    documents = [Document("a/0", numbered(0, 900)), Document("a/1", numbered(0, 895)), Document("a/2", "another")]
    run = carry_out(make_run(tmp_path, {"a": documents}, STAGE % 100))
    (outcome,) = explain(open_run(run.folder.url), "a/1")
    stage = outcome.stages[-1]
    assert (stage.survivor.id, stage.is_near, stage.component_size) == ("a/0", True, 2)
    assert stage.similarity == similarities(run)["a/1"][1] >= 1 - 6 / 64
    (cluster,) = clusters(run, 5, diff=True)["dedup"]
    assert (cluster.survivor.id, [member.id for member in cluster.members]) == ("a/0", ["a/1"])
    card = render_card(run, collect(run))
    for said in ("simhash", "distance", "min_ngrams"):
        assert said in card
    lines = list(curve_lines(run.plan))
    assert lines[0] == "dedup: at most 6 of 64 bits differ; texts of fewer than 100 shingles are not compared"
    assert lines[1] == "100,000,000 unlike documents have 22,573 such pairs by chance"
    assert len(lines) == 3 + 15


def test_why_most_are_copies_is_told(tmp_path):
    documents = [Document(f"d/{i}", " ".join(["the of and to", numbered(i, 2)] * 60)) for i in range(9)]
    stage = "  - dedup: {simhash: {ngram: 1, distance: 8}}\n"
    run = carry_out(make_run(tmp_path, {"a": documents}, stage))
    assert "give `ngram` 3 or more" in why_most_are_copies(run, run.plan.step("dedup"), len(similarities(run)), 9)


def test_why_nothing_is_a_copy_is_told(tmp_path):
    short = carry_out(make_run(tmp_path, {"a": [Document("d/0", numbered(0, 50))]}, STAGE % 100, "short"))
    assert "only 0 texts have 100 shingles" in why_none_is_a_copy(short, short.plan.step("dedup"))
    long = carry_out(make_run(tmp_path, {"a": [Document("d/0", numbered(0, 150))]}, STAGE % 100, "long"))
    assert "shingles" not in why_none_is_a_copy(long, long.plan.step("dedup"))


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ("{simhash: {distnace: 3}}", "did you mean 'distance'?"),
        ("{simhash: {distance: 9}}", "at most 8 of 64 bits"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, settings_, message):
    with pytest.raises(UsageError) as caught:
        make_run(tmp_path, {"a": []}, f"  - dedup: {settings_}\n")
    assert message in str(caught.value)
    assert "mill.yaml:5)" in str(caught.value)


@pytest.mark.data
def test_what_is_decided_on_real_texts_is_what_comparing_all_pairs_says(data, tmp_path):
    """3,000 real texts and 600 copies: 6.5 million pairs."""
    chance = random.Random(1)
    texts = [text for text in dict.fromkeys(real_texts(data, None)) if len(text.split()) >= 40]
    texts = chance.sample(texts, 3_000)
    texts += [changed_to(text, chance.uniform(0.9, 1.0), chance) for text in chance.sample(texts, 600)]
    found = shingles(pa.array(texts, pa.large_string()), "words", 2)
    assert (np.diff(found.counts) >= 30).sum() > 3_000
    prints = fingerprints(found, 64)[:, 0]
    pairs = [(i, j) for i in range(len(prints)) for j in np.flatnonzero(near(prints[i], prints[:i]) <= 6).tolist()]
    assert len(pairs) > 400
    documents = [Document(f"d/{i:04}", text) for i, text in enumerate(texts)]
    run = carry_out(make_run(tmp_path, spread(documents, "abcd", 0), STAGE % 30))
    assert {identity: row[1:] for identity, row in decided(run).items()} == expected(documents, 30)


def near(one, others):
    return np.bitwise_count(one ^ others)


@pytest.mark.data
def test_recall_is_that_of_the_curve(data):
    """1,000 real texts, each with a copy: a pair is within 3 of 64 bits as often as its cosine says, over 20 draws."""
    chance = random.Random(2)
    texts = [text for text in dict.fromkeys(real_texts(data, None)) if 300 <= len(text.split()) <= 3_000]
    assert len(texts) > 1_000
    copies = [changed_to(text, chance.choice([0.7, 0.8, 0.9, 0.95, 0.98, 0.99]), chance) for text in texts]
    found = shingles(pa.array([*texts, *copies], pa.large_string()), "words", 3)
    counted = [counts_of(found, row) for row in range(len(texts) * 2)]
    cosines = np.array([cosine(counted[i], counted[i + len(texts)]) for i in range(len(texts))])
    prints = fingerprints(found, 20 * 64)
    within = near(prints[: len(texts)], prints[len(texts) :]) <= 3
    told = np.array([probability(value, 64, 3) for value in cosines])
    for low, high in pairwise((0.8, 0.9, 0.95, 0.98, 0.99, 1.01)):
        chosen = (cosines >= low) & (cosines < high)
        assert chosen.sum() > 30
        assert abs(within[chosen].mean() - told[chosen].mean()) <= 0.02, low


def counts_of(found, row):
    return dict(
        zip(*np.unique(found.hashes[found.counts[row] : found.counts[row + 1]], return_counts=True), strict=True)
    )


def cosine(one, other):
    product = sum(count * other.get(shingle, 0) for shingle, count in one.items())
    return product / np.sqrt(sum(c * c for c in one.values()) * sum(c * c for c in other.values()))
