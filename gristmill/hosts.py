"""Hosts in one form, so that two that name the same machine are equal text. Nothing here raises, whatever comes.

A host is ASCII (IDNA, by UTS 46), without the dots at its end; an IP address is as its standard writes it, however it
was written. What crawlers record need not be a host: it may have names that IDNA forbids.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import unquote

import idna

_LONGEST_HOST = 255

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f#%/:<>?@\[\\\]^|]")
_IPV4_PART = re.compile(r"0x[0-9a-f]*|\d{1,20}")
_OTHER_DOTS = re.compile("[\u3002\uff0e\uff61]")


def normal_host(host: str) -> tuple[str, bool]:
    """Return a lower-case host as ASCII, with whether it is an IP address or ends as only one may.

    A name that IDNA forbids is written in Punycode label by label, as browsers once did; what no host may hold becomes
    ``_``. Of a name that is too long for any resolver only the end is looked at.

    >>> normal_host("☕.example."), normal_host("0x7f.1"), normal_host("[2001:DB8:0:0::1]")
    (('xn--53h.example', False), ('127.0.0.1', True), ('2001:db8::1', True))
    """
    if host.startswith("["):
        return _ipv6(host.strip("[]"))
    if "%" in host:
        host = _CONTROL.sub("", unquote(host)).lower()
    host = host[-_LONGEST_HOST:]
    if not host.isascii():
        host = _as_ascii(host)
    host = _FORBIDDEN.sub("_", host.strip(". "))[-_LONGEST_HOST:].strip(".")
    if _ends_as_number(host):
        number = _ipv4(host)
        return number or host, True
    return host, False


def _ends_as_number(host: str) -> bool:
    return host[-1:].isdigit() or host.rpartition(".")[2].startswith("0x")


def _ipv6(host: str) -> tuple[str, bool]:
    try:
        return ipaddress.IPv6Address(host).compressed, True
    except ValueError:
        plain = _FORBIDDEN.sub("_", host.encode("ascii", "replace").decode().strip(". "))[2 - _LONGEST_HOST :].strip(
            "."
        )
        return f"_{plain.replace('.', '_')}_" if _ends_as_number(plain) else plain, False


def _ipv4(host: str) -> str | None:
    """Return a number of up to four parts, each decimal, octal or hexadecimal, as four decimals; None if it is none."""
    parts = host.split(".")
    if len(parts) > 4 or not all(map(_IPV4_PART.fullmatch, parts)):
        return None
    try:
        *high, low = [_ipv4_part(part) for part in parts]
        value = sum(number << (24 - 8 * place) for place, number in enumerate(high)) + low
        is_one = all(number < 256 for number in high) and low < 256 ** (5 - len(parts))
        return str(ipaddress.IPv4Address(value)) if is_one else None
    except ValueError:
        return None


def _ipv4_part(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if part.startswith("0") and len(part) > 1 else 10)


def _as_ascii(host: str) -> str:
    try:
        host = idna.uts46_remap(host, std3_rules=False, transitional=False)
    except (idna.IDNAError, ValueError, IndexError):
        host = _OTHER_DOTS.sub(".", unicodedata.normalize("NFKC", host).lower())
    return ".".join(map(_ascii_label, host.split(".")))


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    try:
        return idna.alabel(label).decode("ascii")
    except (idna.IDNAError, ValueError, IndexError):
        return "xn--" + label.encode("punycode").decode("ascii")
