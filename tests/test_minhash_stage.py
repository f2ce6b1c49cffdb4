"""minhash on whole runs: recall and precision against all pairs, datatrove's clusters, and what may not change them."""

from __future__ import annotations

import json
import random
from itertools import combinations, islice, pairwise

import numpy as np
import pyarrow as pa
import pytest
import reference_minhash as twin
from commands import REPOSITORY, difference, gristmill, outputs
from corpora import Document, NoProgress, carry_out, decided, make_run
from datatrove.data import Document as Page
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupSignature,
)
from datatrove.utils.hashing import HashConfig
from hypothesis import given, settings
from hypothesis import strategies as st
from real_texts import real_texts
from test_resume import kill_at

from gristmill import schema
from gristmill.dedup.minhash.bands import band_keys
from gristmill.dedup.minhash.curve import Banding, probability
from gristmill.dedup.minhash.shingles import shingles
from gristmill.dedup.minhash.signatures import signatures
from gristmill.errors import MissingError, UsageError
from gristmill.pipeline.audit import audit
from gristmill.pipeline.carry_out import phases_of
from gristmill.pipeline.run import open_run
from gristmill.pipeline.stages.dedup import rounds
from gristmill.report.explain import explain
from gristmill.report.stats import collect
from gristmill.report.tables import curve_lines

STAGE = "  - dedup: {minhash: {ngram: 2, bands: 20, rows: 2, verify: %s}}\n"


def spread(documents, names, seed):
    """Return the documents in some order, spread over shards."""
    chance = random.Random(seed)
    shards = {name: [] for name in names}
    for document in chance.sample(documents, len(documents)):
        shards[chance.choice(list(names))].append(document)
    return shards


PIECES = ("one two three four", "five six seven", "eight nine ten", "five six", "One, two three!", "", "alpha beta")
CORPORA = st.lists(
    st.one_of(st.none(), st.lists(st.sampled_from(PIECES), max_size=5).map(" ".join)), min_size=1, max_size=16
).map(lambda texts: [Document(f"d/{i}", text, day=i % 3) for i, text in enumerate(texts)])


@settings(max_examples=12)
@given(
    documents=CORPORA,
    verify=st.sampled_from(["0.6", "{exact: 0.6}", "none"]),
    seed=st.integers(0, 99),
    names=st.sampled_from(["a", "ab", "abcdefg"]),
)
def test_neither_the_order_nor_the_number_of_shards_changes_anything(tmp_path_factory, documents, verify, seed, names):
    folder, stages = tmp_path_factory.mktemp("laws"), STAGE % verify
    one = carry_out(make_run(folder, {"only": documents}, stages, "one"))
    other = carry_out(make_run(folder, spread(documents, names, seed), stages, "other"), reverse=True)
    assert decided(one) == decided(other)
    assert [finding.broken for finding in audit(other)] == [[]] * 7


def bytes_of(run):
    step = run.plan.step("dedup")
    return [run.folder.read_bytes(run.file(step, shard)) for shard in run.plan.shards]


def test_documents_are_compared_within_their_scope(tmp_path):
    texts = [numbered(0), f"{numbered(0)} more", numbered(0)]
    urls = ["http://a.org/1", "http://a.org/2", "http://b.org/"]
    documents = [Document(f"d/{i}", text, url) for i, (text, url) in enumerate(zip(texts, urls, strict=True))]
    stage = "  - dedup: {scope: %s, minhash: {bands: 20, rows: 4}}\n"
    within = decided(carry_out(make_run(tmp_path, {"a": documents}, stage % "host", "host")))
    assert within == {"d/0": ("dedup.minhash", "d/1", 2), "d/1": (None, None, 2), "d/2": (None, None, 1)}
    everywhere = decided(carry_out(make_run(tmp_path, {"a": documents}, stage % "corpus", "corpus")))
    assert [everywhere[f"d/{i}"][1] for i in range(3)] == ["d/1", None, "d/1"]


@pytest.mark.parametrize("stop", [1, 7, 15, 27])
def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(tmp_path, stop):
    shards = spread(planted(random.Random(3), 30), "ab", 1)
    whole = carry_out(make_run(tmp_path, shards, STAGE % "0.6", "whole"))
    stopped = make_run(tmp_path, shards, STAGE % "0.6", "stopped")
    work = ((phase, item) for _, phase in phases_of(stopped, stopped.plan.steps[1:]) for item in phase.items())
    for phase, item in islice(work, stop):
        phase.perform(item, NoProgress())
    assert next(work, None) is not None
    assert bytes_of(carry_out(stopped, reverse=True)) == bytes_of(whole)


