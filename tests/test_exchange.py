"""The exchange: no key is lost, no row goes to another shard, and the number of partitions changes nothing."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gristmill import schema
from gristmill.errors import StaleError
from gristmill.pipeline import exchange as module
from gristmill.pipeline.exchange import Exchange, KeyFiles, partition_count, partition_of
from gristmill.pipeline.phases import write_layer
from gristmill.pipeline.plan import Plan, Shard, Step, with_digest
from gristmill.pipeline.run import Run
from gristmill.pipeline.shards import ShardWriter
from gristmill.pipeline.storage import Folder

KEYS = pa.schema([(schema.KEY, pa.uint64()), (schema.SHARD, pa.string()), (schema.ROW, pa.int64())])
DECIDED = pa.schema([(schema.SHARD, pa.string()), (schema.ROW, pa.int64()), (schema.CLUSTER_SIZE, pa.int64())])
LAYER = pa.schema([(schema.CLUSTER_SIZE, pa.int64())])


class NoProgress:
    def update(self, rows, fraction):
        assert 0.0 <= fraction <= 1.0


def make_run(folder, shards):
    extract = with_digest(Step(name="extract", stage="extract", kind="extract", settings={}, decides=True), [])
    count = with_digest(
        Step(name="count", stage="count", kind="count", settings={}, inputs=("extract",), scope="corpus"), [extract]
    )
    plan = Plan("x", tuple(Shard(name, name, name) for name in sorted(shards)), (extract, count))
    run = Run(Folder(str(folder)), plan)
    for shard in plan.shards:
        ids = [f"{shard.name}/{row}" for row in range(len(shards[shard.name]))]
        with run.folder.writing(run.file(extract, shard)) as sink:
            writer = ShardWriter(sink, pa.schema([(schema.ID, pa.string())]), run.digest(extract, shard))
            writer.write(pa.record_batch([pa.array(ids, pa.string())], names=[schema.ID]))
            writer.close()
    return run


def count_exchange(run, shards):
    """Each row is told how many rows of the corpus share its key."""
    step = run.plan.step("count")

    def keys(shard, progress):
        values = shards[shard.name]
        progress.update(len(values), 1.0)
        columns = [pa.array(values, pa.uint64()), pa.array([shard.name] * len(values), pa.string())]
        yield pa.table([*columns, pa.array(range(len(values)), pa.int64())], schema=KEYS)

    def reduce(table):
        counted = table.group_by(schema.KEY).aggregate([([], "count_all")])
        joined = table.join(counted, schema.KEY).select([schema.SHARD, schema.ROW, "count_all"])
        return joined.rename_columns(DECIDED.names).sort_by([(schema.SHARD, "ascending"), (schema.ROW, "ascending")])

    def decide(shard, decided):
        write_layer(run, step, shard, decided.select([schema.CLUSTER_SIZE]).to_batches(), columns=LAYER)

    return Exchange(KeyFiles(run, step, KEYS), DECIDED, keys, reduce, decide)


def carry_out(exchange):
    for phase in exchange.phases():
        for item in phase.items():
            assert not phase.is_done(item)
            phase.perform(item, NoProgress())
            assert phase.is_done(item)


def counted(folder, shards):
    run = make_run(folder, shards)
    carry_out(count_exchange(run, shards))
    step = run.plan.step("count")
    return {s.name: run.read(step, s).column(schema.CLUSTER_SIZE).to_pylist() for s in run.plan.shards}, run


CORPORA = st.dictionaries(
    st.sampled_from("abcdefg"),
    st.lists(st.sampled_from([0, 1, 1 << 61, 1 << 62, 1 << 63, (1 << 64) - 1]), max_size=8),
    min_size=1,
)


@given(shards=CORPORA)
def test_every_row_learns_of_the_whole_corpus(tmp_path_factory, shards):
    found, _ = counted(tmp_path_factory.mktemp("run"), shards)
    everywhere = [key for keys in shards.values() for key in keys]
    assert found == {name: [everywhere.count(key) for key in keys] for name, keys in shards.items()}


@pytest.mark.parametrize("partitions", [1, 2, 64])
def test_the_number_of_partitions_changes_no_layer(tmp_path, monkeypatch, partitions):
    shards = {"a": [0, 1 << 63, 7, 7], "b": [], "c": [7, (1 << 64) - 1]}
    _, usual = counted(tmp_path / "usual", shards)
    monkeypatch.setattr(module, "partition_count", lambda *_: partitions)
    _, other = counted(tmp_path / "other", shards)
    step = usual.plan.step("count")
    for shard in usual.plan.shards:
        name = usual.file(step, shard)
        assert usual.folder.read_bytes(name) == other.folder.read_bytes(name)


def test_keys_of_other_inputs_are_stale(tmp_path):
    shards = {"a": [1], "b": [2]}
    _, run = counted(tmp_path, shards)
    changed = Plan("x", (Shard("a", "a", "changed"), run.plan.shards[1]), run.plan.steps)
    files = count_exchange(Run(run.folder, changed), shards).keys
    with pytest.raises(StaleError):
        files.partition(0)


@given(keys=st.lists(st.integers(0, (1 << 64) - 1)), bits=st.integers(0, 10))
def test_partitions_are_ranges_of_keys(keys, bits):
    found = partition_of(pa.array(keys, pa.uint64()), 1 << bits)
    assert found.tolist() == [key * (1 << bits) >> 64 for key in keys]
    assert found.dtype == np.int64


def test_partitions_follow_the_shards_within_bounds():
    assert [partition_count(n) for n in (1, 6, 128, 129, 320, 100_000, 10**7)] == [4, 4, 8, 16, 32, 1024, 1024]
    assert [partition_count(n, 8) for n in (1, 2, 8, 128, 129, 10**7)] == [4, 8, 32, 64, 128, 8192]
