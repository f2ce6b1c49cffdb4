"""A small HTTP server with Common Crawl's layout, on this machine, that can be told to misbehave.

`CrawlServer.files` maps paths to bytes, and `answers` maps paths to functions of the query (for endpoints that are no
files), which return bytes, or a status and the bytes of its answer. `faults` maps a path, or "*" for any, to the faults
of the next requests for it, one each; `fail_by_chance` draws some for every path. Faults:

    503, 403, 429, 404, …     that status; 503 as S3 says SlowDown, with Retry-After: 0
    reset, close              half of the body, then a reset or an ordinary end of the connection
    short, long               a Content-Length that is too small or too large
    whole                     the whole file, whatever range was asked for
    none                      no fault, for this one request
    slow, stall, mute         a byte now and then; half of the body and no more; no answer
"""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import random
import re
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from warcs import common_crawl

CRAWL = "CC-MAIN-2024-51"
SEGMENTS = ("1733066035857.0", "1733066036123.0")
KINDS = ("503", "403", "429", "500", "reset", "close", "short", "long", "whole")
"""The quick faults, any of which may strike any request."""

_SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)


class CrawlServer(ThreadingHTTPServer):
    """Serves ``files`` and ``answers``; ``requests`` are the path and range of each request."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = dict(files)
        self.answers = {}
        self.faults: dict[str, Iterator[str]] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.stopping = threading.Event()
        self.pause = 0.2
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Address of the server, without a slash at its end."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fail(self, path: str, *faults: str, forever: bool = False) -> None:
        """Let the next requests for a path, "*" for any, meet these faults, one each or over and over."""
        self.faults[path] = itertools.cycle(faults) if forever else iter(faults)

    def fail_ending(self, ending: str, faults: Iterator[str]) -> None:
        """Let the next requests for files of this ending meet these faults, one each, whichever file is asked for."""
        self.faults.update((path, faults) for path in self.files if path.endswith(ending))

    def requests_ending(self, ending: str) -> int:
        """Return how many requests there were for files of this ending."""
        return sum(path.endswith(ending) for path, _ in self.requests)

    def fail_by_chance(self, seed: int, kinds: Iterable[str] = KINDS, most: int = 3) -> None:
        """Let the first requests for each path meet faults: ``most`` of them at most, drawn from ``kinds``."""
        for path in self.files:
            draw = random.Random(f"{seed} {path}")
            self.fail(path, *(draw.choice(sorted(kinds)) for _ in range(draw.randint(0, most))))

    def heal(self) -> None:
        """Let no further request meet a fault, and forget the requests so far."""
        self.faults, self.requests = {}, []

    def next_fault(self, path: str) -> str | None:
        """Return the fault that a request meets."""
        with self.lock:
            found = next(self.faults.get(path, iter(())), None)
            return found if found is not None else next(self.faults.get("*", iter(())), None)

    def handle_error(self, request, client_address) -> None:
        """Say nothing: clients go away in the midst of answers here."""


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[CrawlServer]:
    """Yield a server that is up."""
    server = CrawlServer(files)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def crawl_files(crawl: str = CRAWL, files: int = 4, pages: int = 5) -> dict[str, bytes]:
    """Return a crawl: collinfo.json, lists of paths, and WARC files in two segments, each with pages of its own."""
    found = {"/collinfo.json": json.dumps(collinfo(crawl)).encode()}
    paths = []
    for number in range(files):
        segment = SEGMENTS[number % len(SEGMENTS)]
        path = f"crawl-data/{crawl}/segments/{segment}/warc/CC-MAIN-20241201162023-20241201192023-{number:05}.warc.gz"
        found[f"/{path}"] = common_crawl(pages, first=number * pages)
        paths.append(path)
    found[f"/crawl-data/{crawl}/warc.paths.gz"] = paths_file(paths)
    found[f"/crawl-data/{crawl}/segment.paths.gz"] = paths_file(f"crawl-data/{crawl}/segments/{s}" for s in SEGMENTS)
    return found


def collinfo(*crawls: str) -> list[dict[str, str]]:
    """Return what collinfo.json says of crawls."""
    return [
        {
            "id": crawl,
            "name": f"Index of {crawl}",
            "timegate": f"https://index.commoncrawl.org/{crawl}/",
            "cdx-api": f"https://index.commoncrawl.org/{crawl}-index",
            "from": "2024-12-01T16:20:23",
            "to": "2024-12-15T03:33:42",
        }
        for crawl in crawls
    ]


def paths_file(paths: Iterable[str]) -> bytes:
    """Return a packed list of paths."""
    return gzip.compress("".join(f"{path}\n" for path in paths).encode(), mtime=0)


def warc_paths(files: dict[str, bytes]) -> list[str]:
    """Return the paths of the WARC files among a server's, by their names."""
    return sorted((path for path in files if path.endswith(".warc.gz")), key=lambda path: path.rsplit("/", 1)[-1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: CrawlServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        self.server.requests.append((path, self.headers.get("Range")))
        fault = self.server.next_fault(path)
        if fault == "mute":
            self._wait()
            return self._drop()
        if fault is not None and fault.isdigit():
            return self._refuse(int(fault))
        data = self._data(path, parse_qs(parts.query))
        if isinstance(data, tuple):
            return self._refuse(*data)
        return self._refuse(404) if data is None else self._answer(data, fault)

    do_HEAD = do_GET

    def log_message(self, *arguments) -> None:
        """Say nothing."""

    def _data(self, path: str, query: dict[str, list[str]]) -> bytes | None:
        answer = self.server.answers.get(path)
        return self.server.files.get(path) if answer is None else answer(query)

    def _refuse(self, status: int, body: bytes | None = None) -> None:
        body = body or (_SLOW_DOWN if status == 503 else f"{status}\n".encode())
        self.send_response(status)
        if status in (429, 503):
            self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self._write(body)

    def _answer(self, data: bytes, fault: str | None) -> None:
        start, end = self._range(len(data)) if fault != "whole" else (0, len(data))
        if start >= len(data) > 0 or (start == end and self.headers.get("Range") and fault != "whole"):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        is_part = self.headers.get("Range") is not None and fault != "whole"
        body = data[start:end]
        self.send_response(206 if is_part else 200)
        if is_part:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.send_header(
            "Content-Length", str(len(body) + {"short": -min(7, len(body)), "long": 7}.get(fault or "", 0))
        )
        self.send_header("ETag", f'"{hashlib.md5(data).hexdigest()}"')
        self.end_headers()
        return self._send(body, fault)

    def _send(self, body: bytes, fault: str | None) -> None:
        if fault in ("reset", "close", "stall"):
            self._write(body[: len(body) // 2])
            self._wait() if fault == "stall" else None
            return self._drop(reset=fault == "reset")
        if fault == "slow":
            for byte in body:
                self._write(bytes([byte]))
                if self.server.stopping.wait(self.server.pause):
                    break
            return self._drop()
        self._write(body)
        return self._drop() if fault in ("short", "long") else None

    def _range(self, size: int) -> tuple[int, int]:
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range") or "")
        if found is None:
            return 0, size
        if not found[1]:
            return max(0, size - int(found[2])), size
        return int(found[1]), min(size, int(found[2]) + 1) if found[2] else size

    def _write(self, data: bytes) -> None:
        if self.command != "HEAD":
            with suppress(OSError):
                self.wfile.write(data)
                self.wfile.flush()

    def _wait(self) -> None:
        self.server.stopping.wait(60)

    def _drop(self, *, reset: bool = False) -> None:
        """End the connection; with ``reset``, so that the client loses what it has not read."""
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
