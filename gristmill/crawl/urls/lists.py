"""Lists as they lie somewhere: found by name, path or URL, told by their bytes, and unpacked in memory only.

A blocklist is a plain file, packed or not; or, in the form of UT1 (University of Toulouse), an archive or a folder with
a folder for each category, which holds ``domains`` and ``urls``. FineWeb's is of that form, without categories, and is
taken from the package that carries it, which is not imported. Nothing of an archive is ever written to disk.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import posixpath
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO, NamedTuple, cast

import fsspec

from gristmill.access.fetch import is_http
from gristmill.access.source import file_name, read_source
from gristmill.crawl.urls.settings import DEFAULT, BlocklistSettings
from gristmill.errors import CorruptError, MissingError, UsageError

UT1_FILES = ("domains", "urls")
LARGEST_BYTES = 2 << 30

_PACKAGE = "datatrove"
_BLOCKLIST_PATTERN = "url_filterblacklists*.tar.gz"
DEFAULT_WORDS = {
    "hard_words": "banned_words.txt",
    "soft_words": "soft_banned_words.txt",
    "substrings": "banned_subwords.txt",
}
_OPENERS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open))
_BLOCK_BYTES = 4 << 20


class ListBytes(NamedTuple):
    """A list's bytes, as they lie: one file, or those of a folder by their names in it.

    ``name`` is what fates call it: that of the file or folder, not where it lies.
    """

    name: str
    files: tuple[tuple[str, bytes], ...]
    categories: tuple[str, ...] | None = None

    @property
    def identity(self) -> list[object]:
        """All that tells it from another list, as JSON values."""
        digests = [[name, hashlib.sha256(content).hexdigest()] for name, content in self.files]
        return [self.name, list(self.categories or ()), digests]


class Part(NamedTuple):
    """One file of a list: how fates call it, whether UT1 names it ``domains`` or ``urls``, and its bytes, unpacked."""

    name: str
    kind: str
    file: IO[bytes]


def read_blocklist(settings: BlocklistSettings) -> ListBytes:
    """Return a blocklist as it lies. Raises MissingError, AccessError, and UsageError for a folder that holds none."""
    if settings.path == DEFAULT:
        name, content = default_blocklist()
        return ListBytes(name, (("lists.tar.gz", content),), settings.categories)
    name = file_name(settings.path) or settings.path
    if is_http(settings.path):
        return ListBytes(name, ((name, read_source(settings.path)),), settings.categories)
    try:
        filesystem, path = fsspec.core.url_to_fs(settings.path)
        if not filesystem.isdir(path):
            return ListBytes(name, ((name, _whole(filesystem, path)),), settings.categories)
        found = sorted(entry for kind in UT1_FILES for entry in filesystem.glob(f"{path.rstrip('/')}/*/{kind}"))
        wanted = [entry for entry in found if _is_wanted(entry.split("/")[-2], settings.categories)]
        files = tuple(("/".join(entry.split("/")[-2:]), _whole(filesystem, entry)) for entry in wanted)
    except (OSError, ImportError, ValueError) as error:
        raise MissingError(f"url_blocklist: {settings.path} cannot be read: {_reason(error)}") from error
    if not files:
        categories = sorted({entry.split("/")[-2] for entry in found})
        raise UsageError(_no_category(settings.path, settings.categories or (), categories))
    return ListBytes(name, files, settings.categories)


def read_entries(key: str, path: str) -> ListBytes:
    """Return a file of entries as it lies; ``key`` is the recipe's. Raises MissingError, AccessError."""
    name = file_name(path)
    if is_http(path):
        return ListBytes(name, ((name, read_source(path)),))
    try:
        filesystem, inner = fsspec.core.url_to_fs(path)
        return ListBytes(name, ((name, _whole(filesystem, inner)),))
    except (OSError, ImportError, ValueError) as error:
        hint = "a list of entries is written as such: [one, two]"
        raise MissingError(f"url_rules.{key}: {path} cannot be read: {_reason(error)}; {hint}") from error


def default_blocklist() -> tuple[str, bytes]:
    """Return FineWeb's blocklist by its name and its archive's bytes. Raises MissingError."""
    found = sorted(_assets().glob(_BLOCKLIST_PATTERN))
    if not found:
        raise MissingError(_no_default(_assets() / _BLOCKLIST_PATTERN))
    return DEFAULT, found[-1].read_bytes()


def default_words(key: str) -> ListBytes:
    """Return FineWeb's hard words, soft words or substrings. Raises MissingError."""
    path = _assets() / DEFAULT_WORDS[key]
    if not path.is_file():
        raise MissingError(_no_default(path))
    return ListBytes(DEFAULT, ((path.name, path.read_bytes()),))


