"""The files of a list: those of a folder, those of a tar archive, or one file, on any filesystem."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import fsspec
from fsspec.implementations.local import LocalFileSystem

from gristmill.classifiers.models import find_model
from gristmill.errors import CorruptError, MissingError

ARCHIVES: Final = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
LARGEST: Final = 64 << 20
_GZIP: Final = b"\x1f\x8b"
_DEEPEST: Final = 3
_SETTLED_SECONDS: Final = 2.0


@dataclass(frozen=True)
class ListFiles:
    """Where a list's files lie: the filesystem's path of a folder, or of a file that may be an archive."""

    where: str
    filesystem: fsspec.AbstractFileSystem
    path: str
    names: tuple[str, ...]

    @property
    def address(self) -> str:
        """Where to read it: on this machine the path, which may be that of a copy; else the URL."""
        return self.path if isinstance(self.filesystem, LocalFileSystem) else self.where


def find_files(where: str) -> ListFiles:
    """Return the files of a folder, or the file, at a path or URL. What lies elsewhere and is no folder is fetched.

    Raises MissingError if there is nothing.
    """
    try:
        filesystem, path = fsspec.core.url_to_fs(where)
        if filesystem.isdir(path):
            names = [
                name for name in sorted(filesystem.find(path, maxdepth=_DEEPEST)) if _may_be_file(filesystem, name)
            ]
            return ListFiles(where, filesystem, path.rstrip("/"), tuple(names))
        if not isinstance(filesystem, LocalFileSystem):
            path = str(find_model(where).path)
        elif not filesystem.isfile(path):
            raise MissingError(f"{where} is neither a folder nor a file")
    except (OSError, ImportError, ValueError) as error:
        raise MissingError(f"{where} cannot be read: {error}") from error
    return ListFiles(where, LocalFileSystem(), path, (path,))


def _may_be_file(filesystem: fsspec.AbstractFileSystem, name: str) -> bool:
    """Return False for what is there and no file, such as a pipe, or a link to a folder."""
    return not isinstance(filesystem, LocalFileSystem) or not Path(name).exists() or Path(name).is_file()


def state_of(files: ListFiles) -> list[list[object]] | None:
    """Return what changes when a file does, as JSON values: names, and sizes and times or the store's own mark.

    None while a file of this machine is so new that another one with the same times could take its place.
    """
    if not isinstance(files.filesystem, LocalFileSystem):
        return [[name, files.filesystem.ukey(name)] for name in files.names]
    stats = [(name, Path(name).stat(follow_symlinks=Path(name).exists())) for name in files.names]
    newest = max((max(stat.st_mtime, stat.st_ctime) for _, stat in stats), default=0.0)
    if time.time() - newest < _SETTLED_SECONDS:
        return None
    return [[name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino] for name, stat in stats]


def contents(files: ListFiles, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Yield the path inside its folder or archive, and the bytes, of each file whose name is wanted.

    Other files are not read, and nothing is unpacked to disk. Raises MissingError for a file that cannot be read,
    CorruptError for an archive that cannot be read to its end, and for a file too large for a list.
    """
    if files.path.endswith(ARCHIVES) and files.names == (files.path,):
        yield from _of_archive(files, is_wanted)
        return
    for name in files.names:
        path = name.removeprefix(files.path).lstrip("/") or Path(name).name
        if is_wanted(path.rpartition("/")[2]):
            try:
                _check_size(files.where, path, files.filesystem.size(name))
                content = files.filesystem.cat_file(name)
            except OSError as error:
                raise MissingError(f"{files.where}: {path} cannot be read: {error}") from error
            yield path, content


def unpacked(name: str, content: bytes) -> bytes:
    """Return what gzip packed, and anything else as it is. Raises CorruptError."""
    if not content.startswith(_GZIP):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            plain = file.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise CorruptError(f"{name} cannot be unpacked: {error}; fetch it again") from error
    _check_size(name, "what it unpacks to", len(plain))
    return plain


def _of_archive(files: ListFiles, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(files.path) as archive:
            for member in archive:
                wanted = member.isfile() and is_wanted(member.name.rpartition("/")[2])
                file = archive.extractfile(member) if wanted else None
                if file is not None:
                    _check_size(files.where, member.name, member.size)
                    yield member.name, file.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise CorruptError(f"{files.where} is not a readable archive: {error}; fetch it again") from error


def _check_size(where: str, name: str, size: int | None) -> None:
    if size is not None and size > LARGEST:
        raise CorruptError(f"{where}: {name} has {size:,} bytes, too many for a list of words")
