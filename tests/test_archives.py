"""Archives other than gzipped WARC: ARC, WET, Zstandard with dictionaries; records as they should not be; memory."""

import io
import os
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import pyarrow as pa
import pytest
import warcs
from test_warc import KEPT, PACKINGS, number, packings, read, told
from warcio.archiveiterator import ArchiveIterator

from gristmill import schema
from gristmill.crawl import fates
from gristmill.crawl.extract import Extraction, extractor_versions
from gristmill.crawl.extraction.mojibake import repair
from gristmill.crawl.extraction.pool import Pool
from gristmill.crawl.http.response import parse_response
from gristmill.crawl.records import WholeFile
from gristmill.crawl.settings import ExtractSettings
from gristmill.crawl.warc.packing import unpack_whole_gzip, zstd
from gristmill.crawl.warc.reader import WarcReader
from gristmill.crawl.warc.record import DAMAGE

FAST = ExtractSettings(extractor="resiliparse")
FOUR = warcs.responses(4)
ARC_PACKINGS = {"gzip": warcs.members, **PACKINGS}
both_versions = pytest.mark.parametrize("version", [1, 2])


@pytest.fixture(scope="module")
def pool():
    with Pool(FAST) as shared:
        yield shared


def documents(data, path, pool=None, settings=FAST):
    """Return a file's documents."""
    path.write_bytes(data)
    return pa.Table.from_batches(Extraction(WholeFile(str(path), "s"), settings, pool), schema.DOCUMENTS).to_pylist()


@packings
@both_versions
def test_arc_records_are_read_as_responses(pack, version):
    records = warcs.arc(3, version)
    found = read(pack(records))
    assert [record.type for record in found] == ["warcinfo", "response", "response", "response"]
    for count, record in enumerate(found[1:]):
        block = records[count + 1].partition(b"\n")[2][:-1]
        assert (number(record), record.block, record.length) == (count, block, len(block))
        assert record.fields[b"warc-date"] == b"2024-04-21T06:24:15Z"


def test_arc_and_warc_of_a_page_become_the_same_row(tmp_path, pool):
    block = warcs.http(warcs.page())
    (arc,) = documents(warcs.members([*warcs.arc(0), warcs.arc_record(block)]), tmp_path / "x.arc.gz", pool)
    info = warcs.record("warcinfo", b"", None)
    (warc,) = documents(warcs.members([info, warcs.record("response", block)]), tmp_path / "x.warc.gz", pool)
    for name in (schema.ID, schema.OFFSET, schema.WARC):
        assert arc.pop(name) != warc.pop(name)
    assert arc == warc
    assert arc[schema.TEXT] == warcs.PROSE.strip()


@packings
@both_versions
@pytest.mark.parametrize("wrong", [-5, 10, 10**6, 10**30, "ten"])
def test_a_wrong_length_costs_its_own_arc_record_only(pack, version, wrong):
    records = warcs.arc(3, version)
    broken = warcs.arc_record(warcs.http(warcs.page()), "http://example.org/9", wrong, version)
    if wrong == "ten" or wrong == 10**30:
        assert told(pack([*records[:2], broken, *records[2:]]))[-2:] == [1, 2]
    else:
        assert told(pack([*records[:2], broken, *records[2:]])) == ["warcinfo", 0, DAMAGE, 1, 2]


@both_versions
def test_a_corrupt_arc_member_costs_no_other(version):
    packed = [warcs.member(one) for one in warcs.arc(4, version)]
    for at in (0, 1, 2, 3, *range(10, len(packed[2]), 7)):  # between them are a date and a system, which may be any
        found = told(b"".join([*packed[:2], warcs.damaged(packed[2], at, 1), *packed[3:]]))
        assert [one for one in found if one in (0, 2, 3)] == [0, 2, 3]
        assert DAMAGE in found


def test_an_arc_file_may_be_cut_off_anywhere():
    for pack in (warcs.members, b"".join):
        data = pack(warcs.arc(3))
        for end in range(0, len(data), 23):
            found = told(data[:end])
            whole = [one for one in found if one != DAMAGE]
            assert whole == ["warcinfo", 0, 1, 2][: len(whole)]


