"""How Common Crawl lies on a server, in a bucket or in a mirror's folder: crawls, lists of paths, segments.

    <base>/crawl-data/<crawl>/{warc,wet}.paths.gz                         one path from <base> on in each line
    <base>/crawl-data/<crawl>/segments/<segment>/{warc,wet}/<file>.gz

What a crawl published never changes, so a file of it is known by its path.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from gristmill.access.policy import Fault
from gristmill.access.settings import DEFAULT_ACCESS, AccessSettings
from gristmill.access.source import read_source
from gristmill.crawl.settings import BASE
from gristmill.errors import AccessError, CorruptError, MissingError

Kind = Literal["warc", "wet"]

_OFFICIAL = (BASE, "s3://commoncrawl", "https://commoncrawl.s3.amazonaws.com")
_INDEX = "https://index.commoncrawl.org"
_PUBLISHED = re.compile(r"crawl-data/CC-[A-Z]+[A-Za-z0-9-]*/.+")
_SEGMENT = re.compile(r"/segments/([^/]+)/")
_CRAWL = re.compile(r"(?<![A-Za-z0-9])CC-MAIN-\d{4}-\d{2}(?![A-Za-z0-9])")
_GZIP_MAGIC = b"\x1f\x8b"
_LIST_BYTES = 1 << 28
_GZIP = 31


class Crawl(NamedTuple):
    """A crawl that collinfo.json lists; dates as it writes them, empty where it does not."""

    id: str
    name: str
    start: str
    end: str


def crawls(base: str = BASE, access: AccessSettings = DEFAULT_ACCESS) -> list[Crawl]:
    """Return the crawls there are, newest first. Raises MissingError, AccessError, CorruptError."""
    url = collinfo_url(base)
    try:
        found: Any = json.loads(read_source(url, access))
        return [Crawl(*(_shown(entry.get(key, "")) for key in ("id", "name", "from", "to"))) for entry in found]
    except (ValueError, AttributeError, TypeError) as error:
        raise CorruptError(f"{url} is no list of crawls: {error}") from error


def one_crawl(base: str, crawl: str, access: AccessSettings = DEFAULT_ACCESS) -> Crawl:
    """Return the crawl of a name. Raises MissingError naming the nearest ones, and as `crawls` does."""
    known = crawls(base, access)
    found = next((other for other in known if other.id == crawl), None)
    if found is None:
        raise MissingError(f"there is no crawl '{crawl}' at {base}{_nearest(crawl, [other.id for other in known])}")
    return found


def count_files(base: str, crawl: str, kind: Kind, access: AccessSettings = DEFAULT_ACCESS) -> int:
    """Return how many files of a kind a crawl has; 0 where it has no list of them. Raises AccessError, CorruptError."""
    url = paths_url(base, crawl, kind)
    try:
        return len(parse_paths(read_source(url, access), url))
    except MissingError:
        return 0


def collinfo_url(base: str) -> str:
    """Return where the list of crawls lies: at the index's own address for Common Crawl's, else beside the crawls.

    >>> collinfo_url("/mirror")
    '/mirror/collinfo.json'
    """
    return f"{_INDEX if base.rstrip('/') in _OFFICIAL else base.rstrip('/')}/collinfo.json"


def paths_url(base: str, crawl: str, kind: Kind) -> str:
    """Return where the list of a crawl's files lies."""
    return f"{base.rstrip('/')}/crawl-data/{crawl}/{kind}.paths.gz"


def missing_crawl(crawl: str, base: str, access: AccessSettings, cause: Exception) -> Exception:
    """Return the error for a crawl whose list of files cannot be read: the nearest crawls, if there is none such."""
    fault = cause.__cause__
    if isinstance(cause, AccessError) and not (isinstance(fault, Fault) and fault.is_refusal):
        return cause
    try:
        known = [other.id for other in crawls(base, access)]
    except (AccessError, MissingError, CorruptError):
        known = []
    if crawl in known or not (known or isinstance(cause, MissingError)):
        return cause
    return MissingError(f"there is no crawl '{crawl}' at {base}{_nearest(crawl, known) if known else f' ({cause})'}")


