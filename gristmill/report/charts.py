"""The report's drawings: inline SVG without scripts, colours by class so that the style sheet can darken them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, log, sqrt
from typing import Any

from gristmill.report import figures
from gristmill.report.markup import Attributes, Markup, element
from gristmill.report.tally import is_logarithmic, round_step

_WIDTH, _UP, _DOWN, _AXIS = 320.0, 62.0, 38.0, 15.0
_LABEL = 12.0  # what stands above the columns for the name of a bound
_BOUNDS_NAMED = 4
_VALUES_NAMED = 4
_TICKS = 5


def bar(parts: Sequence[tuple[str, int]], whole: int, label: str) -> Markup:
    """Return a bar of parts (class, count) of a whole, as wide as the page gives it."""
    rects, x = [], 0.0
    for kind, count in parts:
        width = 1000 * count / whole if whole else 0.0
        rects.append(element("rect", {"class": kind, "x": _n(x), "y": 0, "width": _n(width), "height": 10}))
        x += width
    return element(
        "svg",
        {"class": "bar", "viewBox": "0 0 1000 10", "preserveAspectRatio": "none", "role": "img", "aria-label": label},
        *rects,
    )


def histogram(signal: Mapping[str, Any]) -> Markup:
    """Return a signal's distribution: kept documents above the line, dropped ones below, its bounds across.

    Areas grow with the square root of the count, on one scale for both, so that a few documents are still seen.
    """
    shown = signal["histogram"]
    edges, kept, dropped = shown["edges"], shown["kept"], shown["dropped"]
    top = sqrt(max([1, *kept])) / (_UP - (_LABEL if signal["bounds"] else 0))
    top = max(top, sqrt(max([1, *dropped])) / _DOWN)
    width = _WIDTH / len(kept)
    columns = [_column("kept", i * width, width, -sqrt(n) / top) for i, n in enumerate(kept) if n]
    columns += [_column("dropped", i * width, width, sqrt(n) / top) for i, n in enumerate(dropped) if n]
    base = element("line", {"class": "base", "x1": 0, "x2": _n(_WIDTH), "y1": _n(_UP), "y2": _n(_UP)})
    height = _UP + _DOWN + _AXIS
    described = f"{signal['signal']}: distribution of {sum(kept)} kept and {sum(dropped)} dropped documents"
    return element(
        "svg",
        {"class": "histogram", "viewBox": f"0 0 {_n(_WIDTH)} {_n(height)}", "role": "img", "aria-label": described},
        *columns,
        base,
        *_bounds(signal["bounds"], edges),
        *_ticks(edges),
    )


def _column(kind: str, x: float, width: float, height: float) -> Markup:
    top = _UP + min(height, 0.0)
    shape = {"class": kind, "x": _n(x), "y": _n(top), "width": _n(max(width - 0.7, 0.7)), "height": _n(abs(height))}
    return element("rect", shape)


def _bounds(rules: Sequence[Mapping[str, Any]], edges: Sequence[float]) -> list[Markup]:
    """Return a line for each bound, and, for the first few, what it asks for, one below the other."""
    values = {figures.bound({**rule, "where": None, "unless": None}): float(rule["bound"]) for rule in rules}
    drawn = []
    for number, (asked, conditions) in enumerate(figures.grouped(rules).items()):
        x = _WIDTH * _position(values[asked], edges)
        drawn.append(element("line", {"class": "bound", "x1": _n(x), "x2": _n(x), "y1": 0, "y2": _n(_UP + _DOWN)}))
        if number < _BOUNDS_NAMED:
            drawn.append(
                _bound_name(
                    asked,
                    [f"not {text}" if word == "unless" else text for word, _, text in conditions],
                    x,
                    8 + 10 * number,
                )
            )
    return drawn


def _bound_name(asked: str, only: Sequence[str], x: float, y: float) -> Markup:
    right = x > _WIDTH * 0.7
    more = f", +{len(only) - _VALUES_NAMED}" if len(only) > _VALUES_NAMED else ""
    label = f"{asked} ({', '.join(only[:_VALUES_NAMED])}{more})" if only else asked
    place: Attributes = {"class": "bound", "x": _n(x + (-3 if right else 3)), "y": _n(y)}
    return element("text", {**place, "text-anchor": "end" if right else "start"}, label)


def _ticks(edges: Sequence[float]) -> list[Markup]:
    """Return round numbers under the axis."""
    marks = []
    for value in _round_numbers(edges):
        share = _position(value, edges)
        anchor = "start" if share < 0.05 else "end" if share > 0.95 else "middle"
        place = {"x": _n(share * _WIDTH), "y": _n(_UP + _DOWN + _AXIS - 3), "text-anchor": anchor}
        marks.append(element("text", place, figures.number(value)))
    return marks


def _round_numbers(edges: Sequence[float]) -> list[float]:
    if is_logarithmic(edges):
        powers = [edge for edge in edges if f"{edge:e}".startswith("1.000000")]
        return powers if len(powers) > 1 else [edges[0], edges[-1]]
    step = round_step((edges[-1] - edges[0]) / _TICKS)
    first = ceil(edges[0] / step - 1e-9)
    return [round(number * step, 9) for number in range(first, int(edges[-1] / step + 1e-9) + 1)]


def _position(value: float, edges: Sequence[float]) -> float:
    """Return where a value stands between the first and the last edge, from 0 to 1."""
    low, high = edges[0], edges[-1]
    value = min(max(value, low), high)
    if is_logarithmic(edges):
        low, high, value = log(max(low, 1e-9)), log(high), log(max(value, edges[0], 1e-9))
    return (value - low) / (high - low) if high > low else 0.0


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
