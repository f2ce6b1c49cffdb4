"""Slow, obvious twins of the signals of personal data, of scripts and of code."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

import reference_edits
import regex
import unicode_scripts
from datatrove.pipeline.formatters.pii import PIIFormatter
from reference import ratio

from gristmill.filters.pii.numbers import IBAN_LENGTHS

# --- personal data ---------------------------------------------------------------------------------------------------

Span = tuple[int, int]
DIGITS, CAPITALS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALPHANUMERIC = DIGITS + CAPITALS + CAPITALS.lower()


def at(text: str, place: int) -> str:
    """The character at a place, or nothing."""
    return text[place] if 0 <= place < len(text) else ""


def is_in(character: str, characters: str) -> bool:
    return bool(character) and character in characters


def emails(text: str) -> Iterator[Span]:
    yield from (match.span() for match in PIIFormatter().emails_replacer.regex.finditer(text))


def ips(text: str) -> Iterator[Span]:
    yield from (m.span() for m in reference_edits.IP.finditer(text) if reference_edits.is_public(m[0]))


def is_iban(text: str) -> bool:
    moved = text[4:] + text[:4]
    remainder = 0
    for character in moved:
        for digit in str(int(character, 36)):
            remainder = (remainder * 10 + int(digit)) % 97
    return remainder == 1


def ibans(text: str) -> Iterator[Span]:
    """From the left: a country, two digits, so many letters and digits, a space before any of them."""
    done = 0
    for start in range(len(text)):
        length = IBAN_LENGTHS.get(text[start : start + 2], 0)
        if start < done or not length or is_in(at(text, start - 1), ALPHANUMERIC):
            continue
        found = re.match(rf"[A-Z]{{2}}[0-9]{{2}}(?: ?[0-9A-Z]){{{length - 4}}}(?![0-9A-Za-z])", text[start:])
        if found and re.match(r".{4} ?[0-9A-Z]{4}", found[0]) and is_iban(found[0].replace(" ", "")):
            done = start + found.end()
            yield start, done


def luhn(digits: str) -> bool:
    doubled = [int(d) * 2 if place % 2 else int(d) for place, d in enumerate(reversed(digits))]
    return sum(map(int, "".join(map(str, doubled)))) % 10 == 0


def cards(text: str) -> Iterator[Span]:
    """Whole runs of digits with single spaces or hyphens between them, that no letter touches."""
    for match in re.finditer(r"[0-9](?:[ -]?[0-9])*", text):
        digits = re.sub("[ -]", "", match[0])
        touched = is_in(at(text, match.start() - 1), ALPHANUMERIC) or is_in(at(text, match.end()), ALPHANUMERIC)
        if 13 <= len(digits) <= 19 and digits[0] in "3456" and not touched and luhn(digits):
            yield match.span()


def phones(text: str) -> Iterator[Span]:
    """After a plus, up to 15 digits; the last one taken has no digit right after it."""
    for start in (m.start() for m in re.finditer(r"\+(?=[1-9])", text)):
        if is_in(at(text, start - 1), ALPHANUMERIC + "+"):
            continue
        ends = [start + 2]
        while len(ends) < 15 and (more := re.match(r"[ .()/-]{0,2}[0-9]", text[ends[-1] : ends[-1] + 3])):
            ends.append(ends[-1] + more.end())
        ends = [end for end in ends[7:] if not is_in(at(text, end), DIGITS)]
        if ends:
            yield start, ends[-1]


FINDERS = {"email": emails, "ip": ips, "iban": ibans, "card": cards, "phone": phones}


def pii_spans(text: str) -> list[tuple[int, int, str]]:
    """All kinds together, as characters; of spans that overlap, that of the first kind."""
    taken: list[tuple[int, int, str]] = []
    for kind, find in FINDERS.items():
        taken += [(a, b, kind) for a, b in find(text) if all(b <= start or end <= a for start, end, _ in taken)]
    return sorted(taken)


def pii(text: str, words: list[str]) -> dict[str, int]:
    counts = Counter(kind for _, _, kind in pii_spans(text))
    return {f"{kind}_count": counts[kind] for kind in FINDERS}


# --- scripts ---------------------------------------------------------------------------------------------------------

SHARES = {
    "latin": "Latn",
    "cyrillic": "Cyrl",
    "greek": "Grek",
    "arabic": "Arab",
    "hebrew": "Hebr",
    "devanagari": "Deva",
    "thai": "Thai",
    "han": "Hani",
    "kana": "Hrkt",
    "hangul": "Hang",
}
KANA = regex.compile(r"\p{Script=Hira}|\p{Script=Kana}|(?=\p{scx=Hira})(?=\p{scx=Kana})(?!\p{scx=Hani})\p{L}")
CODES = unicode_scripts.codes()


@functools.cache
def script(character: str) -> str:
    if KANA.match(character):
        return "Hrkt"
    code = next(code for name, code in CODES.items() if regex.match(rf"\p{{Script={name}}}", character))
    return "Zyyy" if code in ("Zinh", "Zzzz") else code


def scripts(text: str, words: list[str]) -> dict[str, float | str]:
    letters = [c for c in text if c.isalpha()]
    by_script = Counter(map(script, letters))
    common = by_script.pop("Zyyy", 0)
    kinds = Counter(unicodedata.category(c)[0] for c in text)
    main = max(sorted(by_script), key=by_script.__getitem__, default="Zyyy")
    return {
        "character_count": len(text),
        "letter_ratio": ratio(len(letters), len(text)),
        "digit_ratio": ratio(sum(map(str.isdecimal, text)), len(text)),
        "punctuation_ratio": ratio(kinds["P"], len(text)),
        "symbol_ratio": ratio(kinds["S"], len(text)),
        "white_space_ratio": ratio(sum(map(str.isspace, text)), len(text)),
        **{f"{name}_letter_ratio": ratio(by_script[code], len(letters)) for name, code in SHARES.items()},
        "other_letter_ratio": ratio(
            common + sum(n for code, n in by_script.items() if code not in SHARES.values()), len(letters)
        ),
        "script_count": len(by_script),
        "main_script": main,
        "main_script_ratio": ratio(by_script[main], len(letters)),
    }


# --- code ------------------------------------------------------------------------------------------------------------

SPACE = "[ \t\n\f\r]"
MARKUP = re.compile(
    r"<!--(?:.*?(?<=--)>|.*\Z)"
    r"|<[!?](?!--)[^>]*(?:>|\Z)"
    r"|</(?![A-Za-z])[^>]*(?:>|\Z)"
    rf"|</?[A-Za-z](?:={SPACE}*\"[^\"]*(?:\"|\Z)|={SPACE}*'[^']*(?:'|\Z)|(?!={SPACE}*[\"'])[^>])*(?:>|\Z)",
    re.DOTALL,
)
HIDDEN = re.compile(rf"<(script|style)(?={SPACE}|[/>]|\Z)", re.IGNORECASE | re.ASCII)
REFERENCE = re.compile(r"&#?[0-9A-Za-z]{1,32};")


def visible(text: str) -> int:
    """Go from the left, over markup with what it hides, over references, over characters."""
    pieces, place = [""], 0
    while place < len(text):
        if markup := MARKUP.match(text, place):
            pieces.append("")
            hides = HIDDEN.match(text, place)
            place = markup.end()
            if hides:
                end_tag = re.compile(rf"</{hides[1]}(?={SPACE}|[/>]|\Z)", re.IGNORECASE | re.ASCII)
                closed = end_tag.search(text, place)
                place = closed.start() if closed else len(text)
            continue
        reference = REFERENCE.match(text, place)
        pieces[-1] += "&" if reference else text[place]
        place = reference.end() if reference else place + 1
    return sum(len(piece) if piece.strip(" \t\n\f\r") else min(len(piece), 1) for piece in pieces)


def code(text: str, words: list[str]) -> dict[str, float]:
    lines = text.splitlines()
    return {
        "line_count": len(lines),
        "mean_line_length": ratio(sum(map(len, lines)), len(lines)),
        "longest_line_length": max(map(len, lines), default=0),
        "letter_ratio": ratio(sum(map(str.isalpha, text)), len(text)),
        "alphanumeric_ratio": ratio(sum(map(str.isalnum, text)), len(text)),
        "digit_ratio": ratio(sum(map(str.isdecimal, text)), len(text)),
        "character_count": len(text),
        "whitespace_token_count": len(text.split()),
        "xml_declaration_count": text[:100].count("<?xml version="),
        "visible_character_count": visible(text),
        "visible_character_ratio": ratio(visible(text), len(text)),
    }