def parse_paths(data: bytes, url: str) -> list[str]:
    """Return the lines of a list of paths, packed or not. Raises CorruptError unless each is a path or URL."""
    text = _unpacked(data, url).decode("utf-8", "replace")
    paths = [line.strip() for line in text.split("\n") if line.strip()]
    for number, path in enumerate(paths, 1):
        if not path.isprintable() or ".." in path.split("/"):
            raise CorruptError(f"{url}: line {number} is no path: {path[:80]!r}")
    return paths


def published_path(url: str, bases: Sequence[str] = ()) -> str | None:
    """Return a file's path within Common Crawl, if it lies below an address of it or one of ``bases``; else None.

    >>> published_path("s3://commoncrawl/crawl-data/CC-MAIN-2024-51/segments/1/warc/a.warc.gz")
    'crawl-data/CC-MAIN-2024-51/segments/1/warc/a.warc.gz'
    """
    for base in (*bases, *_OFFICIAL):
        path = url.removeprefix(f"{base.rstrip('/')}/")
        if path != url and is_published_path(path):
            return path
    return None


def is_published_path(path: str) -> bool:
    """Return whether a path can be one within Common Crawl, and leads out of no folder."""
    return _PUBLISHED.fullmatch(path) is not None and not {"", ".", ".."} & set(path.split("/"))


def published_fingerprint(path: str) -> str:
    """Return 32 hex digits that stand for the bytes of a file of a crawl, wherever it was read from."""
    return hashlib.blake2b(b"published\0" + path.encode(), digest_size=16).hexdigest()


def crawl_of(address: str) -> str | None:
    """Return the crawl that an address or a name tells, the last one; None if it tells none.

    >>> crawl_of("s3://commoncrawl/crawl-data/CC-MAIN-2024-51/segments/1/warc/CC-MAIN-20241201162023-00001.warc.gz")
    'CC-MAIN-2024-51'
    """
    found = _CRAWL.findall(address)
    return found[-1] if found else None


def segment_of(path: str) -> str:
    """Return the segment in a path within a crawl; empty if it names none."""
    found = _SEGMENT.search(path)
    return found[1] if found else ""


def spread(paths: Iterable[str], seed: int) -> list[str]:
    """Return paths in an order of which any beginning is spread over the segments as evenly as can be.

    The first of each segment come first, then the second of each, and so on. Segments, and the paths of each, are
    ordered by a hash of the seed and their name, so that more of them always include the fewer.
    """
    segments: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(set(paths), key=lambda path: (_hash(seed, path), path)):
        segments[segment_of(path)].append(path)
    order = sorted(segments, key=lambda segment: (_hash(seed, segment), segment))
    turns = ((turn, place, path) for place, name in enumerate(order) for turn, path in enumerate(segments[name]))
    return [path for _, _, path in sorted(turns)]


def _nearest(crawl: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(crawl, known, n=3, cutoff=0.6) or known[:3]
    return f"; the nearest are: {', '.join(near)}"


def _shown(value: object) -> str:
    """Return what a server says in characters that a terminal only prints."""
    return "".join(character if character.isprintable() else "\ufffd" for character in str(value))


def _hash(seed: int, name: str) -> bytes:
    return hashlib.blake2b(f"{seed}\0{name}".encode(), digest_size=16).digest()


def _unpacked(data: bytes, url: str) -> bytes:
    """Return a list's text. Raises CorruptError if it is cut off, or larger than 256 MiB."""
    pieces, size = [], 0
    while data[:2] == _GZIP_MAGIC:
        inflater = zlib.decompressobj(_GZIP)
        try:
            pieces.append(inflater.decompress(data, _LIST_BYTES - size + 1))
        except zlib.error as error:
            raise CorruptError(f"{url} is damaged: {error}") from error
        size += len(pieces[-1])
        if size > _LIST_BYTES or not inflater.eof:
            raise CorruptError(f"{url} is {'too large' if size > _LIST_BYTES else 'cut off'}: {size:,} bytes unpacked")
        data = inflater.unused_data
    return b"".join(pieces) if pieces else data
