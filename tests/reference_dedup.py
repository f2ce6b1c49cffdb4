"""Slow, obvious twins of gristmill/dedup: what its kernels and Arrow code must agree with."""

from __future__ import annotations

import hashlib
import re
import string
import unicodedata
from collections import defaultdict
from urllib.parse import urlsplit


def text_digest(text: str | None) -> bytes | None:
    return None if text is None else hashlib.blake2b(text.encode(), digest_size=16).digest()


def order(value: float | None, *, largest_first: bool = False) -> tuple:
    """What sorts documents by a value: those without one, or with NaN, come last."""
    if value is None or value != value:
        return (1, 0)
    return (0, -value if largest_first else value)


def scoped(digest: bytes | None, scope: str | None) -> bytes | None:
    if digest is None:
        return None
    if scope is None:
        of_scope = hashlib.blake2b(b"no scope", digest_size=16, person=b"scope").digest()
    else:
        of_scope = hashlib.blake2b(scope.encode(), digest_size=16).digest()
    return hashlib.blake2b(of_scope + digest, digest_size=16).digest()


def survivors(members: list[dict], older: dict[bytes, str] | None = None) -> list[tuple]:
    """(shard, row, duplicate_of, cluster_size) of all that have a copy, here or in older runs, by (shard, row)."""
    older = older or {}
    clusters = defaultdict(list)
    for member in members:
        if member["digest"] is not None:
            clusters[member["digest"]].append(member)
    found = []
    for cluster in clusters.values():
        known = older.get(cluster[0]["digest"])
        if len(cluster) > 1 or known is not None:
            best = min(cluster, key=lambda m: (m["order"], m["id"].encode()))
            for member in cluster:
                partner = known or (None if member is best else best["id"])
                found.append((member["shard"], member["row"], partner, len(cluster)))
    return sorted(found, key=lambda f: f[:2])


def is_accent(character: str) -> bool:
    point = ord(character)
    blocks = [(0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F)]
    return any(low <= point <= high for low, high in blocks)


def plain(character: str) -> str:
    first, *others = unicodedata.normalize("NFD", character)
    return first if all(map(is_accent, others)) else character


def normal_text(text: str | None) -> str | None:
    """Letters and numbers, without accents, in lower case, every digit 0."""
    if text is None:
        return None
    found = ""
    for character in text:
        if is_accent(character) or unicodedata.category(character)[0] not in "LNM":
            continue
        character = plain(plain(character).lower()[0])
        found += "0" if unicodedata.category(character) == "Nd" else character
    return found


TRACKS = ["utm_source", "UTM_medium", "gclid", "fbclid", "PHPSESSID", "mc_eid", "pk_campaign"]


def normal_url(url: str) -> str:
    """The form of a well-formed http or https URL, by the standard library's parser."""
    parts = urlsplit(url)
    host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
    port = "" if parts.port in (None, {"http": 80, "https": 443}[parts.scheme]) else f":{parts.port}"
    user = parts.netloc.rpartition("@")[0]
    kept = [p for p in parts.query.split("&") if p and p.split("=")[0] not in TRACKS]
    query = "?" + "&".join(kept) if kept else ""
    return f"{user}{'@' * bool(user)}{host.rstrip('.')}{port}{escaped(parts.path) or '/'}{escaped(query)}"


def escaped(text: str) -> str:
    """Each byte of what is not ASCII as %XX, no letter, digit or -._~ so."""
    found = re.sub("%[0-9A-Fa-f]{2}", lambda m: m[0].upper(), text)
    for character in string.ascii_letters + string.digits + "-._~":
        found = found.replace(f"%{ord(character):02X}", character)
    return "".join(c if "!" <= c <= "~" else "".join(f"%{byte:02X}" for byte in c.encode()) for c in found)
