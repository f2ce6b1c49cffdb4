"""Digests, partition keys and survivors."""

from __future__ import annotations

import datetime
import random

import pyarrow as pa
import pytest
import reference_dedup
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gristmill.dedup.keys import DIGEST_BYTES, partition_key, text_digests, versions
from gristmill.dedup.settings import DedupSettings
from gristmill.dedup.survivors import survivors

hostile = settings(deadline=None, max_examples=100)
TEXTS = st.lists(st.none() | st.text(max_size=30) | st.sampled_from(["", "\0", "a\r\nb", "𝒳", "é", "é"]), max_size=12)


@hostile
@given(TEXTS, st.sampled_from([pa.string(), pa.large_string()]))
def test_digests_are_those_of_the_texts(texts, kind):
    found = text_digests(pa.array(texts, kind))
    found.validate(full=True)
    assert found.type == pa.binary(DIGEST_BYTES)
    assert found.to_pylist() == [reference_dedup.text_digest(text) for text in texts]


@hostile
@given(TEXTS, st.integers(0, 12), st.integers(0, 12))
def test_digests_of_slices_and_chunks_are_slices_and_chunks_of_digests(texts, start, length):
    whole = pa.array(texts, pa.string())
    expected = text_digests(whole).to_pylist()
    assert text_digests(whole.slice(start, length)).to_pylist() == expected[start : start + length]
    chunked = pa.chunked_array([whole[:start], whole[start:]], pa.string())
    assert text_digests(chunked).to_pylist() == expected


def test_a_digest_is_what_any_other_tool_computes():
    assert text_digests(pa.array(["abc"]))[0].as_py().hex() == "cf4ab791c62b8d2b2109c90275287816"


@hostile
@given(TEXTS, st.integers(0, 12))
def test_partition_keys_are_the_first_eight_bytes(texts, start):
    digests = text_digests(pa.array(texts, pa.string()))[start:]
    keys = partition_key(digests)
    assert keys.type == pa.uint64()
    assert keys.to_pylist() == [d if d is None else int.from_bytes(d[:8], "big") for d in digests.to_pylist()]
    assert partition_key(pa.chunked_array([digests[:2], digests[2:]])).to_pylist() == keys.to_pylist()


def members(rows: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(
        rows,
        schema=pa.schema(
            [
                ("digest", pa.binary(DIGEST_BYTES)),
                ("date", pa.timestamp("ms", tz="UTC")),
                ("id", pa.string()),
                ("shard", pa.string()),
                ("row", pa.int64()),
            ]
        ),
    )


def listed(table: pa.Table) -> list[tuple]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


DIGESTS = [bytes([i]) * DIGEST_BYTES for i in range(4)]
DATES = [datetime.datetime(2024, 4, day, tzinfo=datetime.UTC) for day in (1, 2)]


@st.composite
def rows_of_members(draw):
    places = draw(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 20)), unique=True, max_size=15))
    chosen = st.tuples(st.sampled_from([None, *DIGESTS]), st.sampled_from([None, *DATES]))
    names = draw(st.permutations(range(len(places))))
    drawn = [draw(chosen) for _ in places]
    return [
        {"digest": digest, "date": date, "id": f"é{name}", "shard": shard, "row": row}
        for (shard, row), (digest, date), name in zip(places, drawn, names, strict=True)
    ]


@hostile
@given(rows_of_members())
def test_survivors_are_those_of_the_twin(rows):
    rows_by_date = [row | {"date": row["date"] and row["date"].timestamp()} for row in rows]
    assert listed(survivors(members(rows))) == reference_dedup.survivors(rows_by_date)


@hostile
@given(rows_of_members(), st.randoms(use_true_random=False), st.integers(0, 15))
def test_neither_order_nor_chunks_change_survivors(rows, shuffler, cut):
    expected = survivors(members(rows))
    shuffler.shuffle(rows)
    found = survivors(pa.concat_tables([members(rows[:cut]), members(rows[cut:])]))
    assert found.combine_chunks().equals(expected.combine_chunks())


@hostile
@given(rows_of_members())
def test_each_cluster_has_one_survivor_that_all_others_name(rows):
    result = listed(survivors(members(rows)))
    digest_of = {(row["shard"], row["row"]): row["digest"] for row in rows}
    id_of = {(row["shard"], row["row"]): row["id"] for row in rows}
    survivor = {digest_of[f[:2]]: id_of[f[:2]] for f in result if f[2] is None}
    assert len(survivor) == sum(f[2] is None for f in result)
    assert all(f[2] in (None, survivor[digest_of[f[:2]]]) for f in result)


def test_the_earliest_survives_and_a_page_without_a_date_comes_last():
    rows = [
        {"digest": DIGESTS[0], "date": None, "id": "a", "shard": "s", "row": 0},
        {"digest": DIGESTS[0], "date": DATES[1], "id": "b", "shard": "s", "row": 1},
        {"digest": DIGESTS[0], "date": DATES[0], "id": "d", "shard": "s", "row": 2},
        {"digest": DIGESTS[0], "date": DATES[0], "id": "c", "shard": "s", "row": 3},
        {"digest": DIGESTS[1], "date": DATES[0], "id": "e", "shard": "s", "row": 4},
    ]
    assert listed(survivors(members(rows))) == [("s", 0, "c", 4), ("s", 1, "c", 4), ("s", 2, "c", 4), ("s", 3, None, 4)]


def test_no_members_give_no_survivors():
    empty = survivors(members([]))
    assert empty.num_rows == 0
    assert empty.column_names == ["shard", "row", "duplicate_of", "cluster_size"]


def test_a_hundred_thousand_equal_pages_are_one_cluster():
    rows = [{"digest": DIGESTS[0], "date": None, "id": f"{i:06}", "shard": "s", "row": i} for i in range(100_000)]
    random.Random(0).shuffle(rows)
    result = survivors(members(rows))
    assert result["duplicate_of"].null_count == 1
    assert set(result["duplicate_of"].to_pylist()) == {None, "000000"}
    assert set(result["cluster_size"].to_pylist()) == {100_000}


def test_settings_name_what_is_compared():
    assert DedupSettings(exact="text").exact == "text"
    with pytest.raises(ValidationError, match="'text'"):
        DedupSettings.model_validate({"exact": "url"})
    assert versions()
