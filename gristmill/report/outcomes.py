"""What became of one record, as values: what each stage decided, and every rule that it was held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from gristmill import schema
from gristmill.filters.rules.rule import Rule
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.report.edited import Piece, pieces_of

State = Literal["kept", "dropped", "measured", "encoded", "not compared", "not encoded", "no text", "not done"]


@dataclass(frozen=True)
class RuleOutcome:
    """One rule on one document: each value against its bound, and whether the rule hit.

    A bound has one part, a choice several; ``asked`` is what the rule asks for, in words.
    """

    code: str
    asked: str
    parts: tuple[BoundOutcome, ...]
    hit: bool


@dataclass(frozen=True)
class BoundOutcome:
    """One bound on one document. ``outside`` is false for a bound that does not judge the document."""

    rule: Rule
    value: Any
    outside: bool

    @property
    def room(self) -> float | None:
        """How far the value is from the bound, below zero if it is beyond it; None for texts and without a value."""
        if isinstance(self.rule.bound, tuple) or not isinstance(self.value, int | float):
            return None
        return self.value - self.rule.bound if self.rule.side == "min" else self.rule.bound - self.value


@dataclass(frozen=True)
class Survivor:
    """The document that another one duplicates; URL and date are None where they are not known."""

    id: str
    url: str | None
    date: datetime | None


@dataclass(frozen=True)
class StageOutcome:
    """What one stage did to one document, whatever the stages before it did.

    ``state``: kept or dropped, where the stage decides; measured, where it does not; "no text" where there is nothing
    to measure; "not compared" and "not encoded" where the stage left out what was dropped before; "not done" yet.
    ``reasons`` are all of its reasons, the first first; ``detail`` is what that of extraction rests on. ``rules`` are
    those that apply to the document; ``values`` are what the stage measured on it. ``survivor`` and ``cluster_size``
    are there where documents were compared; where by their shingles (``is_near``),
    ``similarity`` is that to the survivor, and ``component_size`` may be there.
    """

    stage: str
    state: State
    reasons: tuple[str, ...] = ()
    rules: tuple[RuleOutcome, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    survivor: Survivor | None = None
    cluster_size: int | None = None
    is_near: bool = False
    similarity: float | None = None
    component_size: int | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Explanation:
    """A record, what extraction said of it (``facts``, by column), and what every stage did to it, in order."""

    id: str
    url: str | None
    shard: str
    row: int
    facts: Mapping[str, Any]
    stages: tuple[StageOutcome, ...]
    run: Run = field(repr=False, compare=False)

    @property
    def dropped_by(self) -> StageOutcome | None:
        """The first stage that dropped it; None if none did."""
        return next((stage for stage in self.stages if stage.state == "dropped"), None)

    @property
    def is_final(self) -> bool:
        """False if a stage that is not done yet may still drop it."""
        return self.dropped_by is not None or all(stage.state != "not done" for stage in self.stages)

    def text(self) -> str | None:
        """Return its text as it was extracted, read now; None if it has none."""
        text: str | None = self._value(self.run.plan.text_step, schema.TEXT)
        return text

    def pieces(self) -> list[Piece]:
        """Return its text with all that edits made of it so far; nothing if it has none."""
        text = self.text()
        shard = self.run.plan.shard(self.shard)
        done = [step for step in self.run.plan.edits if self.run.is_done(step, shard)]
        return [] if text is None else pieces_of(text, [self._value(step, schema.EDITS) for step in done])

    def _value(self, step: Step, column: str) -> Any:
        row = self.row
        for table in self.run.iterate(step, self.run.plan.shard(self.shard), [column]):
            if row < table.num_rows:
                return table.column(column)[row].as_py()
            row -= table.num_rows
        return None
