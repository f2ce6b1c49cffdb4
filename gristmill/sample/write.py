"""Writing the sample: WARC files, the benchmark that some of its pages quote, and what is true of each page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from pathlib import Path

from gristmill.errors import UsageError
from gristmill.sample.crawl import START, Visit, visits
from gristmill.sample.pages import Page
from gristmill.sample.truth import Written, truth_lines
from gristmill.sample.warc import (
    Fetch,
    gzip_member,
    metadata_record,
    record_id,
    request_record,
    response_record,
    warcinfo_record,
)


@dataclass(frozen=True)
class SampleSummary:
    """What was written: the WARC files in ``folder``, and how many pages of each case they hold."""

    folder: Path
    warcs: tuple[Path, ...]
    pages: int
    hosts: int
    languages: tuple[str, ...]
    cases: Mapping[str, int]


def write_sample(folder: Path, seed: int = 0) -> SampleSummary:
    """Write the sample into a folder, which is made if need be; return what was written.

    Writes `sample-00000.warc.gz` and so on, `benchmark.jsonl` and `truth.jsonl`; files of these names are replaced.
    The same seed gives the same bytes with the same zlib. Raises UsageError if ``folder`` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder to write the sample to")
    folder.mkdir(parents=True, exist_ok=True)
    crawl = visits(seed)
    written: list[Written] = []
    for number, group in groupby(crawl, key=lambda visit: visit.file):
        written += _write_warc(folder / f"sample-{number:05d}.warc.gz", list(group))
    _replace(folder / "benchmark.jsonl", files("gristmill.sample").joinpath("benchmark.jsonl").read_bytes())
    _replace(folder / "truth.jsonl", "".join(f"{line}\n" for line in truth_lines(written)).encode())
    return _summary(folder, written)


def _summary(folder: Path, written: Sequence[Written]) -> SampleSummary:
    pages = [each.page for each in written]
    return SampleSummary(
        folder=folder,
        warcs=tuple(folder / warc for warc in sorted({each.warc for each in written})),
        pages=len(pages),
        hosts=len({page.site.host for page in pages}),
        languages=tuple(sorted({page.language for page in pages if page.language})),
        cases=dict(sorted(Counter(page.case for page in pages).items())),
    )


def _write_warc(path: Path, crawl: Sequence[Visit]) -> list[Written]:
    members: list[bytes] = [gzip_member(warcinfo_record(path.name, START))]
    info = record_id("warcinfo", path.name)
    position = len(members[0])
    written = []
    for visit in crawl:
        for is_response, member in _members(visit, info):
            if is_response:
                written.append(Written(visit.page, path.name, position, visit.date))
            members.append(member)
            position += len(member)
    _replace(path, b"".join(members))
    return written


def _members(visit: Visit, info: str) -> Iterator[tuple[bool, bytes]]:
    """Yield the gzip members of a visit, and whether each is its response; nothing follows a truncated one."""
    fetch = _fetch(visit)
    yield False, gzip_member(request_record(fetch, info))
    media_type = dict(visit.page.headers)["Content-Type"].partition(";")[0]
    response = gzip_member(response_record(fetch, info, media_type))
    if visit.page.damage == "truncated":
        yield True, response[: len(response) * 3 // 5]
        return
    yield True, _damaged(response, visit.page)
    yield False, gzip_member(metadata_record(fetch, info))


def _damaged(member: bytes, page: Page) -> bytes:
    """Return the member with 64 of its bytes overwritten where its page says so, else as it is."""
    if page.damage is None:
        return member
    start = 10 if page.damage == "smashed header" else len(member) // 2
    return member[:start] + b"\xff" * 64 + member[start + 64 :]


def _fetch(visit: Visit) -> Fetch:
    page = visit.page
    headers = [("Date", visit.date.strftime("%a, %d %b %Y %H:%M:%S GMT")), ("Server", "invented"), *page.headers]
    if "Transfer-Encoding" not in dict(page.headers):
        headers.append(("Content-Length", str(len(page.body))))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    start = f"HTTP/1.1 {page.status}\r\n{head}\r\n".encode()
    return Fetch(page.url, page.site.address, visit.date, start + page.body, len(start))


def _replace(path: Path, data: bytes) -> None:
    """Write a file under its name only when it is complete."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(data)
    unfinished.replace(path)
