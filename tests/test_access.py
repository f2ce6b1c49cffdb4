"""Files that lie elsewhere: every fault ends in the file's bytes or in an error that names it."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from crawl_server import KINDS, serving

from gristmill.crawl.access.fetch import Client
from gristmill.crawl.access.settings import AccessSettings
from gristmill.crawl.access.source import open_source, read_source
from gristmill.errors import AccessError, MissingError

QUICK = AccessSettings(requests_per_second=10_000, tries=5, timeout=0.2, first_wait=0.001, longest_wait=0.002)
DATA = random.Random(0).randbytes(300_000)


@pytest.fixture
def server():
    with serving({"/a": DATA, "/empty": b"", "/small": b"small"}) as found:
        yield found


@pytest.fixture
def client():
    return Client(QUICK)


def test_a_client_reads_wholes_parts_and_sizes(server, client):
    url = f"{server.url}/a"
    assert client.read(url) == DATA
    assert client.read_range(url, 1000, 50) == DATA[1000:1050]
    assert client.read_range(url, len(DATA) - 5, 50) == DATA[-5:]
    assert client.read_range(url, len(DATA), 50) == b""
    assert client.size(url) == len(DATA)
    assert client.exists(url)
    assert not client.exists(f"{server.url}/b")
    assert (client.read(f"{server.url}/empty"), client.size(f"{server.url}/empty")) == (b"", 0)


@pytest.mark.parametrize("fault", [*KINDS, "stall", "slow", "mute"])
def test_a_fault_is_followed_by_the_same_bytes(server, client, fault):
    server.pause = 0.15
    for read in (
        lambda: client.read(f"{server.url}/a"),
        lambda: client.read_range(f"{server.url}/a", 0, len(DATA)),
        lambda: read_source(f"{server.url}/a", QUICK),
    ):
        server.fail("/a", fault, fault)
        assert read() == DATA
    server.fail("/a", fault, fault)
    assert client.read_range(f"{server.url}/a", 99_000, 101_000) == DATA[99_000:200_000]


@pytest.mark.parametrize("fault", ["503", "403", "close", "reset", "long", "mute"])
def test_a_fault_that_lasts_is_an_error_that_names_it(server, client, fault):
    server.fail("/small", fault, forever=True)
    with pytest.raises(AccessError, match=r"/small cannot be read: tried 5 times in a row, and at last .+; run again"):
        client.read(f"{server.url}/small")


def test_what_is_not_there_is_said_at_once(server, client):
    for read in (client.read, client.size, read_source):
        with pytest.raises(MissingError, match="/b does not exist"):
            read(f"{server.url}/b")
    assert len(server.requests) == 3


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