def planted(chance, count, words=60):
    """Documents of random words, each with a copy in which some words are others."""
    documents = []
    for i in range(count):
        text = [f"w{chance.randrange(2_000)}" for _ in range(words)]
        changed = [f"x{chance.randrange(2_000)}" if chance.random() < 0.05 * (i % 8) else word for word in text]
        documents += [Document(f"d/{i}", " ".join(text)), Document(f"d/{i}-copy", " ".join(changed))]
    return documents


def test_components_that_take_more_rounds_than_are_planned_are_settled_at_once(tmp_path, monkeypatch):
    documents = [Document(f"d/{i:03}", numbered(i)) for i in range(120)]
    usual = carry_out(make_run(tmp_path, spread(documents, "ab", 0), STAGE % "none", "usual"))
    monkeypatch.setattr(rounds, "ROUNDS", 1)
    other = carry_out(make_run(tmp_path, spread(documents, "ab", 0), STAGE % "none", "other"))
    assert other.folder.exists(f"{other.plan.step('dedup').folder}/rest/00000.arrow")
    assert not usual.folder.exists(f"{usual.plan.step('dedup').folder}/rest/00000.arrow")
    assert decided(usual) == decided(other)
    assert max(size for _, _, size in decided(usual).values()) == 120


def numbered(i, length=60):
    return " ".join(f"w{k}" for k in range(10 * i, 10 * i + length))


def test_a_phase_is_not_known_before_those_before_it_are_done(tmp_path):
    run = make_run(tmp_path, {"a": [Document("d/0", "one")]}, STAGE % "none")
    late = [phase for _, phase in phases_of(run, run.plan.steps[1:]) if phase.name in ("large-02", "rest")]
    assert len(late) == 2
    for phase in late:
        with pytest.raises(MissingError):
            phase.items()


def test_a_text_without_shingles_is_no_copy_and_a_short_one_is_of_its_like(tmp_path):
    texts = ["", "", " … ", "…", "two words", "Two, words!", "two", "other words", None]
    documents = [Document(f"d/{i}", text) for i, text in enumerate(texts)]
    stage = "  - dedup: {minhash: {ngram: 5, bands: 14, rows: 8}}\n"
    found = decided(carry_out(make_run(tmp_path, {"a": documents}, stage)))
    alone = (None, None, 1)
    assert [found[f"d/{i}"] for i in (0, 1, 2, 3, 6, 7)] == [alone] * 6
    assert found["d/8"] == (None, None, None)
    assert found["d/5"] == (None, None, 2)  # the longest survives
    assert found["d/4"] == ("dedup.minhash", "d/5", 2)


def test_a_cluster_keeps_the_one_that_an_earlier_rule_did_not_drop(tmp_path):
    long = " ".join(f"w{i}" for i in range(200))
    documents = [Document("d/0", long + " spam" * 12), Document("d/1", long), Document("d/2", long + " more")]
    stages = "  - signals: {families: [gopher_quality]}\n  - filter: {house: {word_count: {max: 205}}}\n"
    stages += "  - dedup: {minhash: {bands: 20, rows: 4, verify: 0.7}}\n"
    found = decided(carry_out(make_run(tmp_path, {"a": documents}, stages)))
    assert found == {"d/0": (None, None, None), "d/1": ("dedup.minhash", "d/2", 2), "d/2": (None, None, 2)}


def test_explain_and_plan_tell_of_similarity_and_of_the_curve(tmp_path):
    documents = [Document("a/0", numbered(0, 200)), Document("a/1", numbered(0, 190)), Document("a/2", "another")]
    run = carry_out(make_run(tmp_path, {"a": documents}, STAGE % "{exact: 0.5}"))
    (outcome,) = explain(open_run(run.folder.url), "a/1")
    stage = outcome.stages[-1]
    assert (stage.survivor.id, stage.is_near, stage.component_size) == ("a/0", True, 2)
    assert stage.similarity == pytest.approx(189 / 199)
    lines = list(curve_lines(run.plan))
    assert lines[0].startswith("dedup: 20 bands of 2 rows")
    assert len(lines) == 23


