"""HTML that is safe by construction: text is escaped unless an element of this module made it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gristmill.report.escape import for_html

_VOID = frozenset({"meta", "line", "rect"})


class Markup(str):
    """A string that is HTML already."""

    __slots__ = ()


_BREAK = Markup("<wbr>")

Attributes = Mapping[str, str | int | float]


def element(name: str, attributes: Attributes | None = None, *children: str) -> Markup:
    """Return an element. Children that are not Markup, and all attributes, are escaped.

    >>> element("td", {"class": "n"}, "1 < 2")
    '<td class="n">1 &lt; 2</td>'
    """
    written = "".join(f' {key}="{for_html(str(value))}"' for key, value in (attributes or {}).items())
    if name in _VOID:
        return Markup(f"<{name}{written} />")
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: str) -> Markup:
    """Return children one after the other; those that are not Markup are escaped."""
    return Markup("".join(child if isinstance(child, Markup) else Markup(for_html(child)) for child in children))


def code(text: str) -> Markup:
    """Return a name as code that breaks, where it must, after a dot or an underscore."""
    parts = re.split(r"(?<=[._])", text)
    return element("code", None, *(join(part, _BREAK) for part in parts[:-1]), parts[-1])


@dataclass(frozen=True)
class Row:
    """A row of a table; a ``quiet`` one says that nothing happened."""

    cells: tuple[str, ...]
    quiet: bool = False


def table(headers: Mapping[str, str], groups: Sequence[tuple[str | None, Sequence[Row]]]) -> Markup:
    """Return a table of named groups of rows.

    ``headers`` maps each column's title to its class: "name" for what may break anywhere, "n" for numbers, "draw" for
    drawings and "n extra" for further numbers, which a narrow screen leaves out.
    """
    titles = (element("th", _class(kind), title) for title, kind in headers.items())
    bodies = []
    for name, rows in groups:
        lines = [_row(row, list(headers.values())) for row in rows]
        if name is not None:
            lines.insert(0, element("tr", {"class": "group"}, element("th", {"colspan": len(headers)}, name)))
        bodies.append(element("tbody", None, *lines))
    head = element("thead", None, element("tr", None, *titles))
    return element("div", {"class": "scroll"}, element("table", None, head, *bodies))


def _row(row: Row, kinds: Sequence[str]) -> Markup:
    cells = (element("td", _class(kind), cell) for kind, cell in zip(kinds, row.cells, strict=True))
    return element("tr", {"class": "quiet"} if row.quiet else None, *cells)


def _class(kind: str) -> Attributes | None:
    return {"class": kind} if kind else None


def literal(text: str) -> Markup:
    """Return text of this project's own as it is: a style sheet, never anything crawled."""
    return Markup(text)
