"""A client for HTTP: bytes of a file, each answer checked for being what was asked for.

One request is one try: what may pass is raised as `policy.Fault`, and `Client` tries again. Content codings are not
undone: the bytes are those that lie on the server.
"""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial

import urllib3
from urllib3.exceptions import LocationValueError, URLSchemeUnknown
from urllib3.response import BaseHTTPResponse

from gristmill import __version__
from gristmill.access import answers
from gristmill.access.body import Body, Facts
from gristmill.access.faults import NETWORK_ERRORS, in_words
from gristmill.access.policy import Fault, may_pass, pace, persist, retry_after
from gristmill.access.settings import DEFAULT_ACCESS, AccessSettings
from gristmill.errors import AccessError, MissingError

_MOST = 1 << 30
_CONNECTIONS = 16
_ANSWER_BYTES = 1 << 12
_REDIRECTS = urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=5)
_HEADERS = {"User-Agent": f"gristmill/{__version__}", "Accept-Encoding": "identity"}
_GONE = (404, 410)
_FORBIDDEN = 403
_MEANINGS = {403: " (forbidden)", 429: " (too many requests)", 503: " (slow down)"}


class NotThere(MissingError):
    """A server has no such file. ``answer``: how its answer begins, since some servers say "nothing found" so."""

    def __init__(self, message: str, answer: bytes) -> None:
        super().__init__(message)
        self.answer = answer


class Client:
    """Reads over HTTP, politely; safe to use from several threads."""

    def __init__(self, settings: AccessSettings) -> None:
        self.settings = settings
        self._pace = pace(settings)
        self._pools: dict[str, urllib3.PoolManager] = {}

    def read(self, url: str, most: int = _MOST) -> bytes:
        """Return a whole file or answer. Raises MissingError, and AccessError also if it is larger than ``most``."""
        data = self.read_range(url, 0, most + 1)
        if len(data) > most:
            raise AccessError(f"{url} is larger than {most:,} bytes, which is too much for what it should be")
        return data

    def read_range(self, url: str, start: int, size: int) -> bytes:
        """Return ``size`` bytes from an offset on, or fewer where the file ends. Raises MissingError, AccessError."""
        return self.read_range_of(url, start, size)[0]

    def read_range_of(self, url: str, start: int, size: int) -> tuple[bytes, Facts]:
        """Return the same, with what the server tells of the file."""

        def ask() -> tuple[bytes, Facts]:
            body = self.ask_range(url, start, start + size if size <= _MOST else None)
            data = _first_bytes(body, size)
            if body.facts.size is not None and len(data) < min(size, body.facts.size - start):
                raise Fault(f"it gave {len(data):,} of {size:,} bytes")
            return data, body.facts

        return persist(url, self.settings, ask)

    def facts(self, url: str) -> Facts:
        """Return what the server tells of a file, by asking for its first byte. Raises MissingError, AccessError."""
        return self.read_range_of(url, 0, 1)[1]

    def size(self, url: str) -> int:
        """Return a file's bytes. Raises MissingError, and AccessError also if the server does not tell."""
        size = self.facts(url).size
        if size is None:
            raise AccessError(f"{url}: the server does not tell its size; fetch it, and name the local file")
        return size

    def exists(self, url: str) -> bool:
        """Return whether there is such a file. Raises AccessError."""
        try:
            self.facts(url)
        except MissingError:
            return False
        return True

    def ask_range(self, url: str, start: int, end: int | None) -> Body:
        """Return the bytes from ``start`` to ``end``, None for the file's end, on their way, in one try.

        There may be fewer, or, from a server that knows no ranges, more; none if the file ends before ``start``.
        Raises Fault, MissingError, AccessError.
        """
        last = "" if end is None else max(start, end - 1)
        response = self._request(url, {"Range": f"bytes={start}-{last}"})
        if response.status == answers.PARTIAL:
            return self._body(response, partial(answers.part, start=start, end=end))
        if response.status == answers.BEYOND:
            return self._body(response, partial(answers.nothing, start=start))
        body = self._body(response, answers.whole)
        body.skip(start if body.facts.size is None else min(start, body.facts.size))
        return body

    def _body(self, response: BaseHTTPResponse, check: answers.Check) -> Body:
        """Return what an answer carries, once its header adds up. Raises Fault."""
        try:
            size, expected = check(response)
        except Fault:
            response.close()
            raise
        return Body(response, Facts(size, answers.validator(response)), expected, self.settings.timeout)

    def _request(self, url: str, headers: dict[str, str]) -> BaseHTTPResponse:
        self._pace.wait()
        timeout = urllib3.Timeout(connect=self.settings.timeout, read=self.settings.timeout)
        with _faults(url):
            response = self._pool(url).request(
                "GET", url, headers=_HEADERS | headers, preload_content=False, retries=_REDIRECTS, timeout=timeout
            )
        if response.status in (answers.WHOLE, answers.PARTIAL) or (response.status == answers.BEYOND and headers):
            return response
        with _faults(url):
            answer = response.read(_ANSWER_BYTES, decode_content=False) if response.status in _GONE else b""
        response.close()
        raise _refusal(url, response, answer)

    def _pool(self, url: str) -> urllib3.PoolManager:
        """Return the connections to use for a URL: through the proxy that the environment names, if there is one."""
        parts = urllib3.util.parse_url(url)
        proxy = urllib.request.getproxies().get(parts.scheme or "", "")
        if proxy and urllib.request.proxy_bypass(parts.host or ""):
            proxy = ""
        if proxy not in self._pools:
            make = partial(urllib3.ProxyManager, proxy) if proxy else urllib3.PoolManager
            self._pools[proxy] = make(maxsize=_CONNECTIONS)
        return self._pools[proxy]


