"""URLs in one form for deduplication: two that most likely name the same page are equal text.

Not the form in which addresses are looked up in blocklists: there all is lower case and nothing of the path matters,
here one page must not hide another.

    scheme      http and https are the same, and are left out; any other stays
    host        lower case, ASCII (IDNA), without dots at its end; ``www.`` stays unless it is asked to be cut
    port        80 of http and 443 of https are left out
    user        stays
    path        case stays; ``/.`` and ``/..`` are resolved (RFC 3986, 5.2.4); an empty one is ``/``
    query       stays in its order, without parameters that only track; an empty one is left out
    fragment    left out
    escapes     of letters, digits and ``-._~`` are undone, others in upper case; what is not ASCII is escaped

Nothing here raises, whatever a crawler recorded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from gristmill.hosts import normal_host

_TRACKING = """_branch_match_id _ga _gac _gl _hsenc _hsmi _ke _kx _openstat dclid epik fbclid gad_campaignid gad_source
gbraid gclid gclsrc hsctatracking igsh igshid jsessionid li_fat_id mc_cid mc_eid mkt_tok msclkid oly_anon_id oly_enc_id
phpsessid rb_clickid s_cid srsltid sscid ttclid twclid vero_conv vero_id wbraid wickedid yclid ymclid"""
TRACKING: Final = tuple(_TRACKING.split())
"""Parameters that tell how a visitor came, or which session is theirs; in lower case."""
TRACKING_PREFIXES: Final = ("utm_", "mtm_", "pk_", "piwik_", "matomo_", "hsa_")
"""How the names of further such parameters begin."""

_USUAL = re.compile(r"https?://([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*)(?=[/?#]|\Z)")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):[/\\]*|[/\\]{2}")
_AUTHORITY = re.compile(r"[^/?#\\]*")
_EDGES = "".join(map(chr, range(0x21)))
_AT_PORT = re.compile(r":[0-9]*\Z")
_INSIDE = re.compile("[\t\n\r]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_KEPT = "".join(map(chr, range(0x21, 0x7F)))
_SESSION = re.compile(r";jsessionid=[^;/?]*", re.IGNORECASE)
_DEFAULT_PORTS = {"http": "80", "https": "443"}

_VERSION: Final = "1"

Normalizer = Callable[[str], str]


def versions() -> dict[str, str]:
    """Return the version of what decides the form; it belongs into the stage's hash."""
    return {"url": _VERSION}


def url_normalizer(*, cut_www: bool = False, cut_parameters: tuple[str, ...] = ()) -> Normalizer:
    """Return the function that brings a URL into its form; ``cut_parameters`` are names that track, too.

    >>> url_normalizer()("HTTPS://WWW.Bücher.example:443/a/../B%7e?utm_source=x&id=1#top")
    'www.xn--bcher-kva.example/B~?id=1'
    """
    names = frozenset([*TRACKING, *(name.lower() for name in cut_parameters)])

    def normalized(url: str) -> str:
        usual = _USUAL.match(url)
        if usual is None:
            place, rest = _parts(url)
        else:
            place, rest = usual[1], url[usual.end() :]
        if cut_www and place.startswith("www.") and "." in place[4:]:
            place = place[4:]
        return place + _rest(rest, names)

    return normalized


def host_of(url: str) -> str:
    """Return the host of a URL in its form, without user and port; empty where there is none.

    >>> host_of("http://me:secret@Example.org:8080/a"), host_of("http://[2001:DB8::1]:81/")
    ('example.org', '[2001:db8::1]')
    """
    usual = _USUAL.match(url)
    place = usual[1] if usual else _parts(url)[0].rpartition("://")[2].rpartition("@")[2]
    return _AT_PORT.sub("", place)


def _parts(url: str) -> tuple[str, str]:
    """Return scheme, user, host and port of any URL in one text, and what follows them."""
    text = _SURROGATE.sub("\ufffd", _INSIDE.sub("", url.strip(_EDGES)))
    found = _SCHEME.match(text)
    scheme = (found[1] or "http").lower() if found else "http"
    text = text[found.end() :] if found else text
    authority = _AUTHORITY.match(text)
    assert authority is not None  # it matches nothing at least
    user, at, place = authority[0].rpartition("@")
    shown = "" if scheme in _DEFAULT_PORTS else f"{scheme}://"
    rest = text[authority.end() :]
    if shown == "":
        rest = rest.replace("\\", "/", rest.partition("?")[0].count("\\"))
    return f"{shown}{_escaped(user)}{at}{_host_and_port(place, scheme)}", rest


@lru_cache(maxsize=1 << 16)
def _host_and_port(place: str, scheme: str) -> str:
    host, colon, port = place.rpartition(":") if _AT_PORT.search(place) else (place, "", "")
    name, is_numeric = normal_host(host.lower())
    name = f"[{name}]" if is_numeric and ":" in name else name
    port = port.lstrip("0") if port.strip("0") else port[:1]
    return name if port in ("", _DEFAULT_PORTS.get(scheme)) else f"{name}{colon}{port}"


def _rest(rest: str, tracking: frozenset[str]) -> str:
    """Return path and query in their form."""
    rest = rest.partition("#")[0]
    path, mark, query = rest.partition("?")
    if ";" in path:
        path = _SESSION.sub("", path)
    path = _escaped(path)
    if "/." in path:
        path = _without_dots(path)
    query = _escaped(_without_tracking(query, tracking)) if mark else ""
    return f"{path or '/'}?{query}" if query else path or "/"


def _without_tracking(query: str, tracking: frozenset[str]) -> str:
    kept = []
    for parameter in query.split("&"):
        name = parameter.partition("=")[0].lower()
        if parameter and name not in tracking and not name.startswith(TRACKING_PREFIXES):
            kept.append(parameter)
    return "&".join(kept)


def _escaped(text: str) -> str:
    if "%" in text:
        text = _ESCAPE.sub(_unescaped, text)
    if text.isascii() and text.isprintable() and " " not in text:
        return text
    return quote(text.encode("utf-8", "replace"), safe=_KEPT)


def _unescaped(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()


def _without_dots(path: str) -> str:
    """Return a path with its dot segments resolved."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == ".." and len(kept) > 1:
            kept.pop()
        elif segment not in (".", ".."):
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept)
