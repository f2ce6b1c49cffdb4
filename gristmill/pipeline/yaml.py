"""YAML 1.2 with the line of every key: `no` is text, and a mistake can be pointed at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarfloat import ScalarFloat
from ruamel.yaml.scalarint import ScalarInt
from ruamel.yaml.scalarstring import ScalarString

from gristmill.errors import RecipeError

Keys = Sequence[str | int]


@dataclass(frozen=True)
class Location:
    """A place in a YAML file, printed as ``(file:line)``."""

    file: str
    line: int
    lines: tuple[tuple[tuple[str | int, ...], int], ...] = ()

    def at(self, keys: Keys) -> Location:
        """Return the place of a key, or of the nearest thing around it that has one."""
        known = dict(self.lines)
        for length in range(len(keys), 0, -1):
            line = known.get(tuple(keys[:length]))
            if line is not None:
                return Location(self.file, line, self.lines)
        return Location(self.file, 1, self.lines)

    def __str__(self) -> str:
        return f"({self.file}:{self.line})"


@dataclass(frozen=True)
class Node:
    """Plain Python values of a YAML file, and where its keys stand."""

    value: Any
    location: Location


def read_yaml(path: str | Path) -> Node:
    """Return a file's values with their lines. Raises RecipeError for no file, no text or no YAML."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise RecipeError(f"there is no recipe {path}") from error
    except (IsADirectoryError, PermissionError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} cannot be read as a recipe: {error}") from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str) -> Node:
    """Return a text's values with their lines. Raises RecipeError pointing at what is not YAML."""
    lines: list[tuple[tuple[str | int, ...], int]] = []
    try:
        value = _plain(_parser().load(text), (), lines)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        problem = getattr(error, "problem", None) or "it is not YAML"
        raise RecipeError(f"{problem} ({name}:{line})") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise RecipeError(f"this YAML is too odd for a recipe: {error} ({name}:1)") from error
    return Node(value, Location(name, 1, tuple(lines)))


def parse_value(text: str) -> Any:
    """Return the value of one scalar or flow collection, as a recipe would read it.

    >>> parse_value("[en, no]")
    ['en', 'no']
    """
    try:
        return _plain(_parser().load(text), (), [])
    except (YAMLError, ValueError, TypeError, RecursionError) as error:
        raise RecipeError(f"'{text[:80]}' is not a YAML value") from error


def dump_yaml(value: Any) -> str:
    """Return a value as block YAML, in the order of its keys."""
    from io import StringIO

    writer = YAML()
    writer.default_flow_style = False
    sink = StringIO()
    writer.dump(value, sink)
    return sink.getvalue()


def _parser() -> YAML:
    parser = YAML(typ="rt", pure=True)
    parser.version = (1, 2)
    return parser


def _plain(value: Any, path: tuple[str | int, ...], lines: list[tuple[tuple[str | int, ...], int]]) -> Any:
    if isinstance(value, CommentedMap):
        lines += [((*path, key), value.lc.key(key)[0] + 1) for key in value if key in (value.lc.data or {})]
        return {key: _plain(inner, (*path, key), lines) for key, inner in value.items()}
    if isinstance(value, CommentedSeq):
        lines += [((*path, index), value.lc.item(index)[0] + 1) for index in range(len(value))]
        return [_plain(inner, (*path, index), lines) for index, inner in enumerate(value)]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, bool) or type(value).__name__ == "ScalarBoolean":
        return bool(value)
    for kind, plain in ((ScalarString, str), (ScalarInt, int), (ScalarFloat, float)):
        if isinstance(value, kind):
            return plain(value)
    return value