def client(settings: AccessSettings = DEFAULT_ACCESS) -> Client:
    """Return this process's client for some settings: all that use it share its pace and its connections."""
    return _client_of(settings, os.getpid())


@cache
def _client_of(settings: AccessSettings, process: int) -> Client:
    """Return the client of a process; one that was forked gets its own, since connections cannot be shared."""
    return Client(settings)


def is_http(url: str) -> bool:
    """Return whether a URL is read over HTTP.

    >>> is_http("https://data.commoncrawl.org/"), is_http("s3://commoncrawl/")
    (True, False)
    """
    return url[:8].lower().startswith(("http://", "https://"))


def _first_bytes(body: Body, size: int) -> bytes:
    """Return the first bytes of a body, ``size`` of them or fewer where it ends. Raises Fault."""
    pieces, left = [], size
    try:
        while left and (piece := body.read(left)):
            pieces.append(piece)
            left -= len(piece)
    finally:
        body.close()
    return b"".join(pieces)


def _refusal(url: str, response: BaseHTTPResponse, answer: bytes) -> Exception:
    """Return the error for an answer that carries no bytes of the file, and begins as told."""
    status = response.status
    if status in _GONE:
        return NotThere(f"{url} does not exist (the server answered {status}); check the recipe's source", answer)
    if may_pass(status):
        what = f"the server answered {status}{_MEANINGS.get(status, '')}"
        return Fault(what, retry_after(response.headers.get("Retry-After")), is_refusal=status == _FORBIDDEN)
    return AccessError(f"{url} cannot be read: the server answered {status}; check the recipe's source")


@contextmanager
def _faults(url: str) -> Iterator[None]:
    """Raise what goes wrong on the way to a server as Fault; a URL that is none as MissingError."""
    try:
        yield
    except (LocationValueError, URLSchemeUnknown) as error:
        raise MissingError(f"{url} is no URL that can be asked for: {error}") from error
    except NETWORK_ERRORS as error:
        raise Fault(in_words(error)) from error
