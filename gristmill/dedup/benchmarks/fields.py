"""The texts of an item, as a page could hold them: fields, joined fields, choices, the right choice in its place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from gristmill.dedup.benchmarks.items import Kind
from gristmill.dedup.benchmarks.settings import FieldSettings
from gristmill.errors import UsageError

Item = Mapping[str, Any]

_FACTS: Final = (
    "id",
    "benchmark",
    "dataset",
    "config",
    "task",
    "task_id",
    "entry_point",
    "subject",
    "category",
    "topic",
)
NOT_TEXT: Final = frozenset((*_FACTS, "source", "split", "lang", "language", "level", "type", "difficulty"))
"""Fields that, unless they are named, are taken for facts about an item instead of texts of it."""

_SECRET: Final = (None, "", -1, "-1")


class Part(NamedTuple):
    """A text of an item."""

    field: str
    text: str
    kind: Kind


def every_text(item: Item, kind: Kind) -> list[Part]:
    """Return each text, and each text of a list of nothing else, of the fields that are not known to be none."""
    named = ((name, value) for name, value in item.items() if name not in NOT_TEXT)
    return [Part(name, text, kind) for name, value in named for text in _only_texts(value)]


def parts_of(item: Item, field: FieldSettings, kind: Kind) -> list[Part]:
    """Return the texts of a field; none where it is null, or where it is the right choice and that is secret.

    Raises UsageError for a field that the item lacks, one that is no text, and an answer that is no choice.
    """
    texts = _chosen(item, field) if field.choices else _plain(item, field)
    return [Part(field.called, text, field.kind or kind) for text in texts]


def _plain(item: Item, field: FieldSettings) -> list[str]:
    if len(field.text) == 1:
        return texts_at(item, field.text[0])
    joined = _joined(item, field)
    return [joined] if joined else []


def _joined(item: Item, field: FieldSettings) -> str:
    return field.join.join(text for name in field.text for text in texts_at(item, name))


def _chosen(item: Item, field: FieldSettings) -> list[str]:
    """Return the choices, or only the right one, each in its place in the text."""
    options = [text for name in field.choices for text in texts_at(item, name)]
    if field.answer is not None:
        number = _number(item, field, options)
        options = [] if number is None else [options[number]]
    if not field.text:
        return options
    base = _joined(item, field)
    if field.blank is not None:
        return [base.replace(field.blank, option, 1) for option in options]
    return [f"{base}{field.join}{option}" for option in options]


def _number(item: Item, field: FieldSettings, options: Sequence[str]) -> int | None:
    """Return which choice is right, from 0; None if that is secret. Raises UsageError if it is none of them."""
    assert field.answer is not None
    answer = value_at(item, field.answer)
    if answer in _SECRET:
        return None
    labels = texts_at(item, field.labels) if field.labels else []
    number = _index(labels, _as_text(answer)) if labels else _by_number(answer, options, field.first)
    if number is None or not 0 <= number < len(options):
        raise UsageError(f"field {field.answer!r} says {answer!r}, which is none of {len(options)} choices")
    return number


def _by_number(answer: Any, options: Sequence[str], first: int) -> int | None:
    said = _as_text(answer) or ""
    if said.isascii() and said.isdigit():
        return int(said) - first if len(said) < len("1000000") else None
    if len(said) == 1 and said.isascii() and said.isalpha():
        return ord(said.upper()) - ord("A")
    return _index(options, said)


def _index(values: Sequence[str], wanted: str | None) -> int | None:
    return values.index(wanted) if wanted in values else None


def value_at(item: Item, path: str) -> Any:
    """Return what lies at a path such as ``choices.text``; of a list of objects, the list of what each has there.

    Raises UsageError if there is nothing.
    """
    if path in item:
        return item[path]
    found: Any = item
    for name in path.split("."):
        found = (
            [_inner(each, name, item, path) for each in found]
            if isinstance(found, list)
            else _inner(found, name, item, path)
        )
    return found


def _inner(value: Any, name: str, item: Item, path: str) -> Any:
    if not isinstance(value, Mapping) or name not in value:
        raise UsageError(f"the item has no field {path!r}; it has {', '.join(map(str, item))}")
    return value[name]


def texts_at(item: Item, path: str) -> list[str]:
    """Return a text, or a list of them, as a list; numbers as they are written. Raises UsageError for anything else."""
    value = value_at(item, path)
    values = value if isinstance(value, list) else [value]
    texts = [_as_text(each) for each in values if each is not None]
    if None in texts:
        raise UsageError(f"field {path!r} is neither text nor a list of texts")
    return [text for text in texts if text is not None]


def _as_text(value: Any) -> str | None:
    """Return a text, or a number as it is written, a whole one without a point; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value) if isinstance(value, int | float) else None


def _only_texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return values if all(isinstance(each, str) for each in values) else []
