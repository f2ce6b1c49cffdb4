"""The files of a list: those of a folder, those of a tar archive, or one file, on any filesystem."""

from __future__ import annotations

import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import fsspec
from fsspec.implementations.local import LocalFileSystem

from gristmill.classifiers.models import find_model
from gristmill.errors import CorruptError, MissingError

ARCHIVES: Final = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
_LARGEST: Final = 64 << 20
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
            names = sorted(filesystem.find(path, maxdepth=_DEEPEST))
            return ListFiles(where, filesystem, path.rstrip("/"), tuple(names))
        if not isinstance(filesystem, LocalFileSystem):
            path = str(find_model(where).path)
        elif not filesystem.isfile(path):
            raise MissingError(f"{where} is neither a folder nor a file")
    except (OSError, ImportError, ValueError) as error:
        raise MissingError(f"{where} cannot be read: {error}") from error
    return ListFiles(where, LocalFileSystem(), path, (path,))


def state_of(files: ListFiles) -> list[list[object]] | None:
    """Return what changes when a file does, as JSON values: names, and sizes and times or the store's own mark.

    None while a file of this machine is so new that another one with the same times could take its place.
    """
    if not isinstance(files.filesystem, LocalFileSystem):
        return [[name, files.filesystem.ukey(name)] for name in files.names]
    stats = [(name, Path(name).stat()) for name in files.names]
    newest = max((max(stat.st_mtime, stat.st_ctime) for _, stat in stats), default=0.0)
    if time.time() - newest < _SETTLED_SECONDS:
        return None
    return [[name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino] for name, stat in stats]


def contents(files: ListFiles) -> Iterator[tuple[str, bytes]]:
    """Yield each file's path inside its folder or archive, and its bytes. Nothing is unpacked to disk.

    Raises CorruptError for an archive that cannot be read to its end, and for a file too large for a list.
    """
    if files.path.endswith(ARCHIVES) and files.names == (files.path,):
        yield from _of_archive(files)
        return
    for name in files.names:
        _check_size(files.where, name, files.filesystem.size(name))
        yield name.removeprefix(files.path).lstrip("/") or Path(name).name, files.filesystem.cat_file(name)


def _of_archive(files: ListFiles) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(files.path) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    _check_size(files.where, member.name, member.size)
                    yield member.name, file.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise CorruptError(f"{files.where} is not a readable archive: {error}; fetch it again") from error


def _check_size(where: str, name: str, size: int | None) -> None:
    if size is not None and size > _LARGEST:
        raise CorruptError(f"{where}: {name} has {size:,} bytes, too many for a list of words")
