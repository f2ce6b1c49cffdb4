"""Waiting for a library that does not look for Ctrl-C while it works, such as fastText in training."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Final, TypeVar

_INTERRUPTED: Final = 130
Made = TypeVar("Made")


def interruptible(work: Callable[[], Made]) -> Made:
    """Return what some work returns, or raise what it raises; KeyboardInterrupt as soon as Ctrl-C is pressed.

    Python sees a signal between two of its own steps, and a library in C makes none for hours. So the work has a thread
    of its own, which does not keep the process from ending.
    """
    future: Future[Made] = Future()

    def perform() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    thread = Thread(target=perform, daemon=True)
    try:
        thread.start()
        return future.result()
    except KeyboardInterrupt:
        atexit.register(_end, thread)
        raise


def _end(thread: Thread) -> None:
    """End the process if a thread still works: Python would end the thread within C++, and so abort the process."""
    if thread.is_alive():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_INTERRUPTED)
