"""The dedup stage on whole runs: who is compared, who survives, and what may not change it."""

from __future__ import annotations

import random

import pytest
from corpora import Document, carry_out, decided, make_run
from hypothesis import given, settings
from hypothesis import strategies as st

from gristmill.errors import UsageError
from gristmill.pipeline.audit import audit
from gristmill.pipeline.doubts import doubts

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


# --- kinds on whole runs --------------------------------------------------------------------------------------------


def kept(run):
    return sorted(identity for identity, (reason, *_) in decided(run).items() if reason is None)


def test_of_each_url_the_newest_survives_and_a_page_without_url_has_no_copy(tmp_path):
    documents = [
        Document("a", url="http://e.org/?utm_source=x", day=0),
        Document("b", url="https://E.org:443", day=2),
        Document("c", url="https://e.org/#top", day=1),
        Document("d", url="http://www.e.org/", day=0),
        Document("e", url=None),
        Document("f", url=None),
    ]
    run = carry_out(make_run(tmp_path, {"a": documents}, "  - dedup: {url: }\n"))
    assert kept(run) == ["b", "d", "e", "f"]
    assert decided(run)["c"] == ("dedup.url", "b", 3)
    assert run.plan.step("dedup").inputs == ("extract",)
    cut = carry_out(
        make_run(tmp_path, {"a": documents}, "  - dedup: {url: {cut_www: true}, survivor: oldest}\n", "cut")
    )
    assert kept(cut) == ["a", "e", "f"]


def test_the_longest_of_equal_normal_texts_survives(tmp_path):
    documents = [Document("a", "Élan 1"), Document("b", "  elan, 9 ..."), Document("c", "e l a n 0 - - -")]
    stages = "  - dedup: {exact: normalized_text, survivor: longest}\n"
    assert kept(carry_out(make_run(tmp_path, {"a": documents}, stages))) == ["c"]


def test_copies_are_looked_for_within_a_scope(tmp_path):
    documents = [
        Document(str(i), url=url) for i, url in enumerate(["http://a/1", "http://a/2", "http://b/", None, None])
    ]
    run = carry_out(make_run(tmp_path, {"a": documents}, "  - dedup: {exact: text, scope: host}\n"))
    assert kept(run) == ["0", "2", "3"]
    english, german = ("The rain in Spain stays mainly in the plain. " * 9, "Der Regen fällt heute auf das Land. " * 9)
    pages = [Document("e1", english), Document("e2", english), Document("g1", german)]
    stages = "  - language\n  - dedup: {exact: text, scope: language}\n"
    run = carry_out(make_run(tmp_path, {"a": pages}, stages, "language"))
    assert kept(run) == ["e1", "g1"]
    assert run.plan.step("dedup").inputs == ("extract", "language")


@pytest.mark.parametrize("kind", ["exact: text", "minhash: {}", "url: {}, bloom: {}"])
def test_copies_are_looked_for_within_a_crawl(tmp_path, kind):
    shards = {
        "51-a": [Document("a1"), Document("a2")],
        "51-b": [Document("b1"), Document("b2")],
        "18": [Document("c1")],
    }
    shards = {f"CC-MAIN-2024-{name}": documents for name, documents in shards.items()}
    run = make_run(tmp_path, shards, f"  - dedup: {{{kind}, scope: crawl, survivor: oldest}}\n")
    assert sorted(kept(carry_out(run))) == ["a1", "c1"]


def test_a_file_of_no_crawl_is_a_mistake_where_copies_are_looked_for_within_crawls(tmp_path):
    (tmp_path / "CC-MAIN-2024-51").mkdir()
    stages = "  - dedup: {exact: text, scope: crawl}\n"
    make_run(tmp_path / "CC-MAIN-2024-51", {"a": []}, stages)
    with pytest.raises(UsageError, match="addresses of 1 of 1 files name no crawl"):
        make_run(tmp_path / "elsewhere", {"a": []}, stages)


@pytest.mark.parametrize(
    ("scope", "message"),
    [
        ("langauge", "which no stage before 'dedup' measures; did you mean 'language'?"),
        ("word_count", "'scope' needs 'word_count', which is no text; there are: language, corpus, crawl, host"),
        ("hots", "did you mean 'host'?"),
    ],
)
def test_a_scope_that_is_none_is_a_mistake(tmp_path, scope, message):
    stages = f"  - language\n{SIGNALS}  - dedup: {{exact: text, scope: {scope}}}\n"
    with pytest.raises(UsageError) as caught:
        make_run(tmp_path, {"a": []}, stages)
    assert message in str(caught.value)


