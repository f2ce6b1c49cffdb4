"""Shards say what they were computed from, line up, and notice damage."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gristmill import schema
from gristmill.errors import CorruptError, MisalignedError, StaleError
from gristmill.pipeline import shards
from gristmill.pipeline.storage import Folder

COLUMNS = pa.schema([(schema.ID, pa.string()), (schema.ROW, pa.int64())])


def batch(ids):
    return pa.record_batch([pa.array(ids, pa.string()), pa.array(range(len(ids)), pa.int64())], schema=COLUMNS)


def write(folder, name, batches, digest="d" * 32):
    with folder.writing(name) as sink:
        writer = shards.ShardWriter(sink, COLUMNS, digest)
        for one in batches:
            writer.write(one)
        writer.counts = {"records": {"response": writer.rows}}
        writer.close()


def test_a_footer_tells_rows_digest_and_counts(tmp_path):
    folder = Folder(str(tmp_path))
    write(folder, "a.parquet", [batch(["x", "y"]), batch(["z"])])
    footer = shards.read_footer(folder, "a.parquet")
    assert (footer.rows, footer.digest, footer.counts) == (3, "d" * 32, {"records": {"response": 3}})
    assert footer.order == shards.order_digest([pa.array(["x", "y", "z"])])


def test_an_empty_shard_is_a_shard(tmp_path):
    folder = Folder(str(tmp_path))
    write(folder, "a.parquet", [])
    assert shards.read_footer(folder, "a.parquet").rows == 0
    assert shards.read_table(folder, "a.parquet", None, "d" * 32).num_rows == 0


@given(cut=st.lists(st.integers(1, 5), max_size=6))
def test_bytes_do_not_depend_on_small_batches(tmp_path_factory, cut):
    folder = Folder(str(tmp_path_factory.mktemp("shards")))
    ids = [f"id{n}" for n in range(sum(cut))]
    pieces, start = [], 0
    for size in cut:
        pieces.append(pa.record_batch([pa.array(ids[start : start + size]), pa.array([0] * size)], schema=COLUMNS))
        start += size
    write(folder, "many.parquet", pieces)
    write(
        folder,
        "one.parquet",
        [pa.record_batch([pa.array(ids, pa.string()), pa.array([0] * len(ids), pa.int64())], schema=COLUMNS)],
    )
    assert folder.read_bytes("many.parquet") == folder.read_bytes("one.parquet")


def test_a_stale_file_is_not_current_and_not_read(tmp_path):
    folder = Folder(str(tmp_path))
    write(folder, "a.parquet", [batch(["x"])])
    assert shards.is_current(folder, "a.parquet", "d" * 32)
    assert not shards.is_current(folder, "a.parquet", "e" * 32)
    with pytest.raises(StaleError, match="run the recipe again"):
        shards.read_table(folder, "a.parquet", None, "e" * 32)


@pytest.mark.parametrize("keep", [0, 3, 11, 100])
def test_a_truncated_file_is_corrupt_and_not_current(tmp_path, keep):
    folder = Folder(str(tmp_path))
    write(folder, "a.parquet", [batch(["x", "y"])])
    data = folder.read_bytes("a.parquet")
    folder.write_bytes("a.parquet", data[:keep])
    assert not shards.is_current(folder, "a.parquet", "d" * 32)
    with pytest.raises(CorruptError, match=r"a\.parquet"):
        shards.read_footer(folder, "a.parquet")


def test_a_foreign_parquet_file_is_corrupt(tmp_path):
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"x": [1]}), tmp_path / "a.parquet")
    with pytest.raises(CorruptError, match="not written by gristmill"):
        shards.read_footer(Folder(str(tmp_path)), "a.parquet")


def test_one_flipped_byte_changes_the_content_digest(tmp_path):
    folder = Folder(str(tmp_path))
    write(folder, "a.parquet", [batch(["x", "y"])])
    content = shards.read_footer(folder, "a.parquet").content
    assert shards.content_digest(folder, "a.parquet") == content
    data = bytearray(folder.read_bytes("a.parquet"))
    data[20] ^= 1
    folder.write_bytes("a.parquet", bytes(data))
    assert shards.content_digest(folder, "a.parquet") != content


def test_other_rows_or_another_order_are_misaligned(tmp_path):
    folder = Folder(str(tmp_path))
    for name, ids in {"a": ["x", "y"], "b": ["y", "x"], "c": ["x"], "d": ["x", "y"]}.items():
        write(folder, f"{name}.parquet", [batch(ids)])
    footers = {name: shards.read_footer(folder, f"{name}.parquet") for name in "abcd"}
    shards.check_aligned(footers["d"], "d", footers["a"])
    for name in "bc":
        with pytest.raises(MisalignedError, match="run the recipe again"):
            shards.check_aligned(footers[name], name, footers["a"])


def test_large_shards_come_in_bounded_row_groups(tmp_path):
    folder = Folder(str(tmp_path))
    write(folder, "a.parquet", [batch([f"{n}-{m}" for m in range(1000)]) for n in range(10)])
    tables = list(shards.iterate(folder, "a.parquet", [schema.ID], "d" * 32))
    assert sum(table.num_rows for table in tables) == 10_000
    assert max(table.num_rows for table in tables) <= shards.ROW_GROUP_ROWS + 1000
