"""Files kept on this machine: fetched by range, resumed after any interruption, checked before they count."""

import gzip
import io
import random
import subprocess
import sys
from pathlib import Path

import pytest
from commands import environment
from crawl_server import CRAWL, KINDS, crawl_files, serving, warc_paths
from hypothesis import given
from hypothesis import strategies as st
from test_access import QUICK
from warcs import members, responses

from gristmill.crawl.access import gzip_end
from gristmill.crawl.access.commoncrawl import published_fingerprint
from gristmill.crawl.access.download import downloaded, kept_path
from gristmill.crawl.access.gzip_end import ends_whole
from gristmill.errors import AccessError, MissingError

PRINT = "0" * 32
LARGE = members([*responses(40), b"WARC/1.0\r\n\r\n" + random.Random(1).randbytes(2_000_000)])


@pytest.fixture
def server():
    with serving({"/a.warc.gz": LARGE}) as found:
        yield found


def fetch(server, folder, path="/a.warc.gz"):
    return downloaded(f"{server.url}{path}", PRINT, str(folder), QUICK, lambda fraction: None)


def read(path):
    return Path(path).read_bytes()


def test_a_file_is_fetched_once_and_kept(server, tmp_path):
    told = []
    path = downloaded(f"{server.url}/a.warc.gz", PRINT, str(tmp_path), QUICK, told.append)
    assert read(path) == LARGE
    assert told == sorted(told)
    assert told[-1] == 1.0
    asked = len(server.requests)
    assert fetch(server, tmp_path) == path
    assert len(server.requests) == asked
    assert [file.name for file in (tmp_path / "other" / PRINT).iterdir()] == ["a.warc.gz"]


@pytest.mark.parametrize("fault", [*KINDS, "stall"])
def test_a_fault_is_followed_by_the_same_file(server, tmp_path, fault):
    server.fail("/a.warc.gz", fault, fault)
    assert read(fetch(server, tmp_path)) == LARGE


def test_it_goes_on_where_it_was_left(server, tmp_path):
    server.fail("/a.warc.gz", "none", "close", *["503"] * 20)
    with pytest.raises(AccessError):
        fetch(server, tmp_path)
    part = tmp_path / "other" / PRINT / "a.warc.gz.part"
    left = part.stat().st_size
    part.write_bytes(LARGE[: max(left, 1_500_000)])
    server.heal()
    assert read(fetch(server, tmp_path)) == LARGE
    spans = [span for _, span in server.requests]
    starts = [int(span.removeprefix("bytes=").split("-")[0]) for span in spans]
    assert all(start in (0, *range(1_400_000, len(LARGE))) for start in starts)
    assert "bytes=0-" not in spans


@pytest.mark.parametrize("change", ["longer", "other", "tail"])
def test_the_start_of_another_file_is_thrown_away(server, tmp_path, change):
    server.fail("/a.warc.gz", "none", "close", *["503"] * 20)
    with pytest.raises(AccessError):
        fetch(server, tmp_path)
    part = tmp_path / "other" / PRINT / "a.warc.gz.part"
    if change == "longer":
        part.write_bytes(LARGE + b"x")
    elif change == "other":
        server.files["/a.warc.gz"] = members(responses(9))
    else:
        part.write_bytes(LARGE[:1_000_000] + bytes(1000))
    server.heal()
    assert read(fetch(server, tmp_path)) == server.files["/a.warc.gz"]


def test_damage_in_what_was_there_is_found_by_the_end(server, tmp_path):
    server.fail("/a.warc.gz", "none", "close", *["503"] * 20)
    with pytest.raises(AccessError):
        fetch(server, tmp_path)
    part = tmp_path / "other" / PRINT / "a.warc.gz.part"
    part.write_bytes(LARGE[:500_000] + b"damaged" + LARGE[500_007:1_500_000])
    server.heal()
    assert read(fetch(server, tmp_path)) == LARGE


def test_a_file_that_is_cut_off_where_it_lies_is_kept_as_it_is(server, tmp_path):
    server.files["/a.warc.gz"] = LARGE[:-20]
    assert read(fetch(server, tmp_path)) == LARGE[:-20]


def test_what_is_not_there_leaves_nothing(server, tmp_path):
    with pytest.raises(MissingError, match="/none does not exist"):
        fetch(server, tmp_path, "/none")
    assert list(tmp_path.rglob("*")) == []


def test_a_file_of_this_machine_is_read_where_it_lies(tmp_path):
    (tmp_path / "a.warc.gz").write_bytes(b"x")
    path = str(tmp_path / "a.warc.gz")
    assert downloaded(path, PRINT, str(tmp_path / "kept"), QUICK, print) == path


def test_a_crawls_file_keeps_its_path_and_no_path_leads_out():
    path = f"crawl-data/{CRAWL}/segments/1/warc/a.warc.gz"
    assert kept_path(f"https://data.commoncrawl.org/{path}", published_fingerprint(path)) == path
    assert kept_path(f"https://elsewhere.org/{path}", PRINT) == f"other/{PRINT}/a.warc.gz"
    hostile = f"crawl-data/{CRAWL}/../../../etc/passwd"
    its = published_fingerprint(hostile)
    assert kept_path(f"https://elsewhere.org/{hostile}", its) == f"other/{its}/passwd"
    assert kept_path("https://elsewhere.org/a.warc.gz?x=/../y", PRINT) == f"other/{PRINT}/a.warc.gz"
    assert ".." not in kept_path("https://elsewhere.org/..", PRINT).split("/")


def test_a_killed_download_goes_on(tmp_path):
    files = crawl_files(files=1, pages=1)
    (path,) = warc_paths(files)
    with serving(files | {path: LARGE}) as server:
        server.fail(path, "none", "stall")
        program = (
            "import sys; from gristmill.crawl.access.download import downloaded;"
            "from gristmill.access.settings import DEFAULT_ACCESS as d;"
            "downloaded(sys.argv[1], '0' * 32, sys.argv[2], d, lambda fraction: print(fraction, flush=True))"
        )
        command = [sys.executable, "-c", program, f"{server.url}{path}", str(tmp_path)]
        with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()  # a first block is here
            process.kill()
        parts = list(tmp_path.rglob("*.part"))
        assert 0 < parts[0].stat().st_size < len(LARGE)
        server.heal()
        assert read(fetch(server, tmp_path, path)) == LARGE
        assert not any(span == "bytes=0-" for _, span in server.requests)


@given(st.binary(max_size=300), st.integers(1, 40))
def test_the_end_of_a_gzip_file_tells_whether_it_is_whole(data, cut):
    whole = gzip.compress(b"first", mtime=0) + gzip.compress(data, mtime=0)
    assert ends_whole(io.BytesIO(whole), len(whole))
    short = whole[:-cut]
    is_first = len(short) == len(gzip.compress(b"first", mtime=0))
    assert ends_whole(io.BytesIO(short), len(short)) == is_first
    assert not ends_whole(io.BytesIO(whole + b"x"), len(whole) + 1)
    assert ends_whole(io.BytesIO(b"plain" + data), len(data) + 5)


def test_the_end_of_a_large_member_is_found_from_its_start(monkeypatch):
    monkeypatch.setattr(gzip_end, "_WINDOW", 1000)
    whole = gzip.compress(random.Random(2).randbytes(50_000), mtime=0)
    assert ends_whole(io.BytesIO(whole), len(whole))
    assert not ends_whole(io.BytesIO(whole[:-1]), len(whole) - 1)
    assert ends_whole(io.BytesIO(whole + whole), 2 * len(whole))
