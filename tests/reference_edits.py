"""Slow, obvious twins of the edits: a text in, the edited text out, by ``re`` and ``str`` methods."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable

import nupunkt
from reference_lines import sentences as unicode_sentences

from gristmill.characters import ALONE, PUNCTUATION, character_classes

CITATIONS = re.compile(r"(?:\[\d*]|\[edit]|\[citation needed])+")
POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
COUNTER = re.compile(
    r"\W*\d(?:,|\.|\d)*(?:k|m|b)?\s+"
    r"(?:likes|shares|comments|retweets|reposts|quotes|bookmarks|upvotes|downvotes|downloads|views|followers)\W*"
)
IP = re.compile(r"(?<![0-9])(?<![0-9]\.)(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9])(?!\.[0-9])")


def applied(text: str, edits: list[dict]) -> str:
    """Make edits, given as they stand in a layer, on the bytes of a text."""
    data, done, out = text.encode(), 0, b""
    for edit in edits:
        out += data[done : edit["start"]] + edit["replacement"].encode()
        done = edit["end"]
    return (out + data[done:]).decode()


def stands_alone(character: str) -> bool:
    return bool(character_classes()[ord(character)] & ALONE)


def without(pattern: re.Pattern[str], text: str) -> str:
    """Cut what a pattern matches; a space stays where two words would be joined."""

    def gap(match: re.Match[str]) -> str:
        before, after = text[: match.start()][-1:], text[match.end() :][:1]
        joins = before and not before.isspace() and after.isalnum() and not stands_alone(after)
        return " " if joins else ""

    return pattern.sub(gap, text)


def citations(text: str) -> str:
    return without(CITATIONS, text)


def c4_lines(text: str, meaning: str = "datatrove", *, terminal: bool = True, longest: int = 1000) -> tuple[str, dict]:
    fewest = {"datatrove": 3, "paper": 5}[meaning]
    marks = (".", "?", "!", '"', "'") if meaning == "datatrove" else (".", "?", "!", '"')
    kept, sentences, found = [], 0, Counter(lorem_ipsum_line_count=0, curly_bracket_line_count=0, cut_line_count=0)
    for whole in text.splitlines():
        line = whole.strip()
        words = line.split()
        found["cut_line_count"] += bool(line)
        if any(len(word) > longest for word in words):
            continue
        joined = CITATIONS.sub("", line)
        line = citations(line)
        if terminal and (not line.endswith(marks) or line.endswith("...")):
            continue
        if len(words if meaning == "datatrove" else line.split()) < fewest:
            continue
        found["lorem_ipsum_line_count"] += "lorem ipsum" in line.lower()
        if "javascript" in line.lower():
            continue
        found["curly_bracket_line_count"] += "{" in line
        if any(term in line.lower() for term in POLICY):
            continue
        found["cut_line_count"] -= bool(words)
        kept.append(line)
        sentences += unicode_sentences(joined, "unicode")
    edited = "\n".join(kept).strip()
    if meaning == "paper":
        sentences = sum(len(nupunkt.sent_spans(line)) for line in edited.split("\n") if line.strip())
    found["kept_sentence_count"] = sentences
    return edited, dict(found)


def refinedweb_lines(text: str) -> str:
    kept = []
    for line, whole in zip(text.splitlines(), text.splitlines(keepends=True), strict=True):
        words = line.split()
        if line and sum(map(str.isupper, line)) / len(line) > 0.5:
            continue
        if line and (all(map(str.isdigit, line)) or COUNTER.fullmatch(line.lower()) or len(words) < 2):
            continue
        if len(words) <= 10:
            shorter = without_phrases(line)
            if shorter != line and not shorter.strip():
                continue
            whole = shorter + whole[len(line) :]
        kept.append(whole)
    return "".join(kept).strip()


PHRASES = re.compile(
    r"[ \t\n\r\f\v]?items in cart|(?<![ \t\n\r\f\v])[ \t\n\r\f\v]*read more\.\.\.$|^sign-in[ \t]?", re.ASCII | re.I
)


def without_phrases(line: str) -> str:
    inner = line.strip()
    start = line.index(inner)
    return (
        line[:start]
        + without(re.compile(f"(?:{PHRASES.pattern})+", re.ASCII | re.I), inner)
        + line[start + len(inner) :]
    )


def repeated_lines(text: str, copies: int = 2, where: str = "ends", kept: str = "none") -> str:
    lines = text.splitlines(keepends=True)
    names = [line.strip() for line in lines]
    counts = Counter(names)
    goes = [bool(name) and counts[name] >= copies for name in names]
    if where == "ends":
        edge = 0
        while edge < len(names) and (goes[edge] or not names[edge]):
            edge += 1
        tail = len(names)
        while tail > 0 and (goes[tail - 1] or not names[tail - 1]):
            tail -= 1
        while edge and not names[edge - 1]:
            edge -= 1
        while tail < len(names) and not names[tail]:
            tail += 1
        goes = [index < edge or index >= tail for index in range(len(names))]
    if kept == "first":
        goes = [
            gone and bool(name) and name in names[:i] for i, (gone, name) in enumerate(zip(goes, names, strict=True))
        ]
    return "".join(line for line, gone in zip(lines, goes, strict=True) if not gone).strip()


def symbol_lines(text: str, replacement: str = "") -> str:
    kept, within = [], False
    for line in text.splitlines():
        only = bool(line.strip()) and all(c == " " or character_classes()[ord(c)] & PUNCTUATION for c in line)
        if not only:
            kept.append(line)
        elif replacement and not within:
            kept.append(replacement)
        within = only
    return "\n".join(kept)


def ips(text: str, replacement: str) -> str:
    def mask(match: re.Match[str]) -> str:
        return replacement if is_public(match[0]) else match[0]

    return IP.sub(mask, text)


def is_public(address: str) -> bool:
    try:
        found = ipaddress.IPv4Address(address)
    except ValueError:
        return False
    if found in ipaddress.IPv4Network("192.0.0.0/24"):  # Python's answer changed in 3.12.4
        return address in ("192.0.0.9", "192.0.0.10")
    return found.is_global


Twin = Callable[[str], str]
