"""Mutated records of real crawls, in every packing, end in rows, and cost no neighbour; each seed is a case."""

import gzip
import io
import random
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import warcs
from test_warc import PACKINGS

from gristmill import schema
from gristmill.crawl import fates
from gristmill.crawl.extract import Extraction
from gristmill.crawl.extraction.pool import Pool
from gristmill.crawl.extraction.protocol import Page
from gristmill.crawl.records import Origin, WholeFile
from gristmill.crawl.rows import TYPES_WITH_ROWS, draft
from gristmill.crawl.settings import ExtractSettings
from gristmill.crawl.urls.gate import Gate
from gristmill.crawl.warc.reader import WarcReader
from gristmill.crawl.warc.record import DAMAGE, TYPES, UNSUPPORTED

ORIGIN = Origin("fuzz", "fuzz.warc")
CASES = 5200
EXTRACTED = 400
FAST = ExtractSettings(extractor="resiliparse", max_body=1 << 20)
LONGEST = 1 << 16
PACKED = [PACKINGS[name] for name in ("member per record", "not compressed", "zstd", "lz4", "one member")]
WRONG_LENGTHS = [b"0", b"-1", b"", b"7", b"ten", b"1e3", b"99999999999", b"9" * 40, b"12, 34", b"0x20"]
WRONG_HEADERS = [
    b"Content-Encoding: gzip",
    b"Content-Encoding: br, zstd, deflate, gzip",
    b"Transfer-Encoding: chunked",
    b"Content-Type: text/html; charset=utf-7",
    b"Content-Type: \xff\xfe",
    b"Content-Length: -1",
    b"Date: Thu, 99 Foo 99999 99:99:99 GMT",
    b": nameless",
    b"\0\0",
    b"no colon " * 500,
]


@pytest.fixture(scope="module")
def real_records():
    """Return records of real crawls, or made ones where there is no such crawl."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data" / "warc"
    records = []
    for path in sorted(folder.glob("*.warc.gz"))[:1]:
        data = gzip.decompress(path.read_bytes())
        starts = [found.start() for found in re.finditer(rb"WARC/1\.0\r\nWARC-", data)]
        records += [data[start:end] for start, end in pairwise(starts) if end - start < LONGEST]
    return records or warcs.responses(50)


def bits(rng, record, others):
    changed = bytearray(record)
    for _ in range(rng.choice([1, 1, 3, 50])):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def head_bits(rng, record, others):
    end = max(1, record.find(b"\r\n\r\n"))
    return bits(rng, record[:end], others) + record[end:]


def cut(rng, record, others):
    return record[: rng.randrange(1, len(record))]


def inserted(rng, record, others):
    at = rng.randrange(len(record))
    return (
        record[:at]
        + rng.choice([rng.randbytes(rng.randrange(300)), b"\0" * 99, b"\r\n\r\n", b"WARC/1.0\r\n"])
        + record[at:]
    )


def deleted(rng, record, others):
    at = rng.randrange(len(record))
    return record[:at] + record[at + rng.randrange(1, 400) :]


def wrong_length(rng, record, others):
    return re.sub(
        rb"(?i)(\ncontent-length: )\d+", rb"\g<1>" + rng.choice(WRONG_LENGTHS), record, count=rng.choice([1, 2])
    )


def swapped_head(rng, record, others):
    head, between, _ = rng.choice(others).partition(b"\r\n\r\n")
    return head + between + record.partition(b"\r\n\r\n")[2]


def spliced(rng, record, others):
    other = rng.choice(others)
    return record[: rng.randrange(len(record))] + other[rng.randrange(len(other)) :]


def wrong_header(rng, record, others):
    """Lie about the body: the record stays whole."""
    head, between, block = record.partition(b"\r\n\r\n")
    first, newline, rest = block.partition(b"\r\n")
    line = rng.choice(WRONG_HEADERS) + b"\r\n"
    head = re.sub(rb"(?i)(\ncontent-length: )(\d+)", lambda m: m[1] + b"%d" % (int(m[2]) + len(line)), head)
    return head + between + first + newline + line + rest


def reordered(rng, record, others):
    head, between, block = record.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    rng.shuffle(lines)
    return b"\r\n".join([first, *lines, *rng.sample(lines, rng.choice([0, 1]))]) + between + block


MUTATIONS = [
    bits, head_bits, cut, inserted, deleted, wrong_length, swapped_head, spliced, wrong_header, reordered,
]  # fmt: skip


def case(seed, records):
    """Return a file of a whole record, a mutated one and a whole one, with the URLs of the first and the last."""
    rng = random.Random(seed)
    victim, *others = (rng.choice(records) for _ in range(4))
    mutated = rng.choice(MUTATIONS)(rng, victim, others)
    pack = rng.choice(PACKED)
    first, last = (warcs.response(number) for number in (1_000_001, 1_000_002))
    piece = pack([mutated])
    if rng.random() < 0.3 and pack is not PACKINGS["not compressed"]:
        piece = rng.choice([bits, cut, inserted, deleted])(rng, piece, others)
    return pack([first]) + piece + pack([last])


def urls(records):
    return [record.fields.get(b"warc-target-uri", b"") for record in records]


def test_mutated_records_end_in_rows_and_cost_no_neighbour(real_records):
    told, with_pages = Counter(), 0
    for seed in range(CASES):
        data = case(seed, real_records)
        records = list(WarcReader(io.BytesIO(data), len(data), 1 << 20))
        offsets = [record.offset for record in records]
        assert offsets == sorted(set(offsets)), seed
        assert {record.type for record in records} <= TYPES | {DAMAGE, UNSUPPORTED}, seed
        found = [url for record, url in zip(records, urls(records), strict=True) if record.type == "response"]
        assert found[0].endswith(b"/1000001"), seed
        assert found[-1].endswith(b"/1000002"), seed
        for record in records:
            if record.type in TYPES_WITH_ROWS:
                _, page_or_fate = draft(ORIGIN, record, FAST, Gate())
                with_pages += isinstance(page_or_fate, Page)
                assert isinstance(page_or_fate, Page) or page_or_fate in fates.REASONS, seed
        told.update(record.type for record in records)
    assert told[DAMAGE] > CASES / 3
    assert with_pages > CASES


def test_mutated_pages_are_extracted_or_have_a_fate(real_records, tmp_path):
    path, found = tmp_path / "fuzz.warc", Counter()
    with Pool(FAST) as pool:
        for start in range(0, EXTRACTED, 50):
            path.write_bytes(
                b"".join(warcs.member(case_record(seed, real_records)) for seed in range(start, start + 50))
            )
            for batch in Extraction(WholeFile(str(path), "fuzz"), FAST, pool):
                for row in batch.to_pylist():
                    assert (row[schema.TEXT] is None) != (row[schema.FATE] is None)
                    found[row[schema.FATE]] += 1
    assert set(found) <= {None, *fates.REASONS}
    assert found[None] > EXTRACTED / 20
    assert not found[fates.CRASHED]


def case_record(seed, records):
    rng = random.Random(seed)
    pages = [record for record in records if b"WARC-Type: response" in record]
    others = [rng.choice(pages) for _ in range(3)]
    return rng.choice(MUTATIONS)(rng, rng.choice(pages), others)
