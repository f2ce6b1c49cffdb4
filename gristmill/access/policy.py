"""What is tried again, how often, and after how long: the one place that decides it.

A fault is something that may pass: the statuses 403, 408, 429 and 5xx, a timeout, a lost connection, an answer that is
shorter than it should be or does not add up. A fault is tried again after a random wait whose bound doubles with each
try ("full jitter"). Everything else is final at once.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TypeVar

from gristmill.access.settings import AccessSettings
from gristmill.errors import AccessError

PROGRESS_BYTES = 1 << 16
"""Fewer bytes than this, unless they are all that was wanted, do not count as progress."""

_PASSING = frozenset({403, 408, 429})
_Value = TypeVar("_Value")


class Fault(Exception):
    """Something that may pass.

    ``wait``: seconds after which the server asks to come back, or None; ``is_refusal``: whether it forbids the file,
    which some servers do with files that they do not have.
    """

    def __init__(self, what: str, wait: float | None = None, *, is_refusal: bool = False) -> None:
        super().__init__(what)
        self.wait = wait
        self.is_refusal = is_refusal


def may_pass(status: int) -> bool:
    """Return whether a request that was answered with an HTTP status is worth another try."""
    return status in _PASSING or 500 <= status <= 599


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, a number or a date; None if it says neither.

    >>> retry_after("120")
    120.0
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


class Tries:
    """The tries to read one file: those that failed in a row, the waits between them, and their end."""

    def __init__(self, url: str, settings: AccessSettings) -> None:
        self._url = url
        self._settings = settings
        self._failed = 0
        self._bytes = 0

    def received(self, size: int) -> None:
        """Count bytes that arrived; enough of them since the last fault make it the first again."""
        self._bytes += size
        if self._bytes >= PROGRESS_BYTES:
            self._failed = 0

    def fail(self, fault: Fault, offset: int = 0) -> None:
        """Wait before the next try of what failed at an offset. Raises AccessError if there is none left."""
        self._failed += 1
        self._bytes = 0
        if self._failed >= self._settings.tries:
            where = f" from byte {offset:,} on" if offset else ""
            times = "once" if self._failed == 1 else f"{self._failed} times in a row"
            raise AccessError(
                f"{self._url} cannot be read{where}: tried {times}, and at last {fault}; "
                "run again later, or raise run.access.tries"
            ) from fault
        time.sleep(self._wait(fault))

    def _wait(self, fault: Fault) -> float:
        settings = self._settings
        bound = min(settings.longest_wait, settings.first_wait * 2.0 ** (self._failed - 1))
        return min(settings.longest_wait, fault.wait or 0.0) + random.uniform(0.0, bound)


def persist(url: str, settings: AccessSettings, action: Callable[[], _Value]) -> _Value:
    """Return what an action returns, trying again as long as it raises Fault. Raises AccessError."""
    tries = Tries(url, settings)
    while True:
        try:
            return action()
        except Fault as fault:
            tries.fail(fault)


class Pace:
    """Lets so many requests be made in a second, and no more, by all threads that wait for it."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1.0 / per_second
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Wait until the next request may be made."""
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + self._interval
        if start > now:
            time.sleep(start - now)


def pace(settings: AccessSettings) -> Pace:
    """Return the pace of this process: all that it asks for with these settings, of servers and stores, keeps to it."""
    return _pace_of(settings, os.getpid())


@cache
def _pace_of(settings: AccessSettings, process: int) -> Pace:
    """Return the pace of a process; one that was forked has its own, since the lock may be held in the other."""
    return Pace(settings.requests_per_second)