def test_the_report_counts_survivors_that_a_chain_joins(tmp_path):
    documents = [Document(f"d/{i:02}", numbered(i, 100)) for i in range(12)]
    run = carry_out(make_run(tmp_path, {"a": documents}, STAGE % "0.6"))
    kept = [identity for identity, (reason, *_) in decided(run).items() if reason is None]
    assert 1 < len(kept) < 12
    (found,) = collect(run)["duplicates"]
    assert found["survivors_told_apart"] == len(kept)
    assert found["compared"] == 12


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ("{ngarm: 5}", "did you mean 'ngram'?"),
        ("{threshold: 0.8, rows: 3}", "not both"),
        ("{scheme: fineweb64}", "'affine32'"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, settings_, message):
    with pytest.raises(UsageError) as caught:
        make_run(tmp_path, {"a": []}, f"  - dedup: {{minhash: {settings_}}}\n")
    assert message in str(caught.value)
    assert "mill.yaml:5)" in str(caught.value)


def sampled_texts(data, count):
    texts = [text for text in real_texts(data) if 60 <= len(text.split()) <= 500]
    return random.Random(0).sample(list(dict.fromkeys(texts)), count)


def changed_to(text, similarity, chance):
    """Return the text with words replaced in one place, so that about that share of 5-grams is in both."""
    words = text.split()
    kept = min(len(words), round((len(words) - 4) * 2 * similarity / (1 + similarity)) + 8)
    start = chance.randrange(kept + 1)
    return " ".join([*words[:start], *(f"zq{chance.randrange(10**9)}" for _ in words[kept:]), *words[start:kept]])


def sets_of(texts):
    found = shingles(pa.array(texts, pa.large_string()), "words", 5)
    return [frozenset(found.hashes[a:b].tolist()) for a, b in zip(found.counts[:-1], found.counts[1:], strict=True)]


def pairs_above(sets, least):
    """The exact Jaccard similarity of each pair that has at least so much, from an index of shingles."""
    where: dict[int, list[int]] = {}
    for i, given_ in enumerate(sets):
        for shingle in given_:
            where.setdefault(shingle, []).append(i)
    common: dict[tuple[int, int], int] = {}
    for holders in where.values():
        for pair in combinations(holders, 2):
            common[pair] = common.get(pair, 0) + 1
    found = {(i, j): n / (len(sets[i]) + len(sets[j]) - n) for (i, j), n in common.items()}
    return {pair: value for pair, value in found.items() if value >= least}


@pytest.mark.data
def test_recall_is_that_of_the_curve_and_exact_verification_errs_in_nothing(data, tmp_path):
    """3,000 real texts, each with a copy at 0.6 to 1: a copy is found as often as the curve says, within 2 points
    in each bin, over 20 draws of permutations."""
    chance = random.Random(1)
    originals = sampled_texts(data, 3_000)
    copies = [changed_to(text, chance.uniform(0.6, 1.0), chance) for text in originals]
    texts = originals + copies
    sets = sets_of(texts)
    exact = pairs_above(sets, 0.3)
    documents = [Document(f"d/{i}", text) for i, text in enumerate(texts)]
    stage = "  - dedup: {minhash: {ngram: 5, bands: 14, rows: 8, verify: %s}}\n"
    shards = spread(documents, "abcd", 0)
    loose = decided(carry_out(make_run(tmp_path, shards, stage % "none", "loose")))
    cluster = {i: loose[f"d/{i}"][1] or f"d/{i}" for i in range(len(texts))}
    linked: dict[int, int] = {}
    for i, j in exact:
        for one in (i, j):
            linked[one] = linked.get(one, 0) + 1
    lone = [(i, i + 3_000) for i in range(3_000) if linked.get(i) == linked.get(i + 3_000) == 1]
    truth = np.array([exact[pair] for pair in lone])
    assert len(lone) > 2_500
    shared = [shares_a_band(texts, lone, seed) for seed in range(1, 21)]
    assert shared[0].tolist() == [cluster[i] == cluster[j] for i, j in lone]
    expected = probability(truth, Banding(14, 8))
    for low, high in pairwise((0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.01)):
        chosen = (truth >= low) & (truth < high)
        assert chosen.sum() > 200
        assert abs(np.mean(shared, axis=0)[chosen].mean() - expected[chosen].mean()) <= 0.02, low
    tight = make_run(tmp_path, shards, stage % "{exact: 0.75}", "tight")
    carry_out(tight)
    dropped = similarities(tight)
    assert dropped
    for identity, (survivor, similarity) in dropped.items():
        i, j = int(identity[2:]), int(survivor[2:])
        assert similarity == twin.jaccard(set(sets[i]), set(sets[j]))
        assert similarity >= 0.75


def shares_a_band(texts, pairs, seed):
    found = shingles(pa.array(texts, pa.large_string()), "words", 5)
    keys = band_keys(signatures(found, "affine32", 112, seed), Banding(14, 8))
    one, other = np.array(pairs).T
    return (keys[one] == keys[other]).any(axis=1)


