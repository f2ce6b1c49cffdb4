"""The dedup stage on whole runs: who is compared, who survives, and what may not change it."""

from __future__ import annotations

import random

import pytest
from corpora import Document, carry_out, decided, make_run
from hypothesis import given, settings
from hypothesis import strategies as st

from gristmill.errors import UsageError
from gristmill.pipeline.audit import audit

EXACT = "  - dedup: {exact: text}\n"
SIGNALS = "  - signals: {families: [gopher_quality]}\n"


def survivor_of(tmp_path, policy, documents, before=""):
    """Return which of documents of one text survives by a policy."""
    run = carry_out(make_run(tmp_path, {"a": documents}, f"{before}  - dedup: {{exact: text, survivor: {policy}}}\n"))
    found = decided(run)
    (kept,) = (identity for identity, (reason, *_) in found.items() if reason is None)
    assert all(partner == kept for identity, (_, partner, _) in found.items() if identity != kept)
    return kept


DATED = [
    Document("b", day=2),
    Document("c", day=1),
    Document("d", day=1),
    Document("a", day=None),
    Document("e", day=2),
]


@pytest.mark.parametrize(("policy", "kept"), [("oldest", "c"), ("newest", "b")])
def test_a_date_decides_then_the_id(tmp_path, policy, kept):
    assert survivor_of(tmp_path, policy, DATED) == kept


@pytest.mark.parametrize("policy", ["longest", "{highest: word_count}", "{lowest: word_count}"])
def test_equal_texts_are_equal_in_what_is_measured_so_the_id_decides(tmp_path, policy):
    assert survivor_of(tmp_path, policy, DATED, before=SIGNALS) == "a"


def test_what_an_earlier_stage_dropped_neither_survives_nor_takes_a_copy_along(tmp_path):
    short, long = "word", "word " * 60
    documents = [
        Document("a", short),
        Document("b", short),
        Document("c", long),
        Document("d", long),
        Document("e", None),
    ]
    stages = f"{SIGNALS}  - filter: {{house: {{word_count: {{min: 5}}}}}}\n{EXACT}"
    found = decided(carry_out(make_run(tmp_path, {"a": documents}, stages)))
    assert found == {
        "a": (None, None, None),
        "b": (None, None, None),
        "c": (None, None, 2),
        "d": ("dedup.exact", "c", 2),
        "e": (None, None, None),
    }


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ("  - dedup: {exact: text, survivor: {highest: word_cuont}}\n", "did you mean 'word_count'?"),
        ("  - dedup:\n      exact: text\n      survivor: {lowest: language}\n", "'language', which is no number"),
        ("  - dedup: {exact: text, survivor: best}\n", "'oldest', 'newest' or 'longest'"),
        ("  - dedup: {exact: text, surviver: oldest}\n", "did you mean 'survivor'?"),
        ("  - dedup: {}\n", "one kind of deduplication"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, stages, message):
    before = f"  - language\n{SIGNALS}"
    with pytest.raises(UsageError) as caught:
        make_run(tmp_path, {"a": []}, before + stages)
    assert message in str(caught.value)
    line = 7 + stages.splitlines().index(next(s for s in reversed(stages.splitlines()) if s.strip()))
    assert f"mill.yaml:{line})" in str(caught.value)


def test_a_survivor_by_what_nothing_measures_is_a_mistake(tmp_path):
    with pytest.raises(UsageError, match="needs 'word_count', which no stage before 'dedup' measures; add a `signals`"):
        make_run(tmp_path, {"a": []}, "  - dedup: {exact: text, survivor: {highest: word_count}}\n")


def spread(documents, names, seed):
    """Return the documents in some order, spread over shards."""
    chance = random.Random(seed)
    documents = chance.sample(documents, len(documents))
    shards = {name: [] for name in names}
    for document in documents:
        shards[chance.choice(list(names))].append(document)
    return shards


CORPORA = st.lists(
    st.builds(
        Document,
        id=st.just(""),
        text=st.sampled_from(["one text", "One  text!", "two\0", "", None]),
        url=st.sampled_from(["http://a.org/", "https://A.org", "http://b.org/?utm_source=x", None]),
        day=st.sampled_from([None, 0, 1]),
    ),
    max_size=12,
).map(lambda documents: [Document(f"d/{i}", d.text, d.url, d.day) for i, d in enumerate(documents)])

NAMES = st.sampled_from(["a", "ab", "abcdefg"])
KINDS = (
    "exact: text",
    "exact: text, survivor: newest",
    "exact: normalized_text, survivor: longest",
    "exact: normalized_text, scope: host",
    "url: {}",
    "url: {cut_www: true}, survivor: longest",
)


@settings(max_examples=25)
@given(
    documents=CORPORA,
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 99),
    names=NAMES,
)
def test_neither_the_order_nor_the_number_of_shards_changes_anything(tmp_path_factory, documents, kind, seed, names):
    folder, stages = tmp_path_factory.mktemp("laws"), f"  - dedup: {{{kind}}}\n"
    one = carry_out(make_run(folder, {"only": documents}, stages, "one"))
    other = carry_out(make_run(folder, spread(documents, names, seed), stages, "other"), reverse=True)
    assert decided(one) == decided(other)
    assert [finding.broken for finding in audit(other)] == [[]] * 7
