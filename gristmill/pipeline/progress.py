"""What tasks tell of their progress while they work: a small file for each item, which any executor's tasks can write.

`<logs>/progress/<item>.json` holds rows done, the share of the item done, and the process that works on it.
`<logs>/failed/<item>.txt` holds the traceback of an item that failed.
"""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import dataclass
from typing import Any

from gristmill.pipeline.storage import Folder

_SECONDS_BETWEEN = 0.5


class Progress:
    """Told by the work how far it is; writes it down twice a second at most."""

    def __init__(self, folder: Folder, logs: str, item: str) -> None:
        self._folder = folder
        self._name = f"{logs}/progress/{item}.json"
        self._next = 0.0
        self.rows = 0
        self.update(0, 0.0)

    def update(self, rows: int, fraction: float) -> None:
        """Add rows that are done; ``fraction`` in [0, 1] is the share of the item that is."""
        self.rows += rows
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _SECONDS_BETWEEN
            self._write(fraction)

    def finish(self) -> None:
        """Write down that the item is done."""
        self._write(1.0, done=True)

    def _write(self, fraction: float, *, done: bool = False) -> None:
        state = {
            "rows": self.rows,
            "fraction": min(1.0, fraction),
            "done": done,
            "process": os.getpid(),
            "host": socket.gethostname(),
        }
        path = self._folder.path(self._name)
        self._folder.filesystem.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        self._folder.filesystem.pipe_file(path, json.dumps(state).encode())


@dataclass(frozen=True)
class ItemState:
    """How far one item is. ``alive`` is false if its process is known to be gone."""

    item: str
    rows: int
    fraction: float
    done: bool
    alive: bool


def read_progress(folder: Folder, logs: str) -> dict[str, ItemState]:
    """Return the state of every item that was begun; an unfinished write counts as no news."""
    states = {}
    for name in folder.names(f"{logs}/progress", ".json"):
        try:
            state = json.loads(folder.read_bytes(f"{logs}/progress/{name}"))
        except ValueError:
            continue
        item = name.removesuffix(".json")
        states[item] = ItemState(item, state["rows"], state["fraction"], state["done"], _is_alive(state))
    return states


def clear_progress(folder: Folder, logs: str) -> None:
    """Forget what earlier runs told."""
    for kind in ("progress", "failed"):
        for name in folder.names(f"{logs}/{kind}"):
            folder.remove(f"{logs}/{kind}/{name}")


def record_failure(folder: Folder, logs: str, item: str, report: str) -> None:
    """Keep the traceback of an item that failed."""
    folder.write_bytes(f"{logs}/failed/{item}.txt", report.encode(errors="replace"))


def read_failures(folder: Folder, logs: str) -> dict[str, str]:
    """Return the last line of each failed item's traceback."""
    failures = {}
    for name in folder.names(f"{logs}/failed", ".txt"):
        text = folder.read_bytes(f"{logs}/failed/{name}").decode()
        failures[name.removesuffix(".txt")] = text.rstrip().rsplit("\n", 1)[-1]
    return failures


def _is_alive(state: dict[str, Any]) -> bool:
    if state["host"] != socket.gethostname():
        return True
    try:
        os.kill(state["process"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
