"""Processes that end with the one that started them, even when that one is killed.

datatrove's local executor keeps a manager process and a pool behind a fork server. None of them notices that the
launcher was killed, so without this a killed run would leave workers that go on writing. The fork server waits until
the last process that can ask it for another has ended, its own workers among them, so it too must be ended.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_forks_with_parent() -> None:
    """Make every process that this one forks from now on be killed when this one ends (Linux; elsewhere nothing)."""
    if sys.platform == "linux" and not _registered:
        _registered.append(True)
        os.register_at_fork(after_in_child=_end_with_parent)


def end_with_parent() -> None:
    """Have this process be killed when the one that started it ends; end it now if that has happened (Linux)."""
    if sys.platform == "linux":
        _end_with_parent()
        if os.getppid() == 1:
            sys.exit(0)


_registered: list[bool] = []


def _end_with_parent() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
