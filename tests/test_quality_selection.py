"""Which documents are trained on and which are held out: laws, and a twin."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import reference_quality
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest

from gristmill.classifiers.quality import selection
from gristmill.classifiers.quality.selection import Choosing, Rows, is_held_out, is_known, select, unlike
from gristmill.errors import UsageError

EASY = Choosing(share=0.5, least=1, balance=False)
DOCUMENTS = st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 12)), max_size=80)


def hashed(text):
    return xxh3_64_intdigest(text.encode())


def rows(documents, empty=()):
    """Return rows of (label, key, host); key and line are one."""
    hosts = np.array([hashed(f"host {host}") for _, _, host in documents], np.uint64)
    keys = np.array([[hashed(f"{key}"), key] for _, key, _ in documents], np.uint64).reshape(-1, 2)
    labels = np.array([label for label, _, _ in documents], np.bool_)
    return Rows(labels, np.isin(np.arange(len(documents)), empty), keys, keys[:, 0] ^ np.uint64(5), hosts)


def many(positive=300, negative=300):
    """Return documents without copies, ten to a host."""
    return [(number < positive, number, number // 10) for number in range(positive + negative)]


@settings(max_examples=60)
@given(documents=DOCUMENTS, order=st.randoms(use_true_random=False))
def test_documents_are_chosen_as_the_twin_does_in_any_order(documents, order):
    documents = sorted(documents, key=lambda document: hashed(f"host {document[2]}"))
    host = {d[2]: rank for rank, d in enumerate(documents)}  # the twin's least host is that of the least hash
    expected = reference_quality.select(
        [(label, key, host[h]) for label, key, h in documents],
        lambda rank: bool(is_held_out(rows([documents[rank]]).hosts, EASY.share)[0]),
    )
    shuffled = order.sample(documents, len(documents))
    given_rows = rows(shuffled)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "_check", lambda *_: None)
        found = select(given_rows, EASY)
    chosen = [[shuffled[row] for row in side.tolist()] for side in (found.train, found.held_out)]
    assert tuple({(label, key) for label, key, _ in side} for side in chosen) == expected
    assert not {h for _, _, h in chosen[0]} & {h for _, _, h in chosen[1]}
    assert [key for _, key, _ in chosen[0]] == sorted(
        (key for _, key, _ in chosen[0]), key=lambda key: hashed(f"{key}") ^ 5
    )


def test_no_host_is_on_both_sides_and_all_documents_are_accounted_for():
    documents = [*many(400, 250), *many(400, 250)[::3], (True, 500, 3), (False, 7, 60)]
    given_rows = rows(documents, empty=[0, 1, 2])
    found = select(given_rows, Choosing(share=0.3, least=20))
    hosts = [set(given_rows.hosts[side].tolist()) for side in (found.train, found.held_out)]
    assert hosts[0]
    assert hosts[1]
    assert not hosts[0] & hosts[1]
    for label, name in ((True, "positive"), (False, "negative")):
        one = found.counts[name]
        assert one.documents == np.count_nonzero(given_rows.positive == label)
        assert one.documents == one.empty + one.copies + one.in_both + one.spared + one.trained + one.held_out
    both = [found.counts[name] for name in ("positive", "negative")]
    assert both[0].in_both + both[1].in_both == 2 + 2  # 500 and 7, each in both classes
    assert both[0].trained == both[1].trained
    assert both[0].held_out == both[1].held_out


def test_of_the_larger_class_those_of_the_least_hashes_stay():
    given_rows = rows(many(900, 100))
    found = select(given_rows, Choosing(share=0.3, least=10))
    whole = select(given_rows, Choosing(share=0.3, least=10, balance=False))
    kept = found.train[given_rows.positive[found.train]]
    assert kept.tolist() == whole.train[given_rows.positive[whole.train]][: len(kept)].tolist()
    capped = select(given_rows, Choosing(share=0.3, most=50, least=10))
    assert [capped.counts["positive"].trained, capped.counts["positive"].held_out] == [35, 15]


def test_a_growing_share_only_adds_hosts():
    hosts = rows(many()).hosts
    held = [is_held_out(hosts, share) for share in (0.0, 0.1, 0.4, 1.0)]
    assert not held[0].any()
    assert held[3].all()
    assert all(not (less & ~more).any() for less, more in pairwise(held))


def test_documents_that_were_trained_on_are_known():
    trained, others = rows(many(20, 20)), rows([(True, 3, 1), (True, 900, 1), (False, 39, 1)])
    assert is_known(others, trained).tolist() == [True, False, True]
    survives, in_both = unlike(rows([], empty=[]))
    assert len(survives) == len(in_both) == 0


@pytest.mark.parametrize(
    ("documents", "choosing", "message"),
    [
        (many(300, 0), Choosing(), "no negative documents"),
        (many(300, 60), Choosing(), "of 60 negative documents, .* left to train on, and --least asks for 100"),
        (many(300, 300), Choosing(share=0.001), "0 are held out, and a measure needs 10"),
        (many(900, 900), Choosing(share=0.3, most=60), "--most 60 leaves 42 positive documents to train on and 18"),
    ],
)
def test_too_few_documents_say_where_they_went_and_what_to_do(documents, choosing, message):
    with pytest.raises(UsageError, match=message):
        select(rows(documents), choosing)
