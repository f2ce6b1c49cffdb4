"""Files in the cache that are written once: whole or not at all, by one process at a time, whatever is killed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def keep(target: Path, make: Callable[[], bytes]) -> None:
    """Write what is made to a file, unless another process has written it meanwhile. Raises OSError, what it raises.

    A killed process leaves a part at most, which the next one writes over.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with alone(target):
        if target.is_file():
            return
        part = target.with_name(f"{target.name}.part")
        with part.open("wb") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """Let one process at a time make a file; the others wait. The lock ends with the process that holds it."""
    with target.with_name(f".{target.name}.lock").open("wb") as lock:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
        yield