def test_a_killed_run_is_resumed_with_the_same_bytes(tmp_path):
    """Files vanish as where a run was killed before they had their names; what is there is not done again."""
    chance = random.Random(5)
    documents = [Document(f"d/{i}", f"text {i % 7}", f"http://e.org/{i % 5}", i % 3) for i in range(40)]
    stages = "  - dedup: {url: {}}\n  - dedup: {exact: normalized_text}\n"
    run = carry_out(make_run(tmp_path, spread(documents, "abc", 1), stages))
    files = sorted(p for p in (tmp_path / "mill").glob("dedup*/**/*.*"))
    whole = {path: path.read_bytes() for path in files}
    for _ in range(5):
        lost = chance.sample(files, chance.randrange(1, len(files)))
        for path in lost:
            path.unlink()
        times = {path: path.stat().st_mtime_ns for path in files if path not in lost}
        carry_out(run, reverse=True)
        assert {path: path.read_bytes() for path in files} == whole
        assert {path: path.stat().st_mtime_ns for path in times} == times


# --- doubts ---------------------------------------------------------------------------------------------------------


def said(tmp_path, documents, stages):
    return doubts(carry_out(make_run(tmp_path, {"a": documents}, stages))).get("dedup")


def test_a_dedup_that_drops_nearly_all_names_the_likely_cause(tmp_path):
    pages = [Document(f"d/{i:04}", "Not found" if i else "a page") for i in range(1000)]
    assert said(tmp_path, pages, EXACT) == (
        "dedup drops 998 of 1,000 documents as copies. Likely cause: 998 of them are copies of one document, d/0001: a "
        "page that a site shows for many addresses, or texts that an earlier stage has emptied. If this is meant, "
        "write warn: false into the stage"
    )
    few = [Document(f"d/{i:04}", f"page {i % 50}") for i in range(1000)]
    (tmp_path / "few").mkdir()
    assert "19.0 copies for each survivor that has any" in said(tmp_path / "few", few, EXACT)
    (tmp_path / "quiet").mkdir()
    assert said(tmp_path / "quiet", few, "  - dedup: {exact: text, warn: false}\n") is None
    (tmp_path / "again").mkdir()
    against = f"  - dedup: {{exact: text, against: [{tmp_path}/few/mill]}}\n"
    assert "1,000 of them are in run 'mill', which may have read the same" in said(tmp_path / "again", few, against)


@pytest.mark.parametrize(
    ("stages", "why"),
    [
        (EXACT, "try exact: normalized_text"),
        ("  - dedup: {exact: normalized_text}\n", "the source may have been deduplicated before"),
        ("  - dedup: {url: {}}\n", "one crawl fetches each URL once"),
        ("  - dedup: {exact: text, scope: host}\n", "only documents of one host are compared"),
    ],
)
def test_a_dedup_that_finds_no_copy_names_the_likely_cause(tmp_path, stages, why):
    words = "abcdefghij"
    pages = [
        Document(f"d/{i}", "".join(words[int(digit)] for digit in str(i)), f"http://e.org/{i}") for i in range(10_001)
    ]
    sentence = said(tmp_path, pages, stages)
    assert sentence.startswith("dedup finds no copy among 10,001 documents. Likely cause: ")
    assert why in sentence
    (tmp_path / "fewer").mkdir()
    assert said(tmp_path / "fewer", pages[1:], stages) is None


@pytest.mark.parametrize("kind", ["exact: text", "minhash: {}", "url: {}, bloom: {}"])
def test_the_id_of_a_cluster_is_that_of_its_survivor(tmp_path, kind):
    texts = ["one two three four five six"] * 3 + ["seven eight nine ten eleven twelve", None]
    documents = [Document(f"d/{i}", text, url=f"http://a/{text}") for i, text in enumerate(texts)]
    run = carry_out(make_run(tmp_path, {"a": documents[::-1]}, f"  - dedup: {{{kind}, survivor: oldest}}\n"))
    layer = run.read(run.plan.step("dedup"), run.plan.shards[0], ["cluster_id", "cluster_size"])
    assert layer["cluster_id"].to_pylist() == [None, "d/3", *["d/0"] * 3]
    assert layer["cluster_size"].to_pylist() == [None, 1, 3, 3, 3]
