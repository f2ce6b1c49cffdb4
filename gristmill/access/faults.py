"""What went wrong on the way to a server, in words."""

from __future__ import annotations

from http.client import HTTPException

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    SSLError,
    TimeoutError,
)

NETWORK_ERRORS = (HTTPError, HTTPException, OSError)
"""What a request or the reading of its answer may raise."""

_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (NameResolutionError, "the server's name is not known, as without a network"),
    (NewConnectionError, "the server takes no connection"),
    (ConnectTimeoutError, "it could not be connected to in time"),
    (TimeoutError, "no answer came in time"),
    (ProxyError, "the proxy takes no connection"),
    (SSLError, "no secure connection came about: {0}"),
    (ProtocolError, "the connection broke off"),
    (ConnectionError, "the connection broke off"),
    (HTTPException, "the answer is no HTTP"),
)


def in_words(error: BaseException) -> str:
    """Return what an error of the network means.

    >>> in_words(ConnectionResetError(104, "Connection reset by peer"))
    'the connection broke off'
    """
    while isinstance(error, MaxRetryError) and error.reason is not None:
        error = error.reason
    words = (text.format(error) for kind, text in _WORDS if isinstance(error, kind))
    return next(words, None) or f"{type(error).__name__}: {error}"