@pytest.mark.parametrize(
    ("line", "url", "date"),
    [
        ("http://a.org/x y z 1.2.3.4 20080430204825 text/html", "http://a.org/x y z", "2008-04-30T20:48:25Z"),
        ("http://a.org/ 20080430204825 1.2.3.4 text/html", "http://a.org/", "2008-04-30T20:48:25Z"),
        ("http://a.org/ None 2016020911 text/html; charset=utf-8", "http://a.org/", None),
        ("http://a.org/ 1.2.3.4 20000823054100495 image/gif", "http://a.org/", "2000-08-23T05:41:00Z"),
        ("http://a.org/ 2001:db8::1 20080430204825 ", "http://a.org/", "2008-04-30T20:48:25Z"),
        ("http://a.org/ 1.2.3.4 a0d1fdddf3165d0447b1f7a285c61c1c9 text/html", "http://a.org/", ""),
        ("dns:a.org 1.2.3.4 20080430204825 text/dns", "dns:a.org", "2008-04-30T20:48:25Z"),
    ],
)
def test_odd_arc_lines_are_read(line, url, date):
    block = warcs.http(b"x")
    data = warcs.arc(0)[0] + f"{line} {len(block)}\n".encode() + block + b"\n"
    record = read(data)[1]
    assert (record.type, record.block) == ("response", block)
    if "charset" not in line:
        assert (record.fields[b"warc-target-uri"].decode(), record.fields[b"warc-date"].decode()) == (url, date)


@pytest.mark.data
def test_arc_records_are_what_warcio_reads(data):
    read_alike = 0
    for path in sorted((data / "warc_real").glob("*.arc*")):
        with path.open("rb") as file:
            ours = [one for one in WarcReader(file, path.stat().st_size, 1 << 26) if one.type == "response"]
        try:
            with path.open("rb") as file:
                theirs = [
                    (one.rec_headers.get_header("uri"), one.raw_stream.read())
                    for one in ArchiveIterator(file, no_record_parse=True)
                    if one.rec_type == "response"
                ]
        except Exception:
            continue
        if [len(block) for _, block in theirs] == [one.length for one in ours]:
            read_alike += 1
            assert [block for _, block in theirs] == [one.block for one in ours], path.name
            for one, (url, _) in zip(ours, theirs, strict=True):
                assert one.fields[b"warc-target-uri"] in (url.encode(), url.encode("latin-1", "replace")), path.name
    assert read_alike >= 18


@pytest.mark.parametrize("is_packed", [False, True])
def test_zstandard_frames_are_read_by_the_dictionary_in_front_of_them(is_packed):
    records = warcs.responses(60)
    dictionary = zstd.train_dict(records, 4000).dict_content
    held = zstd.compress(dictionary) if is_packed else dictionary
    frames = [warcs.zstd_frame(one, dictionary) for one in records]
    data = warcs.skippable_frame(held) + b"".join(frames)
    found = read(data)
    assert [number(record) for record in found] == list(range(60))
    assert found[1].offset == len(warcs.skippable_frame(held)) + len(frames[0])
    assert told(warcs.skippable_frame(held[:100]) + b"".join(frames)) == [DAMAGE]
    assert told(b"".join(frames)) == [DAMAGE]


def test_a_corrupt_zstandard_frame_costs_no_other():
    frames = [warcs.zstd_frame(one) for one in FOUR]
    for at in range(0, len(frames[1]), 5):
        found = told(b"".join([frames[0], warcs.damaged(frames[1], at, 1), *frames[2:]]))
        assert [one for one in found if one in (0, 2, 3)] == [0, 2, 3]
        assert DAMAGE in found


def test_foreign_frames_between_records_are_passed():
    frames = [warcs.zstd_frame(one) for one in FOUR]
    odd = b"\x50\x2a\x4d\x18\x03\0\0\0abc"
    assert told(odd.join(frames)) == [0, 1, 2, 3]


def test_texts_of_wet_files_become_texts(tmp_path, pool):
    text = "Grüße aus der Mühle <meta charset=latin-1>\r\nZweite Zeile\n".encode()
    latin = "Grüße".encode("latin-1")
    data = warcs.members(
        [
            warcs.record("warcinfo", b"", None),
            warcs.record("conversion", text, "http://example.org/1", Content_Type="text/plain"),
            warcs.record("conversion", latin, "http://example.org/2", Content_Type="text/plain; charset=ISO-8859-1"),
        ]
    )
    first, second = documents(data, tmp_path / "x.warc.wet.gz", pool)
    assert first[schema.TEXT] == "Grüße aus der Mühle <meta charset=latin-1>\nZweite Zeile"
    assert (first[schema.CHARSET], first[schema.CHARSET_SOURCE], first[schema.STATUS]) == ("utf-8", "warc", None)
    assert (first[schema.MIME], first[schema.BODY_BYTES]) == ("text/plain", len(text))
    assert (second[schema.TEXT], second[schema.CHARSET]) == ("Grüße", "windows-1252")


