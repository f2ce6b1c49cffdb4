"""Where models come from: names with pinned digests, paths and URLs, all found as a file with its digest.

A registered model is looked for in the cache folder, then in the wheel of a package that ships it, then fetched from
its official address. Nothing but the file with the pinned sha256 is ever accepted. A path or a URL is taken as it is;
its digest is what makes a stage's hash change when the file does.
"""

from __future__ import annotations

import glob
import hashlib
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from loguru import logger

from gristmill import cache
from gristmill.access.fetch import is_http
from gristmill.access.source import file_name
from gristmill.access.store import is_local, located
from gristmill.classifiers.models import registry
from gristmill.classifiers.models.checks import check_file, found_at
from gristmill.classifiers.models.digests import Tell, digest_of
from gristmill.classifiers.models.fetch import (
    Wanted,
    by_hand,
    closing_source,
    fetch,
    fetch_registered,
    part_of,
    reason_of,
)
from gristmill.classifiers.models.registry import KINDS, Kind, Model, nearest, registered, with_digest
from gristmill.errors import AccessError, CorruptError, MissingError, StaleError, UsageError

_LARGE: Final = 20_000_000
_TENTHS: Final = 10


@dataclass(frozen=True)
class FoundModel:
    """A model's file on this machine; ``digest`` is the sha256 of its content in hexadecimal."""

    path: Path
    digest: str


def cache_folder() -> Path:
    """Return the folder of fetched models: ``$GRISTMILL_CACHE/models``, or else ``~/.cache/gristmill/models``."""
    return cache.cache_folder("models")


def find_model(name: str, kind: Kind | None = None, tell: Tell | None = None) -> FoundModel:
    """Return the file of a registered model, a path or an fsspec URL; it is fetched if it is not on this machine.

    With ``kind``, the file is checked as `check_model` does, and a registered model of another kind is refused before
    it is fetched. Raises MissingError for a name that is neither registered nor a file, and for a model that cannot be
    fetched; CorruptError for a file that is not whole, or not the registered one; UsageError for another kind.
    """
    found = _find(name, kind, tell)
    if kind is not None:
        check_model(found, kind)
    return found


def find_planned(name: str, digest: str) -> FoundModel:
    """Return the model that a plan found under a name, as every process does that carries the plan out.

    The copy of a URL that has this digest is taken without asking the network, which need not be there any more.
    Raises StaleError if what is found has another digest, and else as `find_model`.
    """
    found = _copy_of(name, digest) if "://" in name else None
    found = found or find_model(name)
    if found.digest != digest:
        raise StaleError(f"model {found.path} is not the file it was when the plan was made: plan the run again")
    return found


def unchanged(model: FoundModel) -> Path:
    """Return the file of a model, as a process needs it that loads it. Raises MissingError, StaleError."""
    if not model.path.is_file():
        raise MissingError(f"model {model.path} is no longer there")
    if digest_of(model.path) != model.digest:
        raise StaleError(f"model {model.path} is not the file it was when the plan was made: plan the run again")
    return model.path


def check_model(found: FoundModel, kind: Kind) -> None:
    """Check that a file is a whole model of a kind; one with the digest of a registered model is not read for it.

    Raises UsageError for another kind or anything else, CorruptError for a file that is cut short or damaged.
    """
    model = with_digest(found.digest)
    if model is None:
        check_file(found.path, kind)
    else:
        _check_kind(model, kind)


def place_of(model: Model) -> tuple[str, Path] | None:
    """Return whether a registered model's file is in the ``cache`` or a ``wheel``, and where; None if it is not here.

    Its content is not looked at.
    """
    cached = cache_folder() / model.filename
    if cached.is_file():
        return "cache", cached
    shipped = _in_wheel(model)
    return ("wheel", shipped) if shipped is not None else None


def _find(name: str, kind: Kind | None, tell: Tell | None) -> FoundModel:
    if name in registry.MODELS:
        model = registered(name)
        if kind is not None:
            _check_kind(model, kind)
        return _find_registered(model, tell)
    if "://" in name:
        return _find_remote(name, tell)
    path = Path(name)
    if not path.is_file():
        raise MissingError(f"model {name!r} {_instead_of_file(name)}; {nearest(name, kind)}")
    return _found(path.absolute())


def _instead_of_file(name: str) -> str:
    """Return what a name stands for that is no file's."""
    path = Path(name)
    if name and path.is_dir():
        return "is a folder, not a model's file"
    return "is a link that leads nowhere" if path.is_symlink() else "is neither a file nor a name in the registry"


def _found(path: Path) -> FoundModel:
    try:
        return FoundModel(path, digest_of(path))
    except OSError as error:
        raise MissingError(f"model {path} cannot be read: {error.strerror or error}") from error


