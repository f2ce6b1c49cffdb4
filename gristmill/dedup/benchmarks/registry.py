"""The evaluation sets that a recipe can name."""

from __future__ import annotations

import difflib

from gristmill.dedup.benchmarks.registered import BENCHMARKS, Registered
from gristmill.errors import MissingError


def registered(name: str) -> Registered:
    """Return the evaluation set of a name. Raises MissingError that names the nearest one."""
    if name not in BENCHMARKS:
        raise MissingError(f"the registry has no benchmark {name!r}; {nearest(name)}")
    return BENCHMARKS[name]


def nearest(name: str) -> str:
    """Return a hint at the registered name that was meant, or at the list of all of them."""
    close = difflib.get_close_matches(name.lower(), BENCHMARKS, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "`gristmill benchmarks list` shows the names that there are"
