"""Every real archive there is, the odd and broken ones too: what is read beside what warcio and fastwarc read."""

import json
from collections import Counter

import pytest

from gristmill.crawl.rows import TYPES_WITH_ROWS
from gristmill.crawl.warc.reader import WarcReader
from gristmill.crawl.warc.record import DAMAGE, UNSUPPORTED

pytestmark = pytest.mark.data

TYPES = TYPES_WITH_ROWS - {DAMAGE, UNSUPPORTED}

DAMAGED_HERE = {
    "webrecorder__example-space-in-url.arc": "the record is two bytes shorter than its length",
    "webrecorder__example-trunc.warc": "the response is cut off, and another record follows it",
    "webrecorder__example-bad-length.warc": "the length reaches into the record that follows",
    "chatnoir-eu__clipped.warc.gz": "the member is cut off",
    "internetarchive__negative_content_length.arc.gz": "one length is negative",
    "netarchivesuite__test-arc-1.0-dashed-fields.arc": "the record has fewer bytes than its length",
    "netarchivesuite__test-arc-1.0-invalid-fields.arc": "the record has fewer bytes than its length",
    "oduwsdl__redirect.warc": "the length goes beyond the end of the file",
}
"""Records that a peer tells as if they were whole. Here they are rows too, with the fate of damage."""

MISSED_BY_WARCIO = {
    "refuses gzip members that hold several records": [
        "webrecorder__example-bad.warc.gz.bad",
        "internetarchive__corrupted-mid-record.warc.gz.open",
        "internetarchive__corrupted-trailing-bytes.warc.gz.open",
        "internetarchive__good.warc.gz.open",
        "internetarchive__skip-non-open.warc.gz",
        "archivesunleashed__badexample.arc.gz",
        "slyrz__test.warc.gz",
        "castorini__segment1.warc.gz",
        "castorini__segment1.warc.wet.gz",
        "castorini__1__segment1.warc.gz",
        "castorini__2__segment1.warc.gz",
    ],
    "does not unpack LZ4 and bzip2": ["chatnoir-eu__warcfile.warc.lz4", "slyrz__test.warc.bz2"],
    "ends at an ARC block that is longer than its length": [
        "commoncrawl__IAH-20080430204825-00000-blackbook-truncated.arc"
    ],
    "does not read version 2 of ARC": ["richardlehane__hello-world2.arc"],
    "ends at a record that is not as it should be": ["richardlehane__invalid-warcrecord-3.warc"],
    "ends at a body packed by brotli": ["ukwa__transfer_compression_brotli.warc"],
    "takes types in capitals for others": ["netarchivesuite__valid-warcfile-upper-lower-case.warc"],
}
MISSED_BY_FASTWARC = {
    "does not read ARC": "*.arc*",
    "does not unpack bzip2": ["slyrz__test.warc.bz2"],
    "ends at an empty gzip member": ["internetarchive__empty-gzips.warc.gz"],
    "takes lines that end in LF alone for one": [
        "oduwsdl__5mementos.warc",
        "oduwsdl__redirectRelative.warc",
        "oduwsdl__slash.warc",
        "slyrz__test.warc.gz",
        "castorini__segment1.warc.gz",
        "castorini__segment1.warc.wet.gz",
        "castorini__1__segment1.warc.gz",
        "castorini__2__segment1.warc.gz",
    ],
    "ends at a record that is not as it should be": [
        "netarchivesuite__valid-warcfile-upper-lower-case.warc",
        "richardlehane__invalid-warcrecord-3.warc",
    ],
}


def named(groups, folder):
    """Return the files of all reasons, patterns resolved."""
    found = set()
    for files in groups.values():
        found.update([path.name for path in folder.glob(files)] if isinstance(files, str) else files)
    return found


def counts(path):
    """Return how many records of each type a file has, after checking that their offsets rise."""
    with path.open("rb") as file:
        records = list(WarcReader(file, path.stat().st_size, 1 << 20))
    offsets = [record.offset for record in records]
    assert offsets == sorted(set(offsets)), path.name
    return Counter(record.type for record in records)


@pytest.mark.parametrize(("peer", "missed"), [("warcio", MISSED_BY_WARCIO), ("fastwarc", MISSED_BY_FASTWARC)])
def test_no_record_that_has_a_row_is_lost(data, peer, missed):
    folder = data / "warc_real"
    manifest = [json.loads(line) for line in (folder / "MANIFEST.jsonl").read_text().splitlines()]
    assert len(manifest) > 150
    more, fewer = set(), set()
    for entry in manifest:
        name, found = entry["file"], counts(folder / entry["file"])
        theirs = Counter((entry.get(peer) or {}).get("types") or {})
        if any(found[kind] < theirs[kind] for kind in TYPES):
            fewer.add(name)
            rows = sum(found[kind] for kind in (*TYPES, DAMAGE))
            assert rows >= sum(theirs[kind] for kind in TYPES), name
        elif any(found[kind] > theirs[kind] for kind in TYPES):
            more.add(name)
    assert fewer <= set(DAMAGED_HERE)
    assert more <= named(missed, folder)
    stale = {name for group in missed.values() if not isinstance(group, str) for name in group} - more
    assert not stale


def test_every_file_is_read(data):
    total = Counter()
    files = [*(data / "warc_real").iterdir(), *(data / "warc").glob("*.warc.gz")]
    for path in files:
        total += counts(path)
    assert total["response"] > 8000
    assert total["conversion"] >= 2
    assert total[UNSUPPORTED] == len(list((data / "warc_real").glob("*.wacz"))) == 2
