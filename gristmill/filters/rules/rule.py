"""What a rule is: a bound on one side of a signal. Imports nothing heavy, for the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["min", "max", "in"]
Bound = float | tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """A bound on a column; a row that lies outside is dropped with the reason ``code``.

    ``min`` keeps what is at least the bound, ``max`` what is at most the bound: a value on the bound is kept.
    ``in`` keeps what is one of the bound's texts. ``where`` is a column and a value: other rows are not judged.
    Raises ValueError for texts as a ``min`` or ``max``, and for a number as an ``in``.
    """

    preset: str
    signal: str
    side: Side
    bound: Bound
    where: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.bound, tuple) != (self.side == "in"):
            raise ValueError(f"rule '{self.code}': min and max take a number, in takes texts, got {self.bound!r}")

    @property
    def code(self) -> str:
        """The reason code, such as ``gopher_quality.word_count.min``."""
        return f"{self.preset}.{self.signal}.{self.side}"
