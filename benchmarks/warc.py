"""Reading WARCs with a fate for every record, against plain iteration with fastwarc, on one core.

    python benchmarks/warc.py WARC ... [--rounds 7]

Ours is every record read and checked, and every row drafted: URL, dates, status, media type, the body without chunks
and compression, and the fate of what has no page. fastwarc's is ``for record in ArchiveIterator(file)``: as it is by
default (HTTP headers parsed, payloads passed over), without parsing HTTP, and with every payload read. Runs take turns;
medians of CPU time are printed. That nothing is lost is checked before anything is timed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from fastwarc.warc import ArchiveIterator

from gristmill.crawl.http.response import HEAD_BYTES
from gristmill.crawl.records import Origin
from gristmill.crawl.rows import TYPES_WITH_ROWS, draft
from gristmill.crawl.settings import ExtractSettings
from gristmill.crawl.urls.gate import Gate
from gristmill.crawl.warc.reader import WarcReader

SETTINGS = ExtractSettings()
GATE = Gate()
ORIGIN = Origin("shard", "shard.warc.gz")


def with_fates(path: Path) -> int:
    """Return the number of records, having drafted the row of each that has one."""
    count = 0
    with path.open("rb") as file:
        for record in WarcReader(file, path.stat().st_size, SETTINGS.max_body + HEAD_BYTES):
            count += 1
            if record.type in TYPES_WITH_ROWS:
                draft(ORIGIN, record, SETTINGS, GATE)
    return count


def plain(path: Path) -> int:
    """Return the number of records that fastwarc iterates over by default."""
    with path.open("rb") as file:
        return sum(1 for _ in ArchiveIterator(file))


def without_http(path: Path) -> int:
    """Return the same without parsing HTTP headers."""
    with path.open("rb") as file:
        return sum(1 for _ in ArchiveIterator(file, parse_http=False))


def with_payloads(path: Path) -> int:
    """Return the same with every payload read."""
    with path.open("rb") as file:
        return sum(1 for record in ArchiveIterator(file) if record.reader.read() is not None)


RUNS: dict[str, Callable[[Path], int]] = {
    "fastwarc, as it is by default": plain,
    "fastwarc, HTTP not parsed": without_http,
    "fastwarc, payloads read": with_payloads,
    "gristmill, with fates": with_fates,
}


def main() -> None:
    """Time each way of reading and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("warcs", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    counts = {name: sum(map(run, options.warcs)) for name, run in RUNS.items()}
    assert len(set(counts.values())) == 1, counts
    records = counts["gristmill, with fates"]
    times: dict[str, list[float]] = {name: [] for name in RUNS}
    for _ in range(options.rounds):
        for name, run in RUNS.items():
            start = time.process_time()
            for path in options.warcs:
                run(path)
            times[name].append(time.process_time() - start)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    print(f"{len(options.warcs)} files, {records} records, {options.rounds} rounds, one core")
    for name, median in medians.items():
        ratio = medians["gristmill, with fates"] / median
        print(f"{name:32}{1e6 * median / records:7.1f} µs a record; ours is {ratio:.2f} times that")


if __name__ == "__main__":
    main()