def similarities(run, stage="dedup"):
    """(survivor, similarity) of each document that was dropped."""
    found = {}
    for shard in run.plan.shards:
        ids = run.read(run.plan.text_step, shard, [schema.ID]).column(0).to_pylist()
        for identity, row in zip(ids, run.read(run.plan.step(stage), shard).to_pylist(), strict=True):
            if row[schema.DUPLICATE_OF] is not None:
                found[identity] = row[schema.DUPLICATE_OF], row[schema.SIMILARITY]
    return found


@pytest.mark.data
def test_clusters_are_those_of_datatroves_four_stages(data, tmp_path):
    chance = random.Random(2)
    originals = sampled_texts(data, 400)
    texts = originals + [changed_to(text, chance.uniform(0.5, 1.0), chance) for text in originals]
    documents = [Document(f"d/{i}", text) for i, text in enumerate(texts)]
    stage = "  - dedup: {minhash: {scheme: fineweb, ngram: 5, bands: 14, rows: 8, verify: none}}\n"
    mine = decided(carry_out(make_run(tmp_path, spread(documents, "abc", 0), stage)))
    clusters: dict[str, set[int]] = {}
    for i in range(len(texts)):
        clusters.setdefault(mine[f"d/{i}"][1] or f"d/{i}", set()).add(i)
    found = {frozenset(members) for members in clusters.values() if len(members) > 1}
    assert len(found) > 200
    assert found == datatrove_clusters(texts, tmp_path / "datatrove")


def datatrove_clusters(texts, folder):
    config = MinhashConfig(hash_config=HashConfig(hash_fc="sha1", precision=64))
    pages = (Page(text=text, id=str(i)) for i, text in enumerate(texts))
    MinhashDedupSignature(str(folder / "signatures"), config).run(pages, 0, 1)
    for rank in range(14):
        MinhashDedupBuckets(str(folder / "signatures"), str(folder / "buckets"), config=config).run(None, rank, 14)
    step = MinhashDedupCluster(str(folder / "buckets"), str(folder / "clusters"), config, save_cluster_id=True)
    step.run(None, 0, 1)
    rows = np.fromfile(folder / "clusters" / "000000.clusters", "<u4").reshape(-1, 2).tolist()
    clusters: dict[int, set[int]] = {}
    for document, cluster in rows:
        clusters.setdefault(cluster, set()).add(document)
    return {frozenset(members) for members in clusters.values()}


RECIPE = """
name: near
source: {warc: ["sample/*.warc.gz"]}
stages:
  - extract
  - dedup: {exact: text}
  - dedup: {minhash: {scheme: affine32, bands: 20, rows: 5, verify: {exact: 0.7}}}
"""


def test_planted_near_duplicates_are_found_and_two_workers_killed_give_the_same_bytes(quickstart):
    (quickstart / "near.yaml").write_text(RECIPE, "utf-8")
    gristmill("run", "near.yaml", "--workers", 1, "--workdir", "near-one", cwd=quickstart)
    expected = outputs(quickstart / "near-one" / "near")
    for files in (6, 16):
        assert kill_at(files, ("run", "near.yaml", "--workers", 2, "--workdir", "near-two"), quickstart)
    gristmill("run", "near.yaml", "--workers", 2, "--workdir", "near-two", cwd=quickstart)
    assert difference(expected, outputs(quickstart / "near-two" / "near")) == []
    found = similarities(open_run(str(quickstart / "near-one" / "near")), "dedup-2")
    families: dict[str, list[str]] = {}
    for line in (quickstart / "sample" / "truth.jsonl").read_text("utf-8").splitlines():
        page = json.loads(line)
        if page["case"] == "near_duplicate":
            identity = f"{page['warc'].removesuffix('.warc.gz')}/{page['offset']}"
            families.setdefault(page["family"], []).append(identity)
    assert len(families) == 8
    for first, second in families.values():
        assert [found.get(first, (None,))[0] == second, found.get(second, (None,))[0] == first].count(True) == 1
    shown = gristmill("explain", "near-one/near", next(iter(found)), cwd=quickstart).stdout
    assert "dedup.minhash" in shown
    assert "similarity" in shown


def test_the_plan_of_fineweb_prints_its_curve(quickstart):
    shown = gristmill("plan", REPOSITORY / "configs" / "fineweb.yaml", cwd=quickstart).stdout
    assert "dedup: 14 bands of 8 rows" in shown
    assert "0.800  0.9235" in shown
