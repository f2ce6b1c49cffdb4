"""The files that a recipe's source names: those of a crawl, of lists of paths, of globs and URLs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import NamedTuple

from gristmill.access.fetch import is_http
from gristmill.access.settings import AccessSettings
from gristmill.access.source import read_source
from gristmill.access.store import glob, is_local
from gristmill.crawl.access import commoncrawl
from gristmill.errors import AccessError, CorruptError, MissingError, UsageError
from gristmill.pipeline.lookups import Lookups
from gristmill.pipeline.settings import SourceSettings
from gristmill.pipeline.storage import located

_LISTS = (".paths", ".paths.gz")
_HTTP_GLOB = re.compile(r"[*\[]")  # a ? there begins a query


class File(NamedTuple):
    """A file of the source: its path or URL, and its path within Common Crawl if that has published it."""

    url: str
    published: str | None = None


def find_files(source: SourceSettings, access: AccessSettings, lookups: Lookups) -> list[File]:
    """Return the files that a source names, each once, sorted by where they lie.

    Raises MissingError for what is not there, AccessError, CorruptError.
    """
    finder = _Finder(source, access, lookups)
    found = finder.of_crawl(source.crawl) if source.crawl else finder.of_patterns()
    once = {file.published or file.url: file for file in found}
    return sorted(once.values())


def take(files: list[File], source: SourceSettings) -> list[File]:
    """Return the files that are to be taken, sorted. Raises UsageError if there are fewer."""
    if source.take is None:
        return files
    if source.take > len(files):
        raise UsageError(f"source.take is {source.take}, but the source has {len(files)} files")
    by_path = {file.published or file.url: file for file in files}
    return sorted(by_path[path] for path in commoncrawl.spread(by_path, source.seed)[: source.take])


class _Finder:
    """Finds a source's files."""

    def __init__(self, source: SourceSettings, access: AccessSettings, lookups: Lookups) -> None:
        self._source = source
        self._base = absolute(source.base).rstrip("/")
        self._access = access
        self._lookups = lookups

    def of_crawl(self, crawl: str) -> list[File]:
        """Return the files of a crawl, or of its segments that the source names."""
        urls = self._of_list(commoncrawl.paths_url(self._base, crawl, self._source.kind), self._base, crawl)
        there = sorted({commoncrawl.segment_of(url) for url in urls})
        for segment in self._source.segments:
            if segment not in there:
                near = ", ".join(get_close_matches(segment, there, cutoff=0.0))
                raise MissingError(f"crawl '{crawl}' has no segment '{segment}' among its {len(there)}, such as {near}")
        wanted = self._source.segments or there
        return [self._file(url) for url in urls if commoncrawl.segment_of(url) in wanted]

    def of_patterns(self) -> Iterator[File]:
        """Yield the files that paths, globs, URLs and lists name."""
        for pattern in self._source.warc:
            for url in self._matches(pattern):
                yield from map(self._file, self._of_list(url, self._base) if url.endswith(_LISTS) else [url])

    def _file(self, url: str) -> File:
        return File(url, commoncrawl.published_path(url, (self._base,)))

    def _of_list(self, url: str, base: str, crawl: str | None = None) -> list[str]:
        """Return the URLs that a list of paths from ``base`` on names; a list elsewhere is asked for once and kept."""
        is_here = not is_http(url) and is_local(located(url)[0])
        data = self._read_list(url, crawl) if is_here else self._lookups.get(_kept_name(url), self._asked(url, crawl))
        return [_entry(path, base, url, is_here) for path in commoncrawl.parse_paths(data, url)]

    def _asked(self, url: str, crawl: str | None) -> Callable[[], bytes]:
        """Return what asks for a list; what is kept does not depend on how the list was packed."""
        return lambda: "\n".join([*commoncrawl.parse_paths(self._read_list(url, crawl), url), ""]).encode()

    def _read_list(self, url: str, crawl: str | None) -> bytes:
        try:
            return read_source(url, self._access)
        except (MissingError, AccessError) as error:
            if crawl is None:
                raise
            raise commoncrawl.missing_crawl(crawl, self._base, self._access, error) from error

    def _matches(self, pattern: str) -> list[str]:
        """Return the URLs of the files that a path, glob or URL names. Raises MissingError."""
        published = commoncrawl.published_path(pattern)
        if published is not None and _HTTP_GLOB.search(published):
            return self._published_matches(pattern, published)
        if is_http(pattern):
            if _HTTP_GLOB.search(pattern):
                raise MissingError(f"source.warc: '{pattern}': a web server has no folders; name files or a list")
            return [pattern]
        if not is_local(located(pattern)[0]):
            return glob(pattern, self._access)
        return local_matches(pattern)

    def _published_matches(self, pattern: str, published: str) -> list[str]:
        """Return the files of a crawl that a glob names, by the crawl's own list: nothing else there can be listed."""
        root, kind = pattern.removesuffix(f"/{published}"), PurePosixPath(published).parent.name
        if _HTTP_GLOB.search(kind):
            raise MissingError(f"source.warc: '{pattern}' must name the kind of its files, as in …/warc/*.warc.gz")
        crawl = published.split("/")[1]
        urls = self._of_list(f"{root}/crawl-data/{crawl}/{kind}.paths.gz", root, crawl)
        found = [url for url in urls if PurePosixPath(url).match(published)]
        if not found:
            raise MissingError(f"source.warc: '{pattern}' matches none of the {len(urls)} files of its crawl")
        return found


def local_matches(pattern: str) -> list[str]:
    """Return the paths of this machine's files that a path or glob names. Raises MissingError if it names none."""
    filesystem, path = located(pattern)
    if any(character in path for character in "*?["):
        paths = [found for found in filesystem.glob(path) if filesystem.isfile(found)]
    else:
        paths = [path] if filesystem.isfile(path) else []
    if not paths:
        hint = f"; write '{pattern.rstrip('/')}/*.warc.gz' for what is in it" if filesystem.isdir(path) else ""
        raise MissingError(f"source.warc: '{pattern}' matches no file{hint}")
    return paths


def _entry(path: str, base: str, url: str, is_here: bool) -> str:
    """Return the URL of a list's entry; a list that lies elsewhere names no file of this machine."""
    if "://" not in path and "::" not in path:
        return path if is_here and path.startswith("/") else f"{base}/{path.lstrip('/')}"
    if is_here or is_http(path) or path.split("://")[0] == url.split("://")[0]:
        return path
    raise CorruptError(f"{url} names '{path[:80]}', which does not lie where the list does")


def absolute(base: str) -> str:
    """Return a base as any process can open it, whatever folder it works in."""
    if is_http(base):
        return base
    filesystem, path = located(base)
    return path if is_local(filesystem) else base


def _kept_name(url: str) -> str:
    """Return the name under which a list is kept: its own, and a digest of where it lies."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", "-".join(url.split("/")[-2:]))[-80:].lstrip("._-")
    return f"{hashlib.blake2b(url.encode(), digest_size=4).hexdigest()}-{name.removesuffix('.gz')}"
