"""A query carried out: the index of a crawl is asked, by either of its two ways, for the places of records."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pyarrow as pa

from gristmill.access.fetch import NotThere, client
from gristmill.access.settings import AccessSettings
from gristmill.access.source import open_source, read_source
from gristmill.crawl.access.commoncrawl import missing_crawl, parse_paths
from gristmill.crawl.index import cdx
from gristmill.crawl.index.answer import Answer, is_safe_path
from gristmill.crawl.index.columnar import IndexFile, as_ranges
from gristmill.crawl.index.conditions import FILE, Condition, conditions
from gristmill.crawl.index.scan import Scan
from gristmill.crawl.index.settings import IndexSettings
from gristmill.errors import AccessError, CorruptError, MissingError, UsageError

_FILES_AT_ONCE = 4
_MOST_OF_A_PAGE = 1 << 28


class Place(NamedTuple):
    """A crawl: its name, where it lies, and how it is asked."""

    crawl: str
    base: str
    access: AccessSettings

    def url(self, path: str) -> str:
        """Return the address of a file of a crawl."""
        return f"{self.base.rstrip('/')}/{path}"


class Found(NamedTuple):
    """An answer: the records (`schema.RANGES`), sorted by file and offset, and what was read for it, in words."""

    records: pa.Table
    read: str


def search(place: Place, settings: IndexSettings) -> Found:
    """Return the records of a crawl that satisfy a query.

    Raises UsageError for none or too many, MissingError for a crawl without an index, CorruptError, AccessError.
    """
    answer = Answer(settings.limit, settings.seed)
    scan = _ask_columnar(place, settings, answer) if settings.via == "columnar" else _ask_cdx(place, settings, answer)
    records = answer.finish()
    if not records.num_rows:
        raise UsageError(_nothing_found(place.crawl, settings, scan))
    return Found(records, scan.words)


def _ask_columnar(place: Place, settings: IndexSettings, answer: Answer) -> Scan:
    """Read the Parquet files of a crawl's index into the answer, several at once."""
    wanted, lock = conditions(settings), threading.Lock()

    def read(path: str) -> Scan:
        url = place.url(path)
        file, size = open_source(url, place.access)
        with file:
            found = IndexFile(file, size or 0, url)
            for table in found.rows(wanted):
                with lock:
                    answer.add(table)
        return found.scan

    whole = Scan()
    with ThreadPoolExecutor(_FILES_AT_ONCE) as threads:
        try:
            for scan in threads.map(read, _index_files(place, settings)):
                whole.add(scan)
        except BaseException:
            threads.shutdown(wait=True, cancel_futures=True)
            raise
    return whole


def _index_files(place: Place, settings: IndexSettings) -> list[str]:
    """Return the paths of the Parquet files that can hold what is wanted."""
    url = place.url(f"crawl-data/{place.crawl}/cc-index-table.paths.gz")
    try:
        paths = parse_paths(read_source(url, place.access), url)
    except (MissingError, AccessError) as error:
        raise missing_crawl(place.crawl, place.base, place.access, error) from error
    for path in paths:
        if not is_safe_path(path):
            raise CorruptError(f"{url} names a file '{path[:100]}', which is no path of a crawl")
    wanted = [path for path in paths if any(f"/subset={subset}/" in path for subset in settings.subsets)]
    if not wanted:
        raise UsageError(
            f"the index of {place.crawl} has no files of {', '.join(settings.subsets)} (source.index.subsets)"
        )
    return wanted


def _ask_cdx(place: Place, settings: IndexSettings, answer: Answer) -> Scan:
    """Ask the CDX server into the answer, one page after the other, as its keepers wish."""
    wanted, scan = conditions(settings), Scan()
    for question in cdx.questions(cdx.server(place.base), place.crawl, settings):
        for page in _pages(question, place):
            scan.pages += 1
            scan.lines += page.num_rows
            table = _narrowed(page, settings, wanted, scan)
            if table.num_rows:
                answer.add(as_ranges(table))
    return scan


def _pages(question: str, place: Place) -> Iterator[pa.Table]:
    """Yield the pages of the answer to a question; none if nothing was found."""
    count = f"{question}&showNumPages=true"
    data = _answer_of(count, place)
    for page in range(0 if data is None else cdx.page_count(data, count)):
        url = f"{question}&page={page}"
        data = _answer_of(url, place)
        if data is not None:
            yield cdx.parse_page(data, url)


def _answer_of(url: str, place: Place) -> bytes | None:
    """Return what the server answers; None if it found nothing."""
    try:
        return client(place.access).read(url, _MOST_OF_A_PAGE)
    except NotThere as error:
        if cdx.says_nothing_found(error.answer):
            return None
        raise


def _narrowed(page: pa.Table, settings: IndexSettings, wanted: Sequence[Condition], scan: Scan) -> pa.Table:
    """Return the captures that satisfy all conditions, and count those left after each."""
    in_subset = [any(f"/{subset}/" in path for subset in settings.subsets) for path in page.column(FILE).to_pylist()]
    page = page.filter(pa.array(in_subset, pa.bool_()))
    for condition in wanted:
        page = page.filter(pa.array(condition.holds(page.column(condition.column).combine_chunks())))
        scan.left[condition.name] = scan.left.get(condition.name, 0) + page.num_rows
    return page


def _nothing_found(crawl: str, settings: IndexSettings, scan: Scan) -> str:
    """Return the message for an answer without records: which condition leaves none."""
    named = f"the index query leaves no record of {crawl}"
    if settings.via == "cdx" and not scan.lines:
        asked = [condition.name for condition in conditions(settings)]
        return f"{named}: the CDX server has no capture that satisfies {' and '.join(asked)} together"
    last = scan.nothing_left_after
    if last is None:
        return f"{named}: its index is empty in {', '.join(settings.subsets)} (source.index.subsets)"
    before = list(scan.left)[: list(scan.left).index(last)]
    with_them = f" of those that satisfy {', '.join(before)}" if before else ""
    return f"{named}: no row{with_them} satisfies {last} (source.index.{last.replace(' ', '_')}); {scan.words}"
