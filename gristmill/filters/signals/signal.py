"""What a signal is: a function of a batch of texts, with its facts.

Most signals need nothing but the text. One that needs more names it in ``needs``: columns of the document, as
``schema`` has them, and lists, as a recipe's ``signals: {lists: ...}`` has them. ``batch.columns`` and ``batch.lists``
hold what is named, and nothing else.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.filters.signals.settings import LISTS
from gristmill.text import TextBatch

Column = npt.NDArray[Any]
Measure = Callable[[TextBatch], Column | pa.Array]


@dataclass(frozen=True)
class Signal:
    """A measured value of a text: its name, type, family, source, version, and the function that measures it.

    ``needs``: the columns and the lists that it reads beside the text.
    """

    name: str
    type: pa.DataType
    family: str
    source: str
    version: int
    function: Measure
    needs: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The document's columns that it reads beside the text."""
        return tuple(name for name in self.needs if name not in LISTS)

    @property
    def lists(self) -> tuple[str, ...]:
        """The lists that it reads."""
        return tuple(name for name in self.needs if name in LISTS)

    @property
    def meaning(self) -> str:
        """The first line of the function's docstring: what is measured, its unit and denominator."""
        return self.description.partition("\n")[0]

    @property
    def description(self) -> str:
        """The function's docstring."""
        return inspect.getdoc(self.function) or ""


def signal(
    kind: pa.DataType, family: str, source: str, version: int = 1, *, needs: tuple[str, ...] = ()
) -> Callable[[Measure], Signal]:
    """Return a decorator that makes a ``Signal`` of a function and its facts; nothing is registered.

    ``version`` goes up when any text can get another value than before, so that layers are measured again. The function
    returns a value for each text, which is left out where the text is null; in an Arrow array, other values can be null
    too, where there is nothing to measure with.
    """

    def attach(function: Measure) -> Signal:
        return Signal(function.__name__, kind, family, source, version, function, needs)

    return attach


def ratio(part: Column, whole: Column) -> npt.NDArray[np.float64]:
    """Return part / whole as float64, and 0.0 where the whole is 0.

    >>> ratio(np.array([1, 0]), np.array([4, 0])).tolist()
    [0.25, 0.0]
    """
    return np.divide(part, whole, out=np.zeros(len(whole), np.float64), where=whole != 0)
