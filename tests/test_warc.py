"""Reading WARCs: every record once, every damaged stretch once, no neighbour lost, offsets that rise.

What is read quickly, headers as nearly all tools write them and small gzip members, must make no difference.
"""

import bz2
import gzip
import io
import json
import lzma
import random
from collections import Counter

import fsspec
import mutations
import pytest
import warcs
from hypothesis import given, settings
from hypothesis import strategies as st

from gristmill.access.source import open_source
from gristmill.crawl.http.dates import http_milliseconds, warc_milliseconds
from gristmill.crawl.http.response import parse_response
from gristmill.crawl.rows import TYPES_WITH_ROWS
from gristmill.crawl.warc import opening, reader
from gristmill.crawl.warc.member_window import MemberWindow
from gristmill.crawl.warc.reader import WarcReader
from gristmill.crawl.warc.record import DAMAGE, UNSUPPORTED
from gristmill.errors import MissingError
from gristmill.sample import write_sample

KEPT = 1 << 20


def read(data, kept=KEPT):
    records = list(WarcReader(io.BytesIO(data), len(data), kept))
    offsets = [record.offset for record in records]
    assert offsets == sorted(set(offsets))
    return records


class CarefulReader(WarcReader):
    """Reads every record without the shortcuts."""

    def _read_plain(self, holds_rest):
        return None


class CarefulWindow(MemberWindow):
    """Unpacks every member without the shortcut."""

    def _unpack_quickly(self):
        return False