def test_mojibake_is_repaired_only_when_it_is_asked_for(tmp_path):
    page = warcs.page("GrÃ¼ÃŸe aus der MÃ¼hle. “Quoted” ﬁne. " + warcs.PROSE)
    data = warcs.record("response", warcs.http(page))
    (as_it_is,) = documents(data, tmp_path / "a.warc")
    (repaired,) = documents(data, tmp_path / "a.warc", settings=FAST.model_copy(update={"repair_mojibake": True}))
    assert as_it_is[schema.TEXT].startswith("GrÃ¼ÃŸe aus der MÃ¼hle. “Quoted” ﬁne.")
    assert repaired[schema.TEXT].startswith("Grüße aus der Mühle. “Quoted” ﬁne.")
    assert "ftfy" not in extractor_versions(FAST)
    assert "ftfy" in extractor_versions(ExtractSettings(repair_mojibake=True))


def test_lines_are_repaired_each_for_itself():
    assert repair("GrÃ¼ÃŸe\nübrigens\nplain") == "Grüße\nübrigens\nplain"
    assert (repair(None), repair(""), repair("a\n")) == (None, "", "a\n")


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"HTTP/2 200", 200),
        (b"HTTP/2 200 ", 200),
        (b"HTTP/2.0 200 OK", 200),
        (b"HTTP/3 404", 404),
        (b"HTTP/1.1  200 OK", 200),
        (b"http/1.1 200", 200),
        (b"HTTP/1.1 2000 OK", None),
        (b"HTTP/2", None),
        (b"HTTP/1.1 \xb2\xb0\xb0", None),
    ],
)
def test_status_lines(line, status):
    block = line + b"\r\ncontent-type: text/html\r\n\r\n<p>"
    response = parse_response(block, len(block), KEPT)
    assert response.status == status
    if status:
        assert (response.media_type, response.body) == ("text/html", b"<p>")


def test_a_file_of_zip_is_told_and_wacz_with_it(tmp_path, pool):
    (row,) = documents(b"PK\x03\x04" + bytes(100), tmp_path / "x.wacz", pool)
    assert row[schema.FATE] == fates.UNSUPPORTED


def hostile_length(*lengths):
    lines = b"".join(b"Content-Length: %b\r\n" % one for one in lengths)
    block = warcs.http(warcs.page())
    return b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://example.org/9\r\n" + lines + b"\r\n" + block


SIZE = b"%d" % len(warcs.http(warcs.page()))
HOSTILE = {
    "header of 10 MB": b"WARC/1.0\r\nWARC-Type: response\r\n" + b"X-Y: " + b"a" * (10 << 20) + b"\r\n\r\n",
    "header of many lines": b"WARC/1.0\r\nWARC-Type: response\r\n" + b"x: y\r\n" * 200_000 + b"\r\n",
    "header without end": b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 5",
    "lines of colons": b"WARC/1.0\r\nWARC-Type: response\r\n" + b":\r\n" * 99_999 + b"\r\n",
    "minus one": hostile_length(b"-1"),
    "huge": hostile_length(b"9" * 18),
    "beyond 64 bits": hostile_length(b"9" * 400),
    "empty": hostile_length(b""),
    "two that contradict": hostile_length(b"7", SIZE),
    "plus": hostile_length(b"+5"),
    "other digits": hostile_length("٣".encode()),
    "NULs in the header": b"WARC/1.0\r\nWARC-Type: res\0ponse\r\nContent-Length: 5\0\r\n\r\nabcde\r\n\r\n",
    "NULs": bytes(3000),
    "version only": b"WARC/1.0\r\n\r\n" * 50,
    "no type": b"WARC/1.0\r\nContent-Length: 3\r\n\r\nabc",
    "many magics": b"\x1f\x8b\x08" * 5000 + b"\x28\xb5\x2f\xfd" * 5000,
    "foreign member": warcs.member(b"<html>no record</html>"),
    "member of members": warcs.member(warcs.member(warcs.response(9))),
}


