"""Durations and sizes, as a recipe writes them. Imports nothing heavy, for the settings of every part."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_NUMBER = r"\d[\d_]*(?:\.\d+)?"
_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_SIZE_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_DURATION = re.compile(rf"({_NUMBER})\s*(ms|s|min|m|h)?")
_SIZE = re.compile(rf"({_NUMBER})\s*([KkMmGg]i?[Bb]|[Bb])?")


def seconds(value: object) -> object:
    """Return a duration in seconds: a number as it is, or text such as ``10s``, ``500ms``, ``2m``, ``1.5h``.

    Anything else is returned unchanged, for pydantic to refuse. Raises ValueError for text that is no duration.

    >>> seconds("500ms")
    0.5
    """
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        raise ValueError(f"'{value}' is not a duration; write a number of seconds, or 10s, 500ms, 2m")
    return float(match[1].replace("_", "")) * _DURATION_UNITS[match[2] or "s"]


def byte_count(value: object) -> object:
    """Return a size in bytes: a number as it is, or text such as ``5MiB``, ``5MB``, ``1_000_000``.

    Anything else is returned unchanged, for pydantic to refuse. Raises ValueError for text that is no size.

    >>> byte_count("5MiB")
    5242880
    """
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise ValueError(f"'{value}' is not a size; write a number of bytes, or 5MiB, 500kB, 1_000_000")
    return int(float(match[1].replace("_", "")) * _SIZE_UNITS[(match[2] or "b").lower()])


def _text_or(kind: str, pattern: re.Pattern[str]) -> WithJsonSchema:
    text = {"type": "string", "pattern": f"^{pattern.pattern}$"}
    return WithJsonSchema({"anyOf": [{"type": kind, "exclusiveMinimum": 0}, text]}, mode="validation")


Duration = Annotated[float, BeforeValidator(seconds), _text_or("number", _DURATION)]
Size = Annotated[int, BeforeValidator(byte_count), _text_or("integer", _SIZE)]
