"""Components that join what is unlike: they are split, in finite time, and told of with their likely cause."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import reference_minhash as twin
from corpora import Document, carry_out, decided, make_run
from test_minhash import members
from test_minhash_stage import numbered, sets_of, similarities

from gristmill.dedup.minhash.clusters import clusters
from gristmill.dedup.minhash.settings import MinHashSettings
from gristmill.dedup.minhash.signatures import as_column
from gristmill.dedup.minhash.sizes import ComponentSizes, OfSize
from gristmill.pipeline.doubts import doubts
from gristmill.pipeline.stages.dedup import doubts as module
from gristmill.report.card import render_card
from gristmill.report.html import render_html
from gristmill.report.stats import collect

SETTINGS = MinHashSettings(bands=14, rows=8, verify=0.75)


def signed(values):
    """Members of one component with these signatures, in the order in which they survive."""
    count = len(values)
    table = members([""] * count, SETTINGS)
    return table.set_column(5, "signature", as_column(values.astype(np.uint32), np.ones(count, np.bool_)))


def chain(count):
    """Signatures that differ in one value from the next: of two, k apart, 1 - k/112 is equal, none from 112 on."""
    return (np.arange(count)[:, None] + np.arange(112)[::-1]) // 112


def near(count):
    """Signatures that have 107 values in common with a page, and five of their own."""
    values = np.zeros((count, 112), np.int64)
    chance = np.random.default_rng(0)
    for row in range(1, count):
        values[row, chance.choice(112, 5, replace=False)] = row
    return values


def test_a_chain_is_cut_where_it_is_no_longer_like_its_survivor():
    found = clusters(signed(chain(3_000)), SETTINGS).to_pylist()
    assert {row["component_size"] for row in found} == {3_000}
    kept = [row["row"] for row in found if row["duplicate_of"] is None]
    assert kept == list(range(0, 3_000, 29))  # 28 of 112 values may differ
    for row in found:
        if row["duplicate_of"] is not None:
            assert row["similarity"] == (112 - row["row"] + int(row["duplicate_of"][1:])) / 112 >= 0.75


def test_pages_that_are_all_but_the_same_are_one_cluster():
    found = clusters(signed(near(3_000)), SETTINGS).to_pylist()
    assert [row["duplicate_of"] for row in found] == [None, *["d000000"] * 2_999]
    assert {row["similarity"] for row in found[1:]} == {107 / 112}
    assert {(row["cluster_size"], row["component_size"]) for row in found} == {(3_000, 3_000)}


def test_a_chain_of_pages_is_not_swallowed_and_the_warning_says_so(tmp_path):
    """Transitive closure alone would leave one document of 1,000, whose ends have nothing in common."""
    documents = [Document(f"d/{i:03}", numbered(i, 100), day=i) for i in range(1_000)]
    stage = "  - dedup: {survivor: oldest, minhash: {ngram: 5, bands: 40, rows: 4, verify: {exact: 0.6}}}\n"
    run = carry_out(make_run(tmp_path, {"a": documents[::2], "b": documents[1::2]}, stage))
    sets = sets_of([document.text for document in documents])
    dropped = similarities(run)
    assert 0 < len(dropped) < 750
    for identity, (survivor, similarity) in dropped.items():
        pair = set(sets[int(identity[2:])]), set(sets[int(survivor[2:])])
        assert similarity == twin.jaccard(*pair) >= 0.6
    survivors = 1_000 - len(dropped)
    assert doubts(run) == {
        "dedup": f"dedup joins 1,000 documents into one component, which verification split into {survivors:,} "
        "clusters. Likely cause: 40 bands of 4 rows join texts of a similarity of 0.40; try more rows; see `gristmill "
        "clusters mill --diff`. If this is meant, write warn: false into the stage"
    }
    assert run.folder.read_json("manifest.json")["warnings"] == doubts(run)
    stats = collect(run)
    (told,) = stats["duplicates"]
    assert told["largest_component"] == {"size": 1_000, "components": 1, "survivors": survivors}
    assert told["components_by_least_size"] == {"2": 0, "3": 0, "4": 0, "5": 0, "10": 0, "100": 0, "1000": 1}
    assert sum(told["clusters_by_least_size"].values()) == told["clusters"]
    page, card = render_html(stats), render_card(run, stats)
    assert f"The largest component: 1,000 documents, {survivors} of which survive." in page
    assert "1,000 or more" in page
    assert f"candidates join: 1,000 documents, {survivors} of which survive." in card


LIKE = [Document(f"d/{i:02}", numbered(0, 100) + f" x{i}", day=i) for i in range(20)]
CHAIN = [Document(f"d/{i:02}", " ".join(f"w{k}" for k in range(3 * i, 3 * i + 100)), day=i) for i in range(20)]
LONE = [Document(f"x/{i}", f"a{i} b{i} c{i} d{i} e{i} f{i}") for i in range(60)]


@pytest.mark.parametrize(
    ("documents", "minhash", "said"),
    [
        (CHAIN, "{}", "one component, which verification split into 4 clusters. Likely cause: the pages of a site may"),
        (CHAIN, "{shingles: characters, verify: 0.9}", "many 5 characters in a row in common; try shingles: words"),
        (CHAIN, "{ngram: 3, verify: 0.9}", "unlike texts have many 3 words in a row in common; try ngram: 5"),
        (CHAIN, "{verify: none}", "one component and keeps 1 of them. Likely cause: `verify: none` drops what a chain"),
        ([*LIKE, *LONE], "{}", "one component and keeps 1 of them. Likely cause: they are all like one document"),
        ([*LIKE, *LONE, *LONE, *LONE], "{}", None),
        (CHAIN[:9], "{}", None),
    ],
)
def test_the_likely_cause_is_named(tmp_path, monkeypatch, documents, minhash, said):
    monkeypatch.setattr(module, "GIANT", 10)
    documents = [Document(f"a/{i:03}", d.text, day=i) for i, d in enumerate(documents)]
    stage = f"  - dedup: {{survivor: oldest, minhash: {minhash}}}\n"
    found = doubts(carry_out(make_run(tmp_path, {"a": documents}, stage)))
    if said is None:
        assert found == {}
    else:
        assert said in found["dedup"]
        assert "see `gristmill clusters mill --diff`" in found["dedup"]


def test_a_stage_that_drops_nearly_all_names_its_component(tmp_path, monkeypatch):
    documents = [Document(f"a/{i:04}", f"{numbered(0, 100)} x{i}") for i in range(1_000)]
    stage = "  - dedup: {minhash: {verify: none}}\n"
    run = carry_out(make_run(tmp_path, {"a": documents}, stage))
    (sentence,) = doubts(run).values()
    assert sentence.startswith(
        "dedup drops 999 of 1,000 documents as copies. Likely cause: it joins 1,000 documents into"
    )
    assert {size for *_, size in decided(run).values()} == {1_000}
    quiet = carry_out(make_run(tmp_path, {"a": documents}, stage.replace("}}", "}, warn: false}"), "quiet"))
    assert doubts(quiet) == {}


def test_copies_of_an_older_run_are_no_giant(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "GIANT", 10)
    stage = "  - dedup: {survivor: oldest, minhash: {}%s}\n"
    carry_out(make_run(tmp_path, {"a": LIKE[:1]}, stage % "", "old"))
    run = carry_out(make_run(tmp_path, {"b": LIKE[1:]}, stage % f", against: [{tmp_path / 'old'}]", "new"))
    assert {partner for _, partner, _ in decided(run).values()} == {"old:d/00"}
    assert doubts(run) == {}


def test_components_are_counted_by_size_over_shards():
    sizes = ComponentSizes()
    assert list(sizes) == []
    for size, partner in (([3, None, 2], [None, None, "a"]), ([3, 3, 2, 2, 2], ["b", None, None, None, "c"])):
        sizes.add(pa.chunked_array([size], pa.int64()), pa.chunked_array([partner], pa.string()))
    assert list(sizes) == [OfSize(3, 1, 2), OfSize(2, 2, 2)]
    assert [found.is_split for found in sizes] == [True, False]
