"""What the network told when a plan was made, kept in the run's folder: the same plan again needs no network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gristmill.pipeline.storage import Folder


@dataclass(frozen=True)
class Lookups:
    """Answers in ``<folder>/source``; without a folder nothing is kept, and with ``reads_only`` nothing is added."""

    folder: Folder | None = None
    reads_only: bool = False

    def get(self, name: str, ask: Callable[[], bytes]) -> bytes:
        """Return the answer kept under a file's name, or else what ``ask`` returns, which is kept."""
        if self.folder is not None and self.folder.exists(f"source/{name}"):
            return self.folder.read_bytes(f"source/{name}")
        answer = ask()
        if self.folder is not None and not self.reads_only:
            self.folder.write_bytes(f"source/{name}", answer)
        return answer


NO_LOOKUPS = Lookups()
"""Nothing is kept."""
