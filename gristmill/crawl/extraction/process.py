"""The extraction process as its parent sees it: pages go in, answers come out, nothing blocks for longer than asked."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

from gristmill.crawl.extraction.protocol import READY, Answer, Page, pack_page, unpack_answer
from gristmill.crawl.settings import ExtractSettings

_PIPE_BYTES = 1 << 20
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class ExtractionProcess:
    """One process that extracts pages in the order they are sent, until it is ended or ends itself."""

    def __init__(self, settings: ExtractSettings, module: str, memory_bytes: int) -> None:
        """Start it, with the module where it finds EXTRACTORS, and its largest address space."""
        arguments = [str(os.getpid()), settings.model_dump_json(), module, str(memory_bytes)]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "gristmill.crawl.extraction.child", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=_environment(),
            process_group=0,  # out of reach of a terminal's Ctrl-C, which is for the launcher to answer
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._poll = select.poll()
        for pipe in (self._in, self._out):
            _prepare(pipe)
        self._poll.register(self._out, select.POLLIN)
        self._unsent: deque[memoryview] = deque()
        self._received = bytearray()
        self.is_ready = False
        self.has_ended = False
        self.answered = 0

    @property
    def process_id(self) -> int:
        """The kernel's number of the process."""
        return self._process.pid

    def send(self, page: Page) -> None:
        """Queue a page; it is written while `exchange` runs."""
        if not self._unsent:
            self._poll.register(self._in, select.POLLOUT)
        self._unsent.extend(memoryview(part) for part in (pack_page(page), page.body) if part)

    def exchange(self, seconds: float) -> bool:
        """Write what can be written, read what can be read, waiting at most so long; return whether anything moved."""
        events = dict(self._poll.poll(seconds * 1000))
        if self._in in events:
            self._write()
        if self._out in events:
            self._read()
        return bool(events)

    def take_answer(self) -> Answer | None:
        """Return the next answer, in the order of the pages; None if it has not come yet."""
        found = unpack_answer(self._received) if self.is_ready else None
        if found is None:
            return None
        answer, size = found
        del self._received[:size]
        self.answered += 1
        return answer

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process has used, read from its own clock."""
        return time.clock_gettime(~self._process.pid << 3 | 2)  # clock_getcpuclockid(3), which Python does not offer

    def end(self) -> int:
        """Kill the process if it has not ended yet; return what it ended with, negative for a signal."""
        if not self.has_ended:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return self._process.wait()

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                try:
                    written = os.write(self._in, self._unsent[0])
                except BrokenPipeError:  # it has ended, as reading will tell
                    self._unsent.clear()
                    break
                self._unsent[0] = self._unsent[0][written:]
                if not self._unsent[0]:
                    self._unsent.popleft()
        if not self._unsent:
            self._poll.unregister(self._in)

    def _read(self) -> None:
        data = os.read(self._out, _PIPE_BYTES)
        self.has_ended = not data
        self._received += data
        if not self.is_ready and self._received.startswith(READY):
            self.is_ready = True
            del self._received[: len(READY)]


def _prepare(pipe: int) -> None:
    """Make a pipe one that never blocks, and large enough for most pages where the system allows it."""
    os.set_blocking(pipe, False)
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _environment() -> dict[str, str]:
    """Return the process's environment: it finds this package, hashes without a seed, and keeps to one thread."""
    package_root = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH")]))
    return {**os.environ, **_ONE_THREAD, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
