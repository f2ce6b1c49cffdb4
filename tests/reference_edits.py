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


def c4_lines(
    text: str, meaning: str = "datatrove", *, terminal: bool = True, longest: int = 1000, ellipses: bool = False
) -> tuple[str, dict]:
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
        if terminal and (not line.endswith(marks) or (line.endswith("...") and not ellipses)):
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


SHORT = 10
PHRASES = tuple(
    re.compile(pattern, re.I | re.S)
    for pattern in (r"\s?(?a:items in cart)", r"\s?(?a:read more).{3}\Z", r"\A(?a:sign-in)\s?")
)
Line = list[tuple[int, str]]  # characters, each with its place in the line as it was


def refinedweb_lines(text: str) -> str:
    lines = [line for line in text.split("\n") if not line or sum(map(str.isupper, line)) / len(line) <= 0.5]
    lines = [line for line in lines if not line or not all(map(str.isdigit, line))]
    lines = [line for line in lines if not COUNTER.fullmatch(line.lower())]
    lines = [line for line in lines if not line or len(line.split()) >= 2]
    left = [list(enumerate(line)) for line in lines]
    for pattern in PHRASES:
        left = [line for whole in trimmed(left) for line in without_phrase(pattern, whole)]
    return "\n".join(map(spaced, trimmed(left)))


def said(line: Line) -> str:
    return "".join(character for _, character in line)


def trimmed(lines: list[Line]) -> list[Line]:
    """Strip the text that the lines are."""
    places = [n for n, line in enumerate(lines) if said(line).strip()]
    lines = lines[places[0] : places[-1] + 1] if places else []
    if lines:
        lines[0] = lines[0][len(said(lines[0])) - len(said(lines[0]).lstrip()) :]
        lines[-1] = lines[-1][: len(said(lines[-1]).rstrip())]
    return lines


def without_phrase(pattern: re.Pattern[str], line: Line) -> list[Line]:
    """The line without a phrase, if it is short; no line, if nothing is left of it."""
    if len(said(line).split()) > SHORT:
        return [line]
    gone = {k for match in pattern.finditer(said(line)) for k in range(*match.span())}
    left = [character for k, character in enumerate(line) if k not in gone]
    return [left] if not line or said(left).strip() else []


def spaced(line: Line) -> str:
    """The line, with a space where two words would be joined."""
    text, before = "", None
    for place, character in line:
        cut = before is not None and place != before + 1
        joins = cut and not text[-1].isspace() and character.isalnum() and not stands_alone(character)
        text += " " * joins + character
        before = place
    return text


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
