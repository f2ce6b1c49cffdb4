"""Numbers and bounds as a reader sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NONE = "–"
_DIGITS_WRITTEN = 14
_SIDES = {"min": "≥", "max": "≤"}


def count(value: int | None) -> str:
    """Return a whole number with its thousands apart.

    >>> count(1234567), count(None)
    ('1,234,567', '–')
    """
    return NONE if value is None else f"{value:,}"


def span(least: int, most: int) -> str:
    """Return a span of whole numbers, both ends in it.

    >>> span(2, 2), span(100, 999)
    ('2', '100–999')
    """
    return count(least) if least == most else f"{count(least)}–{count(most)}"


def component(found: Mapping[str, int]) -> str:
    """Return the components of one size in words.

    >>> component({"size": 1200, "components": 1, "survivors": 3})
    '1,200 documents, 3 of which survive'
    >>> component({"size": 2, "components": 5, "survivors": 6})
    '2 documents, as 4 more have; 6 of all these survive'
    """
    more = found["components"] - 1
    as_many = f", as {count(more)} more have; {count(found['survivors'])} of all these" if more else ""
    return f"{count(found['size'])} documents" + (as_many or f", {count(found['survivors'])} of which") + " survive"


def share(part: int | None, whole: int | None) -> str:
    """Return a part of a whole in percent: no rounding makes some into none, or not all into all.

    >>> share(1, 3), share(0, 3), share(1, 100_000), share(99_999, 100_000), share(1, 0)
    ('33.3%', '0%', '<0.1%', '>99.9%', '–')
    """
    if part is None or not whole:
        return NONE
    if part in (0, whole):
        return "100%" if part else "0%"
    percent = 100 * part / whole
    if percent < 0.1:
        return "<0.1%"
    return ">99.9%" if percent > 99.9 else f"{percent:.1f}%"


def size(value: int | None) -> str:
    """Return bytes in the nearest decimal unit.

    >>> size(999), size(1500), size(None)
    ('999 B', '1.5 kB', '–')
    """
    if value is None:
        return NONE
    number, units = float(value), ["B", "kB", "MB", "GB", "TB", "PB"]
    while number >= 999.5 and len(units) > 1:
        number, units = number / 1000, units[1:]
    return f"{number:.0f} {units[0]}" if number >= 99.95 or units[0] == "B" else f"{number:.1f} {units[0]}"


def number(value: Any) -> str:
    """Return a measured value: whole numbers whole, others to four digits, text as it is.

    >>> number(1234), number(0.123456), number(2.0), number(None)
    ('1,234', '0.1235', '2', '–')
    """
    if value is None:
        return NONE
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.4g}"


def exact(value: Any) -> str:
    """Return a bound, in all the digits that somebody wrote; of one that was computed, to six digits.

    >>> exact(0.018112), exact(100_000), exact(1234.5), exact(["en", "de"]), exact(-55.740530786910504)
    ('0.018112', '100,000', '1,234.5', 'en, de', '-55.7405')
    """
    if isinstance(value, list | tuple):
        return ", ".join(map(exact, value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,}" if len(repr(value)) <= _DIGITS_WRITTEN else f"{value:,.6g}"


def bound(rule: Mapping[str, Any]) -> str:
    """Return what a rule asks for, given as its JSON values.

    >>> bound({"side": "max", "bound": 0.3})
    '≤ 0.3'
    >>> bound({"side": "min", "bound": 0.65, "where": ["language", ["en"]]})
    '≥ 0.65 if language is en'
    >>> low = {"signal": "word_count", "side": "min", "bound": 50}
    >>> bound({"any": [[low], [low | {"bound": 20}, {"signal": "link_count", "side": "max", "bound": 3}]]})
    'word_count ≥ 50, or word_count ≥ 20 and link_count ≤ 3'
    """
    return bounds([rule])


def bounds(rules: Iterable[Mapping[str, Any]]) -> str:
    """Return what rules ask for, those that ask the same of several languages together.

    >>> bounds([{"side": "min", "bound": 0.65, "where": ["language", [x]]} for x in ("en", "de")])
    '≥ 0.65 if language is en or de'
    """
    rules = list(rules)
    choices = [", or ".join(map(_option, rule["any"])) for rule in rules if "any" in rule]
    single = grouped(rule for rule in rules if "any" not in rule)
    return "; ".join([*(asked + _condition(conditions) for asked, conditions in single.items()), *choices])


def grouped(rules: Iterable[Mapping[str, Any]]) -> dict[str, list[tuple[str, str, str]]]:
    """Return what bounds ask for, such as ``≥ 0.65``, with the conditions of those that ask it.

    A condition is "if" or "unless", a column and a text.
    """
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for rule in rules:
        conditions = groups.setdefault(f"{_SIDES.get(rule['side'], rule['side'])} {exact(rule['bound'])}", [])
        for word, key in (("if", "where"), ("unless", "unless")):
            if rule.get(key):
                column, texts = rule[key]
                conditions += [(word, column, text) for text in texts]
    return groups


def _option(option: Sequence[Mapping[str, Any]]) -> str:
    """Return what an option of a choice asks for."""
    parts = (f"({bound(rule)})" if "any" in rule else f"{rule['signal']} {bound(rule)}" for rule in option)
    return " and ".join(parts)


def _condition(conditions: Sequence[tuple[str, str, str]]) -> str:
    """Return conditions in words; nothing for none."""
    said = ""
    for word in ("if", "unless"):
        texts = [text for w, _, text in conditions if w == word]
        if texts:
            *most, last = texts
            column = next(column for w, column, _ in conditions if w == word)
            said += f" {word} {column} is {', '.join(most)}{' or ' if most else ''}{last}"
    return said