def parts(list_: ListBytes) -> Iterator[Part]:
    """Yield the files of a list that are wanted, unpacked as they are read.

    Raises UsageError if it has no wanted category, CorruptError for an archive that cannot be unpacked.
    """
    if len(list_.files) == 1 and (archive := _opened_archive(list_.files[0][1])):
        yield from _archive_parts(list_, archive)
        return
    for name, content in list_.files:
        category, _, kind = name.rpartition("/")
        whole = f"{list_.name}/{category}" if category else list_.name
        yield Part(whole, kind if kind in UT1_FILES else "", _unpacked(content))


def blocks(list_: ListBytes, part: Part) -> Iterator[bytes]:
    """Yield a part's bytes in blocks that end with a line. Raises CorruptError, and UsageError for too many bytes."""
    rest, total = b"", 0
    try:
        while block := part.file.read(_BLOCK_BYTES):
            total += len(block)
            if total > LARGEST_BYTES:
                raise UsageError(f"{part.name} holds more than {LARGEST_BYTES:,} bytes, too many for a list")
            whole, newline, after = block.rpartition(b"\n")
            if newline:
                yield rest + whole + newline
            rest = after if newline else rest + block
    except (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError) as error:
        raise CorruptError(f"{list_.name} cannot be unpacked to its end: {error}; fetch it again") from error
    if rest:
        yield rest + b"\n"


def _archive_parts(list_: ListBytes, archive: tarfile.TarFile) -> Iterator[Part]:
    categories: set[str] = set()
    found = False
    try:
        members = archive.getmembers()
        wanted = _with_aliases(list_.categories, members)
        for member in members:
            folder, _, kind = member.name.rpartition("/")
            if kind not in UT1_FILES or not member.isfile():
                continue
            category = posixpath.basename(folder).lstrip(".")
            categories.add(category)
            file = archive.extractfile(member) if _is_wanted(category, wanted) else None
            if file is not None:
                found = True
                yield Part(f"{list_.name}/{category}" if category else list_.name, kind, file)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError) as error:
        raise CorruptError(f"{list_.name} cannot be unpacked to its end: {error}; fetch it again") from error
    if not found:
        raise UsageError(_no_category(list_.name, list_.categories or (), sorted(categories)))


def _with_aliases(categories: Sequence[str] | None, members: Sequence[tarfile.TarInfo]) -> Sequence[str] | None:
    """Return the categories with those that a link in the archive makes another name of them."""
    if categories is None:
        return None
    aliases = {
        posixpath.basename(member.name.rstrip("/")): posixpath.basename(member.linkname.rstrip("/"))
        for member in members
        if member.issym()
    }
    return [aliases.get(category, category) for category in categories]


def _is_wanted(category: str, categories: Sequence[str] | None) -> bool:
    return categories is None or category in categories


def _opened_archive(content: bytes) -> tarfile.TarFile | None:
    """Return an archive; None for what is none."""
    try:
        return tarfile.open(fileobj=io.BytesIO(content), mode="r:*")
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError):
        return None


def _unpacked(content: bytes) -> IO[bytes]:
    for magic, opener in _OPENERS:
        if content.startswith(magic):
            return cast(IO[bytes], opener(io.BytesIO(content), "rb"))
    return io.BytesIO(content)


def _whole(filesystem: fsspec.AbstractFileSystem, path: str) -> bytes:
    size = filesystem.size(path)
    if size is not None and size > LARGEST_BYTES:
        raise UsageError(f"{path} has {size:,} bytes, too many for a list")
    content: bytes = filesystem.cat_file(path)
    return content


def _assets() -> Path:
    spec = find_spec(_PACKAGE)
    folders = (spec.submodule_search_locations if spec else None) or []
    return next((Path(folder) / "assets" for folder in folders), Path(_PACKAGE) / "assets")


def _no_default(path: Path) -> str:
    return (
        f"'{DEFAULT}' stands for FineWeb's lists, which the package {_PACKAGE} carries, and there is no {path}; "
        f"install a {_PACKAGE} that has it, or name a list by its path"
    )


def _no_category(name: str, wanted: Sequence[str], there: Sequence[str]) -> str:
    if not there:
        return f"{name} holds no list: a UT1 archive or folder has a folder for each category, with domains and urls"
    return f"{name} has no category {', '.join(wanted)}; it has: {', '.join(filter(None, there)) or 'no categories'}"


def _reason(error: Exception) -> str:
    return "there is no such file" if isinstance(error, FileNotFoundError) else str(error)
