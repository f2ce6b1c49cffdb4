"""Addresses in one form, so that two that name the same thing are equal text. Nothing here raises, whatever comes.

Everything is compared in lower case. A host is ASCII (IDNA, by UTS 46), without the dots at its end; an IP address is
as its standard writes it, however it was written. What crawlers record need not be a URL at all: a scheme may be
missing, ports and escapes may be nonsense, and hosts may have names that IDNA forbids.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, unquote

from gristmill.hosts import normal_host

_DEFAULT_PORTS = ("", "80", "443")
_UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._~")
_KEPT_IN_PATHS = "".join(chr(code) for code in range(0x21, 0x7F))

_USUAL = re.compile(r"(?:https?:)?//([a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.[a-z][a-z0-9-]*)(?::(\d{0,5}))?(?=[/?#]|\Z)")
_SCHEME = re.compile(r"(?:https?|ftp|wss?):[/\\]*|(?:[a-z][a-z0-9+.-]*:)?[/\\]{2,}")
_AUTHORITY = re.compile(r"[^/\\?#]*")
_PORT = re.compile(r"[0-9]{1,5}")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile(r"%([0-9a-f]{2})")


class Address(NamedTuple):
    """An address in parts, all in lower case.

    ``host`` is normal and ASCII, empty where there is none; ``is_numeric`` is true for an IP address, and for what ends
    as only one may, so that no domain stands above it; ``rest`` is what follows host and port, without the
    fragment; ``text`` is all that follows the scheme, as it was written.
    """

    host: str
    is_numeric: bool
    port: str
    rest: str
    text: str


def parse_url(url: str) -> Address:
    """Return a URL in parts, or what looks like one.

    >>> parse_url("HTTP://User:pw@WWW.Bücher.example.:8080/A?b#c")[:4]
    ('www.xn--bcher-kva.example', False, '8080', '/a?b')
    """
    text = url.lower()
    if usual := _USUAL.match(text):
        rest = text[usual.end() :].partition("#")[0]
        return Address(usual[1], False, usual[2] or "", rest, text[usual.start(1) :])
    text = _SURROGATE.sub("\ufffd", _CONTROL.sub("", text)).strip()
    scheme = _SCHEME.match(text)
    text = text[scheme.end() :] if scheme else text
    authority = _AUTHORITY.match(text)
    assert authority is not None  # it matches nothing at least
    host, port = _host_and_port(authority[0].rpartition("@")[2])
    host, is_numeric = normal_host(host)
    return Address(host, is_numeric, port, text[authority.end() :].partition("#")[0].replace("\\", "/"), text)


def parents(host: str) -> Iterator[str]:
    """Yield a host, then each domain above it that has at least two labels.

    >>> list(parents("a.b.example.com"))
    ['a.b.example.com', 'b.example.com', 'example.com']
    """
    yield host
    dot = host.find(".")
    while (following := host.find(".", dot + 1)) > 0:
        yield host[dot + 1 :]
        dot = following


def exact_key(address: Address) -> str:
    """Return what two equal addresses have in common: ASCII that holds a slash.

    Scheme, user, fragment, a default port, a leading ``www.`` and a slash at the end do not count.

    >>> exact_key(parse_url("https://www.Example.com:443/%7Eme/ä/#top"))
    'example.com/~me/%c3%a4'
    """
    host, _, port, rest, _ = address
    short = host[4:] if host.startswith("www.") and "." in host[4:] else host
    if "%" in rest:
        rest = _ESCAPE.sub(_unescaped, rest)
    if not rest.isascii() or " " in rest:
        rest = quote(rest.encode("utf-8", "replace"), safe=_KEPT_IN_PATHS).lower()
    if "?" not in rest:
        rest = rest.rstrip("/")
    at_port = "" if port in _DEFAULT_PORTS else f":{port}"
    return f"{short}{at_port}{rest}" if rest.startswith("/") else f"{short}{at_port}/{rest}"


def readable_text(address: Address) -> str:
    """Return an address without its scheme as a reader would see it: escapes undone once, IDNA undone, lower case.

    >>> readable_text(parse_url("http://xn--bcher-kva.example/caf%C3%A9"))
    'bücher.example/café'
    """
    text = address.text
    if "xn--" in address.host:
        text = _unicode_host(address.host) + address.rest
    if "%" in text:
        text = unquote(text).lower()
    return text if text.isascii() else unicodedata.normalize("NFKC", text).lower()


def _host_and_port(place: str) -> tuple[str, str]:
    if place.startswith("["):
        host, bracket, after = place.partition("]")
        host, port = host + bracket, after.removeprefix(":")
    else:
        host, _, port = place.partition(":")
    return host, port if _PORT.fullmatch(port) else ""


def _unicode_host(host: str) -> str:
    return ".".join(map(_unicode_label, host.split(".")))


def _unicode_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode").encode("utf-8", "replace").decode()
    except (ValueError, OverflowError):
        return label


def _unescaped(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16)).lower()
    return character if character in _UNRESERVED else escape[0]
