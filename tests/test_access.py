"""Files that lie elsewhere: every fault ends in the file's bytes or in an error that names it."""

import io
import random
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from crawl_server import KINDS, serving
from hypothesis import given, settings
from hypothesis import strategies as st

from gristmill.access import policy
from gristmill.access.body import Facts
from gristmill.access.fetch import Client, client
from gristmill.access.policy import Fault, Pace, Tries, may_pass, retry_after
from gristmill.access.remote import RemoteFile
from gristmill.access.settings import DEFAULT_ACCESS, AccessSettings
from gristmill.access.source import edges, open_source, read_source
from gristmill.access.store import StoreOrigin
from gristmill.errors import AccessError, MissingError

QUICK = AccessSettings(requests_per_second=10_000, tries=5, timeout=0.2, first_wait=0.001, longest_wait=0.002)
DATA = random.Random(0).randbytes(300_000)


@pytest.fixture
def server():
    with serving({"/a": DATA, "/empty": b"", "/small": b"small"}) as found:
        found.pause = 0.15
        yield found


@pytest.fixture
def quick():
    return Client(QUICK)


def test_a_client_reads_wholes_parts_and_sizes(server, quick):
    url = f"{server.url}/a"
    assert quick.read(url) == DATA
    assert quick.read_range(url, 1000, 50) == DATA[1000:1050]
    assert quick.read_range(url, len(DATA) - 5, 50) == DATA[-5:]
    assert quick.read_range(url, len(DATA), 50) == b""
    assert quick.size(url) == len(DATA)
    assert quick.exists(url)
    assert not quick.exists(f"{server.url}/b")
    assert (quick.read(f"{server.url}/empty"), quick.size(f"{server.url}/empty")) == (b"", 0)
    with pytest.raises(AccessError, match="is larger than 100 bytes"):
        quick.read(url, most=100)


@pytest.mark.parametrize("fault", [*KINDS, "stall", "slow", "mute"])
def test_a_fault_is_followed_by_the_same_bytes(server, quick, fault):
    for read in (
        lambda: quick.read(f"{server.url}/a"),
        lambda: quick.read_range(f"{server.url}/a", 0, len(DATA)),
        lambda: read_source(f"{server.url}/a", QUICK),
    ):
        server.fail("/a", fault, fault)
        assert read() == DATA
    server.fail("/a", fault, fault)
    assert quick.read_range(f"{server.url}/a", 99_000, 101_000) == DATA[99_000:200_000]


@pytest.mark.parametrize("fault", ["503", "403", "close", "reset", "long", "mute", "slow"])
def test_a_fault_that_lasts_is_an_error_that_names_it(server, quick, fault):
    server.fail("/small", fault, forever=True)
    with pytest.raises(AccessError, match=r"/small cannot be read: tried 5 times in a row, and at last .+; run again"):
        quick.read(f"{server.url}/small")


def test_the_error_in_the_midst_of_a_file_names_the_byte(server):
    file, _ = open_source(f"{server.url}/a", QUICK)
    with file:
        file.read(100_000)
        server.fail("/a", "503", forever=True)
        file.seek(200_000)
        with pytest.raises(AccessError, match=r"cannot be read from byte 200,000 on: .* answered 503 \(slow down\)"):
            file.read(1)


def test_what_is_not_there_is_said_at_once(server, quick):
    for read in (quick.read, quick.size, read_source):
        with pytest.raises(MissingError, match="/b does not exist"):
            read(f"{server.url}/b")
    assert len(server.requests) == 3


def test_a_server_that_is_not_there_is_an_error_in_words(quick):
    with pytest.raises(AccessError, match="the server takes no connection"):
        quick.read("http://127.0.0.1:1/a")
    with pytest.raises(MissingError, match="is no URL"):
        quick.read("http://[/a")


@pytest.mark.parametrize("status", ["401", "400", "405"])
def test_a_final_answer_is_not_asked_for_again(server, quick, status):
    server.fail("/a", status, forever=True)
    with pytest.raises(AccessError, match=f"answered {status}"):
        quick.read(f"{server.url}/a")
    assert len(server.requests) == 1


def test_a_file_is_read_forward_in_one_request_and_another_for_its_size(server):
    file, size = open_source(f"{server.url}/a", QUICK)
    with file:
        assert b"".join(iter(lambda: file.read(10_000), b"")) == DATA
    assert size == len(DATA)
    assert [span for _, span in server.requests] == ["bytes=0-0", "bytes=0-"]


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), steps=st.lists(st.tuples(st.integers(0, 310_000), st.integers(0, 90_000))))
def test_a_remote_file_is_as_good_as_the_bytes(shared, seed, steps):
    shared.fail("/a", *random.Random(seed).choices(KINDS, k=4))
    twin = io.BytesIO(DATA)
    file, _ = open_source(f"{shared.url}/a", QUICK)
    with file:
        for offset, size in steps:
            assert file.seek(offset) == twin.seek(offset)
            assert file.read(size) == twin.read(size)
            assert file.tell() == twin.tell()
        assert file.read() == twin.read()
    shared.heal()


@pytest.fixture(scope="module")
def shared():
    with serving({"/a": DATA}) as found:
        yield found


def test_a_file_that_changes_while_it_is_read_is_an_error(server):
    file, _ = open_source(f"{server.url}/a", QUICK)
    with file:
        file.read(10)
        file.seek(200_000)
        server.files["/a"] = DATA[:-1] + b"x"
        with pytest.raises(AccessError, match="has changed since it was begun"):
            file.read(10)
        server.files["/a"] = DATA[:-1]
        with pytest.raises(AccessError, match="seems to have changed"):
            file.read(10)