def _check_kind(model: Model, kind: Kind) -> None:
    if model.kind != kind:
        raise UsageError(f"model {model.name!r} is {KINDS[model.kind]}; {KINDS[kind]} is needed here")


def _find_registered(model: Model, tell: Tell | None) -> FoundModel:
    cached = cache_folder() / model.filename
    if cached.is_file():
        return _as_published(model, _found(cached))
    shipped = _in_wheel(model)
    if shipped is not None and _found(shipped).digest == model.sha256:
        return FoundModel(shipped, model.sha256)
    try:
        fetch_registered(model, cached, tell or _told_by_log(model.name, model.url, model.size))
    except (MissingError, AccessError, OSError) as error:
        raise MissingError(_how_to_get(model, cached, reason_of(error))) from error
    return FoundModel(cached, model.sha256)


def _as_published(model: Model, found: FoundModel) -> FoundModel:
    """Return the file. Raises CorruptError if it has another content than the published one."""
    if found.digest != model.sha256:
        raise CorruptError(
            f"{found.path} is not the published {model.name} ({model.size:,} bytes, sha256 {model.sha256}): it has "
            f"{found.path.stat().st_size:,} bytes, sha256 {found.digest}{found_at(found.path)}. Delete it, and it will "
            "be fetched again"
        )
    return found


def _in_wheel(model: Model) -> Path | None:
    """Return the model's file in an installed package, which is not imported; None if it is not there."""
    if model.wheel is None:
        return None
    package, resource = model.wheel
    spec = find_spec(package)
    folders = (spec.submodule_search_locations if spec else None) or []
    files = (Path(folder) / resource for folder in folders)
    return next((file for file in files if file.is_file()), None)


def _find_remote(url: str, tell: Tell | None) -> FoundModel:
    """Return a copy, in the cache, of what lies at an fsspec URL; one copy for each version that the store tells."""
    try:
        filesystem, path = (None, "") if is_http(url) else located(url)
        if filesystem is not None and is_local(filesystem):
            return _find(path, None, tell)
        return _found(_copied(url, tell))
    except (MissingError, AccessError, OSError) as error:
        raise MissingError(
            f"model {url} cannot be read: {reason_of(error)}; name another address, or the path of a copy"
        ) from error


def _copied(url: str, tell: Tell | None) -> Path:
    """Return the path of a URL's copy in the cache, fetched if the version that lies there is not here."""
    with closing_source(url) as source:
        size, validator = getattr(source.file, "facts", (source.size, None))
        version = hashlib.sha256(f"{url}\0{size}\0{validator}".encode()).hexdigest()[:16]
        name = _copy_name(url)
        wanted = Wanted(url, cache_folder() / version / name)
        if validator is None:  # nothing tells whether a copy, or a part of one, is current
            wanted.target.unlink(missing_ok=True)
            part_of(wanted).unlink(missing_ok=True)
        if not wanted.target.is_file():
            fetch(source, wanted, tell or _told_by_log(name, url, source.size or 0))
    return wanted.target


def _copy_of(url: str, digest: str) -> FoundModel | None:
    """Return a copy in the cache with a digest, whichever version of the URL it is of; None if there is none."""
    for path in sorted(cache_folder().glob(f"*/{glob.escape(_copy_name(url))}")):
        with suppress(OSError):  # another process may take it away
            if path.is_file() and digest_of(path) == digest:
                return FoundModel(path, digest)
    return None


def _copy_name(url: str) -> str:
    name = file_name(url)
    return name if name.strip(".") else "model"


def _told_by_log(name: str, url: str, size: int) -> Tell:
    """Return what says in the log that a large file is being fetched, and each tenth of it."""
    if size >= _LARGE:
        logger.info("fetching model {}, {:,} bytes, from {}", name, size, url)
    tenths = [0]

    def tell(done: int, of: int) -> None:
        tenth = _TENTHS * done // of if of >= _LARGE else 0
        if tenth > tenths[0]:
            tenths[0] = tenth
            logger.info("model {}: {}% is here", name, 100 * tenth // _TENTHS)

    return tell


def _how_to_get(model: Model, target: Path, reason: str) -> str:
    lines = [
        f"model {model.name!r} is not on this machine, and {model.url} cannot be fetched: {reason}. Do one of:",
        f"  - try again when there is a network: `gristmill models pull {model.name}`",
        f"  - {by_hand(model, target)}",
        f"  - name the file's path where {model.name} is named, as in `model: models/{model.filename}`",
    ]
    if model.wheel is not None:
        package = model.wheel[0].replace("_", "-")
        lines.append(f"  - pip install --no-deps {package} (its wheel holds the file; its dependencies are not wanted)")
    return "\n".join(lines)
