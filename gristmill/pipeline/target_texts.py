"""The texts of a target: what they are known by, and whether there are any."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

import fsspec
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.errors import UsageError
from gristmill.pipeline.plan import Plan, digest_of
from gristmill.pipeline.run import is_run, open_run
from gristmill.pipeline.storage import Folder
from gristmill.pipeline.training_texts import naming, paths_of, training_texts

_BLOCK_BYTES: Final = 1 << 24


def texts_digest(sources: Sequence[str], column: str) -> str:
    """Return a digest of the bytes of files, and of the plans of runs, wherever they lie and in any order.

    Raises MissingError and UsageError naming the source.
    """
    return digest_of(column, sorted(digest for source in sources for digest in _digests(source)))


def check_texts(sources: Sequence[str], column: str) -> None:
    """Raise UsageError unless there is a text in the sources that is not blank; reads up to the first of each.

    Raises as `training_texts` does.
    """
    for source in sources:
        if not any(_has_text(texts) for texts in training_texts([source], column)):
            raise UsageError(f"{source} has no text in '{column}': every text in it is empty, or it has none")


def refuse_itself(plan: Plan, folder: Folder) -> None:
    """Raise UsageError if the run in the folder that a plan would be carried out in is a target of it."""
    for step in plan.steps:
        for source in step.settings.get("target", ()) if step.kind == "importance" else ():
            if is_run(source) and open_run(source).folder.address == folder.address:
                raise UsageError(f"run '{plan.name}' cannot be its own target: {source}; give the recipe another name")


def _has_text(texts: pa.Array) -> bool:
    return bool(pc.any(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(texts)), 0)).as_py())


def _digests(source: str) -> Iterator[str]:
    if is_run(source):
        yield open_run(source).plan.digest
        return
    for path in paths_of(source):
        with naming(path), fsspec.open(path, "rb") as file:
            digest = hashlib.sha256()
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
        yield digest.hexdigest()
