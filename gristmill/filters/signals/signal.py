"""What a signal is: a function of a batch of texts, with its facts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gristmill.text import TextBatch

Column = npt.NDArray[Any]
Measure = Callable[[TextBatch], Column]


@dataclass(frozen=True)
class Signal:
    """A measured value of a text: its name, type, family, source, version, and the function that measures it."""

    name: str
    type: pa.DataType
    family: str
    source: str
    version: int
    function: Measure

    @property
    def meaning(self) -> str:
        """The first line of the function's docstring: what is measured, its unit and denominator."""
        return self.description.partition("\n")[0]

    @property
    def description(self) -> str:
        """The function's docstring."""
        return inspect.getdoc(self.function) or ""


def signal(kind: pa.DataType, family: str, source: str, version: int = 1) -> Callable[[Measure], Signal]:
    """Return a decorator that makes a ``Signal`` of a function and its facts; nothing is registered.

    ``version`` goes up when any text can get another value than before, so that layers are measured again.
    """

    def attach(function: Measure) -> Signal:
        return Signal(function.__name__, kind, family, source, version, function)

    return attach


def ratio(part: Column, whole: Column) -> npt.NDArray[np.float64]:
    """Return part / whole as float64, and 0.0 where the whole is 0.

    >>> ratio(np.array([1, 0]), np.array([4, 0])).tolist()
    [0.25, 0.0]
    """
    return np.divide(part, whole, out=np.zeros(len(whole), np.float64), where=whole != 0)