@pytest.mark.parametrize("pack", [warcs.members, b"".join, PACKINGS["zstd"], PACKINGS["lz4"]])
@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_cost_no_neighbour(pack, hostile):
    found = told(pack([FOUR[0]]) + pack([hostile]) + pack(FOUR[1:]))
    assert [one for one in found if one in (0, 1, 2, 3)] == [0, 1, 2, 3]
    raw = told(pack([FOUR[0]]) + hostile + pack(FOUR[1:]))
    assert [one for one in raw if one in (0, 1, 2, 3)] == [0, 1, 2, 3]


@packings
def test_of_two_lengths_the_first_is_taken(pack):
    block = warcs.http(warcs.page())
    data = pack([hostile_length(SIZE, b"7") + b"\r\n\r\n", FOUR[1]])
    assert told(data) == [9, 1]
    assert read(data)[0].block == block


@packings
def test_a_record_in_the_block_of_another_is_part_of_it(pack):
    outer = warcs.record("response", warcs.http(warcs.response(7)), "http://example.org/8")
    assert told(pack([FOUR[0], outer, FOUR[1]])) == [0, 8, 1]


def test_a_member_is_whole_only_if_nothing_follows_it():
    packed = warcs.member(FOUR[0])
    assert unpack_whole_gzip(packed) == FOUR[0]
    ends = [packed + packed[-size:] for size in range(1, 30)] + [packed + bytes(size) for size in range(1, 9)]
    zeros = warcs.member(b"")
    ends += [zeros + bytes(size) for size in range(1, 9)]
    for odd in (*ends, packed[:-1], packed + b"x", packed + bytes(4) + packed[-8:], packed * 2, b""):
        assert unpack_whole_gzip(odd) is None
    assert unpack_whole_gzip(warcs.member(bytes(2 << 20))) is None


def bomb(megabytes):
    """Return a gzip member of a response of so many MB of zeros."""
    packer = zlib.compressobj(9, wbits=31)
    head = warcs.record("response", b"", length=len(warcs.http(b"")) + (megabytes << 20))[:-4]
    pieces = [packer.compress(head + warcs.http(b""))]
    pieces += [packer.compress(bytes(1 << 20)) for _ in range(megabytes)]
    return b"".join([*pieces, packer.compress(b"\r\n\r\n"), packer.flush()])


def test_records_of_100_mb_take_little_memory(tmp_path):
    """A gzip bomb of 500 MB, then 100 MB in several packings, whole and cut off; the process tells its peak."""
    block = warcs.http(b"<p>" + os.urandom(1 << 10) * (100 << 10))
    large = warcs.record("response", block)
    files = {"bomb": bomb(500) + warcs.member(FOUR[0])}
    for name in ("member per record", "not compressed", "zstd", "lz4"):
        files[name] = PACKINGS[name]([large, FOUR[0]])
    for name in ("member per record", "not compressed"):
        files[f"{name}, cut off"] = files[name][: -len(PACKINGS[name](FOUR[:1])) - 1000]
    files["arc"] = b"".join([*warcs.arc(0), warcs.arc_record(block), warcs.arc_record(warcs.http(warcs.page()))])
    for index, data in enumerate(files.values()):
        (tmp_path / f"{index}.warc").write_bytes(data)
    code = f"""
        from pathlib import Path
        from gristmill.crawl.extract import Extraction
        from gristmill.crawl.records import WholeFile
        from gristmill.crawl.settings import ExtractSettings
        for number in range({len(files)}):
            path = Path({str(tmp_path)!r}) / f"{{number}}.warc"
            rows = [fate for batch in Extraction(WholeFile(str(path), "s"), ExtractSettings(extractor="resiliparse"))
                    for fate in batch["fate"].to_pylist()]
            print(*rows, sep=",")
        print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    *found, peak = done.stdout.split()
    for name, rows in zip(files, found, strict=True):
        assert rows == (fates.DAMAGED if "cut off" in name else f"{fates.TOO_LARGE},None"), name
    assert int(peak) < 400 * 1000


def test_one_length_that_lies_does_not_hold_the_file_in_memory():
    data = warcs.response(0, b"", length=1 << 40) + bytes(30 << 20)
    one = WarcReader(io.BytesIO(data), len(data), 1000)
    assert [record.type for record in one] == [DAMAGE]
    assert len(one._window._buffer) < 4 << 20
