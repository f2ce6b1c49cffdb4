"""How the values of each signal are distributed among the documents that were kept, and among those that were not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.filters.rules.serialize import to_json
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.report.found_bounds import decider_rules
from gristmill.report.tally import Histogram, display_edges
from gristmill.report.view import Finished, ShardView

_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass
class _Population:
    """One signal's values among the documents that came into the stage which bounds it; without one, among all."""

    step: Step
    name: str
    meaning: str
    whole: bool
    decider: Step | None
    bounds: list[dict[str, Any]]
    kept: Histogram = field(default_factory=Histogram)
    dropped: Histogram = field(default_factory=Histogram)

    def add(self, view: ShardView, values: pa.Array) -> None:
        came = view.left_before(self.decider.stage) if self.decider else pa.array(np.ones(len(values), bool))
        kept = view.kept_by(self.decider) if self.decider else view.kept
        self.kept.add(_floats(values.filter(pc.and_(came, kept))))
        self.dropped.add(_floats(values.filter(pc.and_(came, pc.invert(kept)))))

    def result(self) -> dict[str, Any]:
        numeric = [rule["bound"] for rule in self.bounds]
        edges = display_edges((self.kept, self.dropped), numeric, 1.0 if self.whole else 1e-6)
        return {
            "signal": self.name,
            "meaning": self.meaning,
            "step": self.step.name,
            "stage": self.decider.stage if self.decider else None,
            "bounds": self.bounds,
            "kept": _summary(self.kept),
            "dropped": _summary(self.dropped),
            "histogram": {
                "edges": edges,
                "kept": self.kept.between(edges),
                "dropped": self.dropped.between(edges),
            },
        }


class Signals:
    """The distribution of every number that was measured, for kept and for dropped documents."""

    def __init__(self, finished: Finished) -> None:
        self._finished = finished
        self._populations: dict[tuple[str, str], _Population] = {}

    def add(self, view: ShardView) -> None:
        """Count a shard."""
        for step in self._finished.others:
            layer = view.run.footer(step, view.shard).schema
            numbers = [layer.field(name) for name in step.columns if _is_number(layer.field(name).type)]
            table = view.run.read(step, view.shard, [column.name for column in numbers])
            for column in numbers:
                self._population(view.run, step, column).add(view, table.column(column.name).combine_chunks())

    def result(self) -> list[dict[str, Any]]:
        """Return one record for each signal, in the order of the plan."""
        return [population.result() for population in self._populations.values()]

    def _population(self, run: Run, step: Step, column: pa.Field) -> _Population:
        key = (step.name, column.name)
        if key not in self._populations:
            decider, bounds = self._bounds(run, step, column.name)
            whole = pa.types.is_integer(column.type)
            meaning = (column.metadata or {}).get(b"meaning", b"").decode()
            self._populations[key] = _Population(step, column.name, meaning, whole, decider, bounds)
        return self._populations[key]

    def _bounds(self, run: Run, step: Step, name: str) -> tuple[Step | None, list[dict[str, Any]]]:
        """Return the first finished step with bounds on a signal, and those bounds."""
        for decider in self._finished.deciders:
            if step.name in decider.inputs:
                bounds = [
                    to_json(bound) | {"reason": rule.code}
                    for rule in decider_rules(run, decider)
                    for bound in rule.bounds
                    if bound.signal == name and bound.side != "in"
                ]
                if bounds:
                    return decider, bounds
        return None, []


def _summary(histogram: Histogram) -> dict[str, Any]:
    quantiles = {f"{share:g}": histogram.quantile(share) for share in _QUANTILES}
    return {
        "documents": histogram.total,
        "least": histogram.least,
        "most": histogram.most,
        "quantiles": quantiles,
    }


def _floats(values: pa.Array) -> npt.NDArray[np.float64]:
    return np.asarray(values.drop_null().cast(pa.float64()), np.float64)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
