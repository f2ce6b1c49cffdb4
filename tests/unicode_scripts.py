"""The table of scripts, made from the regex package's Unicode data: ``python tests/unicode_scripts.py``.

It is written into the package, so that values do not depend on what is installed; the test compares the two.
"""

from __future__ import annotations

from pathlib import Path

import regex
from regex import _regex_core

from gristmill.filters.signals.characters import tables

UNICODE = "18.0.0"  # what regex 2026.11.19 supports, as its README says
_NAMES = _regex_core.PROPERTIES["SCRIPT"][1]
_ALL = "".join(chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000)


def codes() -> dict[str, str]:
    """ISO 15924's code of each script by a name that patterns take; the names of one script stand together."""
    names: dict[int, list[str]] = {}
    for name, number in _NAMES.items():
        names.setdefault(number, []).append(name)
    return {listed[0]: listed[min(1, len(listed) - 1)].title() for listed in names.values()}


def characters(name: str) -> str:
    """The characters of a script."""
    return "".join(regex.findall(rf"\p{{Script={name}}}+", _ALL))


def ranges(name: str) -> str:
    """The code points of a script, as hexadecimal ranges."""
    spans = (match.span() for match in regex.finditer(rf"\p{{Script={name}}}+", _ALL))
    return " ".join(_range(ord(_ALL[start]), ord(_ALL[end - 1])) for start, end in spans)


def _range(first: int, last: int) -> str:
    return f"{first:x}" if first == last else f"{first:x}-{last:x}"


def main() -> None:
    lines = sorted(f"{code} {ranges(name)}\n" for name, code in codes().items() if code != "Zzzz" and ranges(name))
    head = f"# The Script property of Unicode {UNICODE}, by ISO 15924 codes. Made by tests/unicode_scripts.py.\n"
    tables.SCRIPTS_FILE.write_text(head + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    Path(tables.SCRIPTS_FILE).parent.mkdir(exist_ok=True)
    main()