def careful(data, kept=KEPT):
    """Return the records as they are read without any shortcut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "MemberWindow", CarefulWindow)
        patch.setattr(reader, "MemberWindow", CarefulWindow)
        return list(CarefulReader(io.BytesIO(data), len(data), kept))


def assert_as_careful(data, kept=KEPT):
    assert read(data, kept) == careful(data, kept)


def told(data, kept=KEPT):
    """Return what is said of a file: page numbers for responses, else the type."""
    return [number(record) if record.type == "response" else record.type for record in read(data, kept)]


def number(record):
    digits = record.fields.get(b"warc-target-uri", b"").rpartition(b"/")[2]
    return int(digits) if digits.isdigit() else None


FOUR = warcs.responses(4)
PACKINGS = {
    "member per record": warcs.members,
    "one member": lambda records: warcs.member(b"".join(records)),
    "not compressed": b"".join,
    "zstd": lambda records: b"".join(map(warcs.zstd_frame, records)),
    "zstd, one frame": lambda records: warcs.zstd_frame(b"".join(records)),
    "lz4": lambda records: b"".join(map(warcs.lz4_frame, records)),
    "bzip2": lambda records: bz2.compress(b"".join(records)),
    "xz": lambda records: lzma.compress(b"".join(records)),
}
packings = pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)


@packings
def test_every_record_is_read(pack):
    data = pack([warcs.record("warcinfo", b"a: b\r\n", None), *FOUR, warcs.record("metadata", b"c: d\r\n")])
    assert told(data) == ["warcinfo", 0, 1, 2, 3, "metadata"]


@packings
def test_blocks_are_kept_whole_up_to_the_bound(pack):
    block = warcs.http(warcs.page())
    for kept in (10, len(block), 1 << 20):
        (record,) = read(pack([warcs.response(0, warcs.page())]), kept)
        assert (record.block, record.length) == (block[:kept], len(block))


def test_offsets_are_those_of_gzip_members():
    data = warcs.members(FOUR)
    for record in read(data):
        (first, *_) = read(data[record.offset :])
        assert number(first) == number(record)


@pytest.mark.parametrize("pack", [PACKINGS["one member"], PACKINGS["not compressed"]])
def test_offsets_are_those_in_the_unpacked_bytes(pack):
    unpacked = b"".join(FOUR)
    for record in read(pack(FOUR)):
        assert unpacked[record.offset :].startswith(FOUR[number(record)])


def test_members_may_be_cut_anywhere():
    unpacked = b"".join(FOUR)
    pieces = [unpacked[start : start + 100] for start in range(0, len(unpacked), 100)]
    assert told(warcs.members(pieces)) == [0, 1, 2, 3]


def test_empty_members_end_nothing():
    assert told(warcs.members([b"", FOUR[0], b"", b"", FOUR[1], b""])) == [0, 1]


@packings
@pytest.mark.parametrize("wrong", [-5, 10, 10**6, 10**30, "", "ten"])
def test_a_wrong_length_costs_its_own_record_only(pack, wrong):
    assert told(pack([FOUR[0], warcs.response(9, length=wrong), FOUR[1], FOUR[2]])) == [0, DAMAGE, 1, 2]


@packings
@pytest.mark.parametrize("surplus", [5, 40, 300, 700])
def test_a_length_that_reaches_into_the_neighbour_costs_no_neighbour(pack, surplus):
    length = len(warcs.http(warcs.page())) + surplus
    data = pack([FOUR[0], warcs.response(9, warcs.page(), length), FOUR[1], FOUR[2]])
    assert told(data) == [0, DAMAGE, 1, 2]


def test_a_damaged_record_is_told_with_its_url():
    noise = random.Random(1).randbytes(2000)
    broken = warcs.damaged(warcs.member(warcs.response(1, noise)), 1500)
    record = read(warcs.member(FOUR[0]) + broken + warcs.member(FOUR[2]))[1]
    assert (record.type, record.offset, number(record)) == (DAMAGE, len(warcs.member(FOUR[0])), 1)


@pytest.mark.parametrize("start", [0, 1, 2, 3, 12, 30, 200, 350, -9, -8, -5, -1])
def test_a_corrupt_member_is_told_and_costs_no_other(start):
    broken = warcs.member(FOUR[1])
    broken = warcs.damaged(broken, start % len(broken), 1)
    for data, before in ((warcs.member(FOUR[0]) + broken, [0]), (broken, [])):
        found = told(data + warcs.members(FOUR[2:]))
        assert found[: len(before)] == before
        assert DAMAGE in found
        assert found[-2:] == [2, 3]


@packings
def test_a_file_may_be_cut_off_anywhere(pack):
    data = pack(FOUR)
    for end in range(0, len(data), 37):
        found = told(data[:end])
        whole = [one for one in found if one != DAMAGE]
        assert whole == [0, 1, 2, 3][: len(whole)]
        assert found[len(whole) :] in ([], [DAMAGE])


def test_only_a_cut_between_records_goes_unseen():
    data = warcs.members(FOUR)
    ends = {len(warcs.members(FOUR[:count])) for count in range(5)}
    for end in range(len(data) + 1):
        assert (DAMAGE in told(data[:end])) == (end not in ends)


@packings
@pytest.mark.parametrize("garbage", [b"\0" * 600, b"garbage " * 50, b"\x1f\x8b\x08" * 99, b"WARC/1.0\r\n" * 30, b"x"])
def test_garbage_is_one_row_and_costs_no_neighbour(pack, garbage):
    first, rest = pack(FOUR[:1]), pack(FOUR[1:])
    assert told(first + garbage + rest) == [0, DAMAGE, 1, 2, 3]
    assert told(garbage + rest) == [DAMAGE, 1, 2, 3]
    assert told(first + garbage) == [0, DAMAGE]


def test_a_corrupt_place_in_a_file_of_one_member_keeps_what_stands_before_it():
    rng = random.Random(3)
    records = [warcs.response(n, warcs.page(" ".join(str(rng.random()) for _ in range(900)))) for n in range(6)]
    data = warcs.member(b"".join(records))
    found = told(warcs.damaged(data, len(data) // 2, 40))
    assert found[:2] == [0, 1]
    assert DAMAGE in found


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (warcs.member(b""), []),
        (b"\r\n\r\n", []),
        (b"<html>no archive</html>", [DAMAGE]),
        (warcs.member(b"crawl-data/CC-MAIN-2024-18/warc.gz\n" * 9), [DAMAGE]),
        (b"\x28\xb5\x2f\xfd rest", [DAMAGE]),
        (b"PK\x03\x04 rest", [UNSUPPORTED]),
        (b"7z\xbc\xaf\x27\x1c rest", [UNSUPPORTED]),
        (warcs.member(b"PK\x03\x04 rest"), [UNSUPPORTED]),
    ],
)
def test_files_that_hold_no_warc(data, expected):
    assert told(data) == expected


def test_odd_headers_are_read():
    odd = warcs.response(7).replace(b"WARC-Target-URI: ", b"warc-target-uri:\r\n\t").replace(b"WARC-Type", b"Warc-TYPE")
    lines = warcs.record("response", b"x\n", "http://example.org/8").replace(b"\r\n", b"\n")
    twice = warcs.response(9).replace(b"WARC-Type", b"WARC-Target-URI: http://example.org/9\r\nWARC-Type")
    data = odd + lines + twice.replace(b"WARC/1.0", b"warc/1.1 ") + warcs.record("monkeys", b"x")
    assert told(data) == [7, 8, 9, "unknown"]


@packings
def test_healthy_records_are_read_quickly(pack, monkeypatch):
    slow = []
    monkeypatch.setattr(WarcReader, "_read", lambda self: slow.append(self._offset()))
    data = pack(warcs.responses(50))
    assert len(list(WarcReader(io.BytesIO(data), len(data), KEPT))) >= 49
    assert len(slow) <= 1


def test_large_blocks_are_passed_without_being_held():
    noise = random.Random(5).randbytes(5 << 20)
    for pack in (warcs.members, b"".join):
        data = pack([warcs.record("response", warcs.http(noise)), *FOUR])
        (first, *_) = read(data, 1000)
        assert (len(first.block), first.length) == (1000, len(warcs.http(noise)))
        assert_as_careful(data, 1000)


@pytest.mark.parametrize("packing", ["gzip", "plain"])
def test_damage_is_read_as_the_careful_reader_reads_it(packing):
    for seed in range(2500):
        rng = random.Random(seed)
        assert_as_careful(mutations.mutated(rng, packing == "gzip"), rng.choice([KEPT, 50]))


def test_damage_far_into_a_file_is_read_as_the_careful_reader_reads_it():
    for seed in range(30):
        rng = random.Random(seed)
        records = [warcs.response(n, rng.randbytes(rng.choice([1000, 300_000, 900_000]))) for n in range(6)]
        data = warcs.members(records) if seed % 2 else b"".join(records)
        assert_as_careful(warcs.damaged(data, rng.randrange(len(data)), rng.choice([1, 40])), 1000)


def test_the_sample_is_read_as_the_careful_reader_reads_it(tmp_path):
    write_sample(tmp_path)
    files = sorted(tmp_path.rglob("*.warc.gz"))
    assert files
    for file in files:
        assert_as_careful(file.read_bytes())


@pytest.mark.data
def test_real_files_are_read_as_the_careful_reader_reads_them(data):
    files = [*(data / "warc_real").iterdir(), *(data / "warc").glob("*.warc.gz")]
    assert len(files) > 150
    for file in files:
        assert_as_careful(file.read_bytes())


def test_an_error_of_the_file_is_raised_as_it_is():
    class Broken(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 1 << 20:
                raise TimeoutError("the network")
            return super().read(size)

    for pack in (warcs.members, b"".join):
        data = pack([warcs.response(n, random.Random(n).randbytes(1 << 19)) for n in range(6)])
        one = WarcReader(Broken(data), len(data), KEPT)
        with pytest.raises(TimeoutError, match="the network"):
            list(one)


def test_what_may_be_read_twice_is_bounded():
    liar = warcs.response(0, b"", length=1 << 40)
    data = liar * 2000 + warcs.response(1)
    one = WarcReader(io.BytesIO(data), 0, KEPT)
    one._window._rescue = 3 * len(data)
    found = list(one)
    assert {record.type for record in found} == {DAMAGE}
    assert len(found) < 10


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.sampled_from(["gzip", "plain"]))
def test_damage_to_one_record_costs_no_other(seed, packing):
    rng = random.Random(seed)
    packed = [warcs.member(one) if packing == "gzip" else one for one in FOUR]
    victim = rng.randrange(4)
    broken = bytearray(packed[victim])
    for _ in range(rng.randrange(1, 6)):
        broken[rng.randrange(len(broken))] = rng.randrange(256)
    if rng.random() < 0.5:
        del broken[rng.randrange(len(broken)) :]
    found = told(b"".join([*packed[:victim], bytes(broken), *packed[victim + 1 :]]))
    others = [n for n in range(4) if n != victim]
    assert [one for one in found if one in others] == others


@settings(max_examples=200)
@given(st.binary(max_size=600), st.booleans())
def test_any_bytes_end(noise, is_header):
    block = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, br\r\nTransfer-Encoding: chunked\r\n" * is_header + noise
    parse_response(block, len(block), 100)
    read(warcs.member(noise) + noise)
    read(b"WARC/1.0\r\nWARC-Type: response\r\n" + noise)


def test_files_are_opened_wherever_they_lie(tmp_path):
    with fsspec.open("memory://crawl/a.warc.gz", "wb") as sink:
        sink.write(b"abc")
    file, size = open_source("memory://crawl/a.warc.gz")
    assert (file.read(), size) == (b"abc", 3)
    for missing in (str(tmp_path / "gone.warc"), str(tmp_path), "memory://gone.warc", "nowhere://x"):
        with pytest.raises(MissingError, match="gone|nowhere|" + tmp_path.name):
            open_source(missing)


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [
        (b"2024-04-21T06:24:15Z", 1713680655000),
        (b"2024-04-21T06:24:15.123456Z", 1713680655123),
        (b"2024-04-21T08:24:15+02:00", 1713680655000),
        (b"2024-04-21", 1713657600000),
        (b"2024", 1704067200000),
        (b"2024-13-01", None),
        (b"", None),
        (None, None),
        (b"yesterday", None),
    ],
)
def test_warc_dates(value, milliseconds):
    assert warc_milliseconds(value) == milliseconds


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [
        (b"Sun, 21 Apr 2024 06:24:15 GMT", 1713680655000),
        (b"Sunday, 21-Apr-24 06:24:15 GMT", 1713680655000),
        (b"Sun Apr 21 06:24:15 2024", 1713680655000),
        (b"Sun, 21 Apr 2024 08:24:15 +0200", 1713680655000),
        (b"Sun, 31 Feb 2024 08:24:15 GMT", None),
        (b"Sun, 21 Foo 2024 08:24:15 GMT", None),
        (b"0", None),
        (None, None),
        (b"9" * 10000, None),
    ],
)
def test_http_dates(value, milliseconds):
    assert http_milliseconds(value) == milliseconds


@pytest.mark.data
def test_odd_real_files_lose_no_response_that_another_reader_found(data):
    folder = data / "warc_real"
    manifest = [json.loads(line) for line in (folder / "MANIFEST.jsonl").read_text().splitlines()]
    assert len(manifest) > 150
    for entry in manifest:
        found = Counter(record.type for record in read((folder / entry["file"]).read_bytes()))
        rows = found["response"] + found[DAMAGE]
        if not found[UNSUPPORTED]:
            for peer in ("warcio", "fastwarc"):
                types = entry.get(peer, {}).get("types") or {}
                assert rows >= types.get("response", 0), entry["file"]


@pytest.mark.data
def test_real_offsets_are_those_of_the_provenance(data):
    path = data / "warc" / "CC-MAIN-20240421062415-00001.warc.gz"
    with gzip.open(str(path).replace(".warc.gz", ".provenance.jsonl.gz")) as lines:
        expected = [(entry["offset"], entry["url"].encode()) for entry in map(json.loads, lines)]
    with path.open("rb") as file:
        records = [one for one in WarcReader(file, path.stat().st_size, 0) if one.type in TYPES_WITH_ROWS]
    assert [(one.offset, one.fields[b"warc-target-uri"]) for one in records] == expected
