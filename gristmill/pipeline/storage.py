"""A folder on any fsspec filesystem, whose files appear under their final names only when they are complete.

A file is written beside the destination under a temporary name, flushed to disk, then renamed. On an object store it
is written to a local temporary file and put in one request. A killed writer leaves at most a temporary file, which
`sweep` removes; readers never see it, since every name they ask for is a final one.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import fsspec
import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem

from gristmill.errors import CorruptError, MissingError, UsageError

TEMPORARY = ".tmp-"
_SECONDS_UNTIL_ABANDONED = 24 * 3600


@dataclass(frozen=True)
class Folder:
    """A folder given by a path or an fsspec URL (``runs/x``, ``s3://bucket/x``, ``file:///x``)."""

    url: str
    filesystem: fsspec.AbstractFileSystem = field(init=False, repr=False, compare=False)
    root: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        filesystem, root = located(self.url)
        object.__setattr__(self, "filesystem", filesystem)
        object.__setattr__(self, "root", root.rstrip("/"))

    def __reduce__(self) -> tuple[type[Folder], tuple[str]]:
        return Folder, (self.url,)

    @property
    def is_local(self) -> bool:
        """True if files lie on this machine's own filesystem."""
        return isinstance(self.filesystem, LocalFileSystem)

    @property
    def address(self) -> str:
        """The folder's URL as any process can open it, whatever folder it works in."""
        return self.root if self.is_local else self.url

    def path(self, name: str) -> str:
        """Return the filesystem's path of a file in this folder."""
        return f"{self.root}/{name}"

    def exists(self, name: str) -> bool:
        """Return whether a complete file of that name is there."""
        return bool(self.filesystem.isfile(self.path(name)))

    def size(self, name: str) -> int:
        """Return a file's bytes."""
        return int(self.filesystem.size(self.path(name)))

    def names(self, folder: str, suffix: str = "") -> list[str]:
        """Return the sorted names of the complete files in a sub-folder; none if it does not exist."""
        try:
            found = self.filesystem.ls(self.path(folder), detail=True, refresh=True)
        except FileNotFoundError:
            return []
        names = (Path(entry["name"]).name for entry in found if entry["type"] == "file")
        return sorted(n for n in names if n.endswith(suffix) and TEMPORARY not in n)

    def folders(self) -> list[str]:
        """Return the sorted names of the sub-folders; none if this folder does not exist."""
        try:
            found = self.filesystem.ls(self.root, detail=True, refresh=True)
        except FileNotFoundError:
            return []
        return sorted(Path(entry["name"]).name for entry in found if entry["type"] == "directory")

    def source(self, name: str, *, mapped: bool = True) -> pa.NativeFile:
        """Open a file for reading by Arrow: memory-mapped where it is local. Raises MissingError.

        Of a file that little is read of, that little is sooner copied than the file ``mapped``.
        """
        try:
            if self.is_local:
                return pa.memory_map(self.path(name)) if mapped else pa.OSFile(self.path(name), "rb")
            return pa.PythonFile(self.filesystem.open(self.path(name), "rb"), mode="r")
        except FileNotFoundError as error:
            raise MissingError(f"{self.path(name)} does not exist") from error

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Open a file for writing; it takes its name when the block ends, and leaves nothing when the block fails."""
        temporary = self._temporary(name)
        try:
            with temporary.open("wb") as sink:
                yield sink
                sink.flush()
                os.fsync(sink.fileno())
            self._publish(temporary, name)
        finally:
            temporary.unlink(missing_ok=True)

    def read_bytes(self, name: str) -> bytes:
        """Return a file's bytes. Raises MissingError."""
        try:
            return bytes(self.filesystem.cat_file(self.path(name)))
        except FileNotFoundError as error:
            raise MissingError(f"{self.path(name)} does not exist") from error

    def write_bytes(self, name: str, data: bytes) -> None:
        """Write a file whole."""
        with self.writing(name) as sink:
            sink.write(data)

    def read_json(self, name: str) -> Any:
        """Return a JSON file's value. Raises MissingError, CorruptError."""
        try:
            return json.loads(self.read_bytes(name))
        except ValueError as error:
            raise CorruptError(f"{self.path(name)} is damaged, it is no JSON: {error}") from error

    def says(self, name: str, expected: Mapping[str, Any]) -> bool:
        """Return whether a JSON file is there, whole, and holds these values; other keys do not matter."""
        try:
            found = self.read_json(name)
        except (MissingError, CorruptError):
            return False
        return isinstance(found, dict) and expected.items() <= found.items()

    def write_json(self, name: str, value: Any) -> None:
        """Write a value as indented JSON in a fixed form: the same value gives the same bytes."""
        text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=False) + "\n"
        self.write_bytes(name, text.encode())

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        if self.exists(name):
            self.filesystem.rm_file(self.path(name))

    def sweep(self) -> int:
        """Remove what killed writers left anywhere below this folder; return how many files that were.

        A file of another machine's process is left alone for a day, since nothing here tells whether it lives.
        """
        if not self.is_local:
            return 0
        left = [path for path in Path(self.root).rglob(f"*{TEMPORARY}*") if path.is_file() and _is_abandoned(path)]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _temporary(self, name: str) -> Path:
        if not self.is_local:
            return Path(tempfile.gettempdir()) / f"gristmill{temporary_suffix()}"
        final = Path(self.path(name))
        final.parent.mkdir(parents=True, exist_ok=True)
        return final.with_name(f"{final.name}{temporary_suffix()}")

    def _publish(self, temporary: Path, name: str) -> None:
        if self.is_local:
            temporary.replace(self.path(name))
        else:
            self.filesystem.put_file(str(temporary), self.path(name))


def located(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """Return the filesystem of a path or URL, and the path on it; a local path in its shortest form.

    Raises UsageError for a protocol that is unknown, MissingError for one whose package is not installed.
    """
    if not url:
        raise UsageError("a path is empty; write '.' for the folder you are in")
    try:
        filesystem, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise MissingError(f"'{url}' needs a package that is not installed: {error}") from error
    except (ValueError, OSError) as error:
        raise UsageError(f"'{url}' cannot be opened: {error}") from error
    return filesystem, os.path.normpath(path) if isinstance(filesystem, LocalFileSystem) else path


def temporary_suffix() -> str:
    """Return the end of a temporary name, which tells whose it is."""
    return f"{TEMPORARY}{os.getpid()}-{_host()}-{uuid.uuid4().hex[:8]}"


def _host() -> str:
    return hashlib.blake2b(socket.gethostname().encode(), digest_size=4).hexdigest()


def is_left_here(path: Path) -> bool:
    """Return whether a temporary name is that of a process of this machine that is gone."""
    process, host = _writer(path)
    return host == _host() and process.isdigit() and not _is_alive(int(process))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


def _writer(path: Path) -> tuple[str, str]:
    """Return the process and the machine that a temporary name tells."""
    process, host, *_ = (*path.name.rsplit(TEMPORARY, 1)[1].split("-"), "", "")
    return process, host


def _is_abandoned(path: Path) -> bool:
    """Return whether the process that was writing a temporary file is gone."""
    process, host = _writer(path)
    if host == _host() and process.isdigit():
        return is_left_here(path)
    return path.exists() and time.time() - path.stat().st_mtime > _SECONDS_UNTIL_ABANDONED
