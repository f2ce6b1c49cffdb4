"""Watching a phase from outside its workers: how far it is, and whether a worker died without a word.

A pool waits for ever for a task whose process was killed (by the kernel, for its memory, say). The monitor notices
that the process is gone, records the item as failed, and, once nothing else is under way, wakes the launcher by a
signal of its own: a shell that starts it in the background makes it deaf to Ctrl-C's.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Protocol

from gristmill.pipeline.progress import ItemState, read_failures, read_progress, record_failure
from gristmill.pipeline.storage import Folder

_SECONDS_BETWEEN = 0.5
_SECONDS_UNTIL_GONE = 2.0
_WAKE = signal.SIGUSR1


class _WokenError(BaseException):
    """Only items whose process is gone are left; raised where the launcher waits for them."""


def _woken(number: int, frame: FrameType | None) -> None:
    raise _WokenError


@dataclass(frozen=True)
class State:
    """How far a phase is: rows so far, items finished, the share of all work in [0, 1]."""

    step: str
    rows: int
    finished: int
    total: int
    fraction: float
    seconds: float


class Watcher(Protocol):
    """Is shown a phase's progress."""

    def begin(self, step: str, total: int) -> None:
        """Show that a phase of that many items begins."""

    def update(self, state: State) -> None:
        """Show that a phase goes on."""

    def end(self, state: State) -> None:
        """Show that a phase has ended."""

    def warn(self, sentence: str) -> None:
        """Show what is doubtful about what was done."""


class Monitor:
    """Shows a watcher how far a phase is, from a thread, while the block runs."""

    def __init__(self, folder: Folder, logs: str, step: str, items: Sequence[str], watcher: Watcher) -> None:
        self._folder, self._logs, self._step, self._items, self._watcher = folder, logs, step, list(items), watcher
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._began = 0.0
        self._gone_since: dict[str, float] = {}
        self._dead: set[str] = set()

    def __enter__(self) -> Monitor:
        self._began = time.monotonic()
        self._heard = signal.signal(_WAKE, _woken)
        self._watcher.begin(self._step, len(self._items))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._stop.set()
        self._thread.join()
        signal.signal(_WAKE, self._heard)
        self._watcher.end(self._state())
        return kind is _WokenError

    def _watch(self) -> None:
        while not self._stop.wait(_SECONDS_BETWEEN):
            self._watcher.update(self._state())
            if self._only_dead_are_left():
                os.kill(os.getpid(), _WAKE)
                return

    def _state(self) -> State:
        states = read_progress(self._folder, self._logs).values()
        return State(
            step=self._step,
            rows=sum(state.rows for state in states),
            finished=sum(state.done for state in states),
            total=len(self._items),
            fraction=sum(state.fraction for state in states) / max(1, len(self._items)),
            seconds=time.monotonic() - self._began,
        )

    def _only_dead_are_left(self) -> bool:
        """Record items whose process is gone; return whether they alone keep the phase from ending."""
        states = read_progress(self._folder, self._logs)
        failed = read_failures(self._folder, self._logs)
        ended = set(failed) | {item for item, state in states.items() if state.done}
        for item in self._gone(states.values(), ended):
            record_failure(self._folder, self._logs, item, "its worker was killed, perhaps for the memory it took")
            self._dead.add(item)
        return bool(self._dead) and ended | self._dead >= set(self._items)

    def _gone(self, states: Iterable[ItemState], ended: set[str]) -> list[str]:
        """Return the items that have been without a living process for a while."""
        now = time.monotonic()
        for state in states:
            if state.alive or state.item in ended:
                self._gone_since.pop(state.item, None)
            else:
                self._gone_since.setdefault(state.item, now)
        return [item for item, since in self._gone_since.items() if now - since > _SECONDS_UNTIL_GONE]
