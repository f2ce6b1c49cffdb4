"""Files of record batches: what is written is read, whatever the batches; what is damaged or stale is an error."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gristmill import schema
from gristmill.errors import CorruptError, MissingError, StaleError
from gristmill.pipeline.batch_files import BatchFile
from gristmill.pipeline.exchange import SplitFile
from gristmill.pipeline.storage import Folder

COLUMNS = pa.schema(
    [
        (schema.KEY, pa.uint64()),
        (schema.SHARD, pa.dictionary(pa.int32(), pa.string())),
        (schema.TEXT, pa.string()),
        (schema.TOKENS, pa.list_(pa.uint16())),
    ]
)
keys = st.lists(st.integers(0, (1 << 64) - 1) | st.sampled_from([0, 7, 1 << 62, (1 << 64) - 1]), max_size=20)


def table_of(found, shard="a"):
    texts = [None if key % 5 == 0 else f"{key}\0\U0001f600" for key in found]
    tokens = [[key % 3] * (key % 4) for key in found]
    columns = [pa.array(found, pa.uint64()), pa.array([shard] * len(found)), pa.array(texts, pa.string()), tokens]
    return pa.table(columns, COLUMNS.names).cast(COLUMNS)


def file(folder, name="x.arrow", digest="d" * 32):
    return BatchFile(Folder(str(folder)), name, digest)


@given(tables=st.lists(keys, max_size=4), bits=st.integers(0, 4))
def test_a_partition_has_the_rows_of_its_keys_in_the_order_they_came(tmp_path_factory, tables, bits):
    split = SplitFile(file(tmp_path_factory.mktemp("s")), COLUMNS, 1 << bits)
    split.write((table_of(found, name) for found, name in zip(tables, "abcd", strict=False)), {"n": 3})
    everything = pa.concat_tables([COLUMNS.empty_table(), *map(table_of, tables, "abcd")]).to_pylist()
    assert split.counts() == {"n": 3}
    for partition in range(1 << bits):
        wanted = [row for row in everything if row[schema.KEY] >> (64 - bits) == partition]
        assert split.rows(partition) == len(wanted)
        assert [row for table in split.read(partition) for row in table.to_pylist()] == wanted
        some = [row for table in split.read(partition, [schema.TEXT, schema.KEY]) for row in table.to_pylist()]
        assert [(row[schema.KEY], row[schema.TEXT]) for row in some] == [
            (row[schema.KEY], row[schema.TEXT]) for row in wanted
        ]


def test_equal_tables_give_equal_bytes_whatever_their_chunks(tmp_path):
    whole = table_of(list(range(0, 1 << 64, 1 << 58)))
    for name, tables in (("x", [whole]), ("y", [whole.slice(0, 7), whole.slice(7, 0), whole.slice(7)])):
        SplitFile(file(tmp_path, name), COLUMNS, 8).write(tables)
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


def test_what_was_read_outlives_the_file(tmp_path):
    split = SplitFile(file(tmp_path), COLUMNS, 1)
    split.write([table_of(list(range(1000)))])
    (found,) = split.read(0)
    (tmp_path / "x.arrow").unlink()
    assert found.equals(table_of(list(range(1000))))


def test_a_file_that_was_cut_off_anywhere_is_not_current(tmp_path):
    split = SplitFile(file(tmp_path), COLUMNS, 4)
    split.write([table_of([0, 1, (1 << 64) - 1])])
    assert split.is_current()
    whole = (tmp_path / "x.arrow").read_bytes()
    for size in range(0, len(whole), 7):
        (tmp_path / "x.arrow").write_bytes(whole[:size])
        assert not split.is_current()
        with pytest.raises(CorruptError, match=r"x\.arrow is not a readable file"):
            list(split.read(0))


def test_files_of_other_inputs_missing_and_foreign_ones_are_errors(tmp_path):
    SplitFile(file(tmp_path), COLUMNS, 4).write([table_of([1])])
    other = file(tmp_path, digest="e" * 32)
    assert not other.is_current()
    with pytest.raises(StaleError, match="dddddddd, but the plan needs eeeeeeee"):
        other.counts()
    with pytest.raises(MissingError, match="does not exist"):
        file(tmp_path, "y.arrow").counts()
    with pa.OSFile(str(tmp_path / "z.arrow"), "wb") as sink, pa.ipc.new_file(sink, COLUMNS):
        pass
    assert not file(tmp_path, "z.arrow").is_current()
    with pytest.raises(CorruptError):
        file(tmp_path, "z.arrow").counts()
