"""Extraction where it can be killed: one process, reused for all pages, replaced when a page has ended it.

Pages are sent ahead, so that reading and extraction overlap; answers come in the order of the pages. What a page
becomes does not depend on time, load or neighbours: its budget is CPU time on the process's own clock, and a page whose
process died is tried once more, so that a kill from outside changes nothing.
"""

from __future__ import annotations

import signal
from collections import deque
from types import TracebackType
from typing import Self

from gristmill.crawl import fates
from gristmill.crawl.extraction.process import ExtractionProcess
from gristmill.crawl.extraction.protocol import Answer, Page
from gristmill.crawl.settings import ExtractSettings
from gristmill.errors import StageError

EXTRACTORS_MODULE = "gristmill.crawl.extraction.extractors"
MEMORY_BYTES = 720 << 20
"""Largest address space of the extraction process: trafilatura takes 90 MiB, and 60 times a page's bytes at worst."""

_PAGES_AHEAD = 16
_BYTES_AHEAD = 4 << 20
_TRIES = 2
_PAGES_PER_PROCESS = 5000
_RESIDENT_BYTES = 384 << 20
_IDLE_INTERVALS = 20
_IDLE_SHARE = 0.01
_SHORTEST_INTERVAL = 1.0


class Pool:
    """Extracts pages in another process, in order. It starts the process for the first page.

    A page that stands still, using no CPU time, is ended after twenty times its budget by the wall clock, counted in
    intervals in which it used less than a hundredth of one.
    """

    def __init__(
        self, settings: ExtractSettings, module: str = EXTRACTORS_MODULE, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        """Take the module where the process finds EXTRACTORS, for tests, and the process's largest address space."""
        self._settings = settings
        self._module = module
        self._memory_bytes = memory_bytes
        self._interval = max(settings.timeout, _SHORTEST_INTERVAL)
        self._process: ExtractionProcess | None = None
        self._waiting: deque[Page] = deque()
        self._bytes_waiting = 0
        self._answers: deque[Answer] = deque()
        self._deaths = 0
        self._idle_intervals = 0
        self._cpu_seconds = 0.0

    def __enter__(self) -> Self:
        """Return the pool."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the process."""
        self.close()

    @property
    def has_room(self) -> bool:
        """True if another page may be submitted before an answer is taken."""
        return len(self._waiting) < _PAGES_AHEAD and self._bytes_waiting < _BYTES_AHEAD

    @property
    def process_id(self) -> int | None:
        """The kernel's number of the extraction process; None if there is none now."""
        return self._process.process_id if self._process else None

    def submit(self, page: Page) -> None:
        """Add a page; it is worked on while the caller goes on."""
        self._waiting.append(page)
        self._bytes_waiting += len(page.body)
        if self._process is None:
            self._start()
        else:
            self._process.send(page)
        self._advance(0.0)

    def poll(self) -> Answer | None:
        """Return the oldest page's answer if it is there; None otherwise."""
        if not self._answers and self._waiting:
            self._advance(0.0)
        return self._answers.popleft() if self._answers else None

    def take(self) -> Answer:
        """Wait for the oldest page's answer. Raises StageError if the process cannot be started."""
        while not self._answers:
            self._advance(self._interval)
        return self._answers.popleft()

    def forget(self) -> None:
        """Drop the pages whose answers were not taken; the process lives on if there are none."""
        if self._waiting or self._answers:
            self.close()

    def close(self) -> None:
        """End the process, and drop all pages; another page starts another process."""
        if self._process is not None:
            self._process.end()
        self._process = None
        self._waiting.clear()
        self._answers.clear()
        self._bytes_waiting = self._deaths = 0

    def _start(self) -> None:
        """Start a process, with all pages that wait."""
        self._process = ExtractionProcess(self._settings, self._module, self._memory_bytes)
        self._idle_intervals, self._cpu_seconds = 0, 0.0
        for page in self._waiting:
            self._process.send(page)

    def _advance(self, seconds: float) -> None:
        """Let pages and answers move, for so long at most while nothing does."""
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None
        has_moved = process.exchange(seconds)
        while self._waiting and (answer := process.take_answer()):
            self._settle(answer)
            if process.answered >= _PAGES_PER_PROCESS or answer.resident_bytes > _RESIDENT_BYTES:
                self._retire()
                return
        if process.has_ended:
            self._bury(process.end())
        elif seconds and not has_moved and self._stands_still(process):
            process.end()
            self._bury(-signal.SIGPROF)

    def _settle(self, answer: Answer) -> None:
        """Take the oldest page's answer."""
        self._bytes_waiting -= len(self._waiting.popleft().body)
        self._answers.append(answer)
        self._deaths = self._idle_intervals = 0

    def _retire(self) -> None:
        """End a process that has grown or worked long, between pages; parsers leak."""
        assert self._process is not None
        self._process.end()
        self._process = None

    def _bury(self, code: int) -> None:
        """Decide what becomes of the page that a process died of. Raises StageError if it never was ready."""
        assert self._process is not None
        was_ready, self._process = self._process.is_ready, None
        if not was_ready:
            raise StageError(
                f"the extraction process ended with {code} before it was ready for pages; what it said stands above, "
                "or in the log of this shard"
            )
        self._deaths += 1
        if self._waiting and code == -signal.SIGPROF:
            self._settle(Answer(None, fates.TIMEOUT))
        elif self._waiting and self._deaths >= _TRIES:
            self._settle(Answer(None, fates.CRASHED))

    def _stands_still(self, process: ExtractionProcess) -> bool:
        """Return whether the page has now used hardly any CPU time for too many intervals."""
        used = process.cpu_seconds()
        self._idle_intervals += used - self._cpu_seconds < _IDLE_SHARE * self._interval
        self._cpu_seconds = used
        return self._idle_intervals >= _IDLE_INTERVALS
