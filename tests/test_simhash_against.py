"""simhash against finished runs: by their fingerprints, and what survived there wins."""

from __future__ import annotations

import random
import shutil
from itertools import islice

import numpy as np
import pyarrow as pa
import pytest
import reference_simhash as twin
from corpora import Document, NoProgress, carry_out, decided, make_run
from hypothesis import given, settings
from hypothesis import strategies as st
from test_minhash_stage import bytes_of, planted, similarities, spread
from test_simhash import numbers
from test_simhash_stage import CORPORA, numbered

from gristmill.dedup.minhash.shingles import shingles
from gristmill.dedup.simhash.fingerprints import fingerprints
from gristmill.errors import UsageError
from gristmill.pipeline.audit import audit
from gristmill.pipeline.carry_out import phases_of

KIND = "simhash: {distance: 6, ngram: 2, min_ngrams: 1}"


def stage(*older, kind=KIND, scope="corpus"):
    against = f", against: [{', '.join(map(str, older))}]" if older else ""
    return f"  - dedup: {{{kind}, scope: {scope}{against}}}\n"


def run_of(folder, name, documents, *older, **settings_):
    shards = documents if isinstance(documents, dict) else {name: documents}
    return carry_out(make_run(folder, shards, stage(*older, **settings_), name))


def prints_of(documents):
    found = shingles(pa.array([d.text for d in documents], pa.large_string()), "words", 2)
    return numbers(fingerprints(found, 64)), np.diff(found.counts) > 0


def in_order(documents):
    return sorted(documents, key=lambda d: (-len(d.text.encode()), d.id))


def expected(old, new):
    """(duplicate_of, similarity) by id: nearest of what survived in the older run and of the leaders before it."""
    answer = {d.id: (None, None) for d in new}
    found = []  # every survivor: name, fingerprint
    for documents, prefix in ((old, "old:"), (new, "")):
        values, compared = prints_of(documents)
        of = {d.id: value for d, value, some in zip(documents, values, compared, strict=True) if some}
        for d in in_order([d for d in documents if d.id in of]):
            nearest = min(((twin.distance(of[d.id], v), n) for n, (_, v) in enumerate(found)), default=(7, 0))
            if prefix == "" and nearest[0] <= 6:
                answer[d.id] = (found[nearest[1]][0], 1 - nearest[0] / 64)
            elif prefix or nearest[0] > 6:
                found.append((prefix + d.id, of[d.id]))
    return answer


@settings(max_examples=3)
@given(documents=CORPORA, cut=st.integers(0, 12), seed=st.integers(0, 9), names=st.sampled_from(["a", "abcde"]))
def test_it_decides_as_comparing_all_pairs_does(tmp_path_factory, documents, cut, seed, names):
    folder = tmp_path_factory.mktemp("against")
    documents = [d for d in documents if d.text is not None]
    old, new = documents[:cut], documents[cut:]
    first = decided(run_of(folder, "old", spread(old, names, seed)))
    kept = [d for d in old if first[d.id][0] is None]
    run = carry_out(make_run(folder, spread(new, names, seed + 1), stage(folder / "old"), "new"), reverse=True)
    found, near = decided(run), similarities(run)
    assert {i: near.get(i, (None, None)) for i in found} == expected(kept, new)
    for i, (_, partner, size) in found.items():
        if size is not None:
            assert size == sum(o == (partner or i) for _, o, _ in found.values()) + (":" not in (partner or i))
    assert [finding.broken for finding in audit(run)] == [[]] * 7


def test_the_texts_of_the_older_run_are_not_read_and_what_it_went_against_counts(tmp_path):
    kind = "simhash: {}"
    run_of(tmp_path, "first", {"a": [Document("a/0", numbered(0))], "b": [Document("b/0", "few")]}, kind=kind)
    second = [Document("c/0", numbered(0)), Document("c/1", numbered(900))]
    run_of(tmp_path, "second", second, tmp_path / "first", kind=kind)
    for name in ("first", "second"):
        shutil.rmtree(tmp_path / name / "documents")
    new = [Document("d/0", numbered(0, 301)), Document("d/1", numbered(900)), Document("d/2", numbered(2_000))]
    third = run_of(tmp_path, "third", [*new, Document("d/3", "few")], tmp_path / "second", kind=kind)
    assert decided(third) == {
        "d/0": ("dedup.simhash", "first:a/0", 1),
        "d/1": ("dedup.simhash", "second:c/1", 1),
        "d/2": (None, None, 1),
        "d/3": (None, None, None),
    }


def test_documents_meet_older_ones_of_their_scope_alone(tmp_path):
    run_of(tmp_path, "old", [Document("a/0", numbered(0), "http://a.org/")], scope="host")
    new = [Document("b/0", numbered(0), "http://a.org/x"), Document("b/1", numbered(0), "http://b.org/")]
    run = run_of(tmp_path, "new", new, tmp_path / "old", scope="host")
    assert decided(run) == {"b/0": ("dedup.simhash", "old:a/0", 1), "b/1": (None, None, 1)}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("simhash: {distance: 3, ngram: 2, min_ngrams: 1}", "its stage 'dedup' has distance 6, here 3 ("),
        ("simhash: {distance: 6, bits: 128, min_ngrams: 5}", "bits 64, here 128, ngram 2, here 3, min_ngrams 1, here"),
        (f"{KIND}, scope: host", "scope corpus, here host ("),
        ("minhash: {}", "it has no `minhash` stage, but 'dedup' (simhash) ("),
    ],
)
def test_fingerprints_that_cannot_be_compared_are_an_error_with_both_values_and_the_line(tmp_path, kind, message):
    make_run(tmp_path, {"a": []}, stage(), "old")
    with pytest.raises(UsageError) as caught:
        make_run(tmp_path, {"b": []}, f"  - dedup: {{{kind}, against: [{tmp_path / 'old'}]}}\n", "new")
    assert message in str(caught.value)
    assert "new.yaml:5)" in str(caught.value)


def test_an_unfinished_run_is_an_error(tmp_path):
    make_run(tmp_path, {"a": []}, stage(), "old")
    with pytest.raises(UsageError, match="lacks the fingerprints of 1 of its 1 shards, such as a; finish it first"):
        make_run(tmp_path, {"b": []}, stage(tmp_path / "old"), "new")


def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(tmp_path):
    texts = planted(random.Random(3), 20)
    run_of(tmp_path, "old", spread(texts, "ab", 1))
    new = spread([Document(f"n{d.id}", d.text) for d in texts], "cd", 2)
    whole = run_of(tmp_path, "whole", new, tmp_path / "old")
    assert {partner.partition(":")[0] for partner, _ in similarities(whole).values()} >= {"old"}
    stopped = make_run(tmp_path, new, stage(tmp_path / "old"), "stopped")
    work = ((phase, item) for _, phase in phases_of(stopped, stopped.plan.steps[1:]) for item in phase.items())
    for phase, item in islice(work, 33):
        phase.perform(item, NoProgress())
    assert next(work, None) is not None
    assert bytes_of(carry_out(stopped, reverse=True)) == bytes_of(whole)
