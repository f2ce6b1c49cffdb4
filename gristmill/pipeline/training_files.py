"""Where a training works, and how what it made comes to its place: all files whole, or none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gristmill.errors import UsageError
from gristmill.pipeline.storage import TEMPORARY, is_left_here, temporary_suffix

_NAME: Final = ".training"


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Yield a new folder that is gone at the end; those that killed trainings of this machine left go first.

    Raises UsageError if nothing can be written there.
    """
    folder = parent / f"{_NAME}{temporary_suffix()}"
    try:
        for left in filter(is_left_here, parent.glob(f"{_NAME}{TEMPORARY}*")):
            shutil.rmtree(left, ignore_errors=True)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise UsageError(f"nothing can be written into {parent}: {error.strerror}; choose another folder") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(paths: Sequence[Path], folder: Path) -> None:
    """Move files to a folder: each has its name there only when all are there whole. Those of their names are lost."""
    with scratch_folder(folder) as here:
        for path in paths:
            shutil.move(path, here / path.name)
        for path in paths:
            (here / path.name).replace(folder / path.name)