def test_a_parquet_file_is_read_where_it_lies(server):
    sink = pa.BufferOutputStream()
    table = pa.table({"a": list(range(200_000)), "b": [str(n) for n in range(200_000)]})
    pq.write_table(table, sink, row_group_size=20_000, compression="none")
    server.files["/t.parquet"] = sink.getvalue().to_pybytes()
    server.fail("/t.parquet", "503", "close", "whole", "reset")
    file, size = open_source(f"{server.url}/t.parquet", QUICK)
    with file:
        found = pq.ParquetFile(pa.PythonFile(file, mode="r"))
        assert found.read_row_group(7, columns=["b"]).equals(table.select(["b"]).slice(140_000, 20_000))
        assert size == len(server.files["/t.parquet"])


def test_edges_overlap_nowhere(server, tmp_path):
    (tmp_path / "a").write_bytes(DATA)
    for url in (f"{server.url}/a", str(tmp_path / "a")):
        assert edges(url, 1000, QUICK) == (len(DATA), DATA[:1000] + DATA[-1000:])
        assert edges(url, 200_000, QUICK) == (len(DATA), DATA)
        assert edges(url, 400_000, QUICK) == (len(DATA), DATA)
    assert edges(f"{server.url}/empty", 10, QUICK) == (0, b"")


class _Clock:
    """Time that passes only by sleeping."""

    def __init__(self, monkeypatch):
        self.now, self.slept = 0.0, []
        monkeypatch.setattr(policy.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(policy.time, "sleep", self.sleep)

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def test_requests_are_spread_over_time_whatever_the_threads(monkeypatch):
    clock, pace = _Clock(monkeypatch), Pace(4)
    for _ in range(5):
        pace.wait()
    assert clock.now == pytest.approx(1.0)
    clock.now = 10.0
    pace.wait()
    assert clock.now == 10.0


def test_the_pace_and_the_connections_are_those_of_the_process():
    found = []
    threads = [threading.Thread(target=lambda: found.append(client(DEFAULT_ACCESS))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(one) for one in found}) == 1


def test_waits_grow_at_random_up_to_their_bound_and_heed_the_server(monkeypatch):
    clock = _Clock(monkeypatch)
    monkeypatch.setattr(policy.random, "uniform", lambda low, high: high)
    tries = Tries("u", AccessSettings(tries=7, first_wait=1, longest_wait=10))
    for wait in (None, None, None, 2.0, None):
        tries.fail(Fault("x", wait))
    assert clock.slept == [1, 2, 4, 2 + 8, 10]
    tries.fail(Fault("x", 1000.0))
    assert clock.slept[-1] == 10 + 10
    with pytest.raises(AccessError, match="u cannot be read: tried 7 times in a row, and at last x"):
        tries.fail(Fault("x"))


def test_bytes_that_arrive_make_the_next_fault_the_first(monkeypatch):
    _Clock(monkeypatch)
    tries = Tries("u", AccessSettings(tries=2))
    for _ in range(5):
        tries.fail(Fault("x"))
        tries.received(1 << 16)
    tries.fail(Fault("x"))
    tries.received(100)
    with pytest.raises(AccessError):
        tries.fail(Fault("x"))


def test_what_a_server_asks_for_is_read_as_seconds():
    assert retry_after("7") == 7.0
    assert retry_after(None) is None
    assert retry_after("soon") is None
    later = datetime.now(UTC) + timedelta(seconds=100)
    assert 90 < (retry_after(format_datetime(later, usegmt=True)) or 0) <= 100
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


def test_what_is_tried_again():
    assert [status for status in range(100, 700) if may_pass(status)] == [403, 408, 429, *range(500, 600)]


class _Fickle(StoreOrigin):
    """A store that gives too few bytes, or none, as chance will have it."""

    chance = random.Random(4)

    def read_range(self, start, end):
        return super().read_range(start, end - (self.chance.random() < 0.15))

    def facts(self):
        if self.chance.random() < 0.15:
            raise Fault("slow down")
        return super().facts()


def test_a_file_on_a_store_is_read_through_its_faults():
    filesystem = fsspec.filesystem("memory")
    filesystem.pipe_file("/access/a", DATA)
    with RemoteFile(_Fickle("memory://access/a", QUICK), QUICK) as file:
        assert (file.size, file.read()) == (len(DATA), DATA)
        file.seek(-10, 2)
        assert file.read(100) == DATA[-10:]
    assert read_source("memory://access/a", QUICK) == DATA


def test_a_file_on_a_store_that_changes_is_an_error():
    filesystem = fsspec.filesystem("memory")
    filesystem.pipe_file("/access/b", DATA)
    file, _ = open_source("memory://access/b", QUICK)
    with file:
        file.read(10)
        file.seek(299_000)
        filesystem.pipe_file("/access/b", DATA[::-1])
        with pytest.raises(AccessError, match="has changed"):
            file.read(10)
    with pytest.raises(MissingError, match="does not exist"):
        open_source("memory://access/none", QUICK)


def test_a_store_without_sizes_is_refused(monkeypatch):
    filesystem = fsspec.filesystem("memory")
    filesystem.pipe_file("/access/c", b"c")
    monkeypatch.setattr(StoreOrigin, "facts", lambda self: Facts(None, None))
    with pytest.raises(AccessError, match="nothing tells its size"):
        open_source("memory://access/c", QUICK)
