"""ensemble: one score made of several, by the ranks that they give each document; with `keep`, bounds on it.

order      the cuts between the buckets of each score, exact over all shards (see `order_statistics`)
cuts       cuts.json: the same as a file to read
shards     shard -> the buckets of its documents
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import pyarrow as pa

from gristmill.classifiers.ensemble import buckets
from gristmill.classifiers.ensemble.buckets import Cuts
from gristmill.classifiers.ensemble.settings import EnsembleSettings, Score
from gristmill.errors import RecipeError
from gristmill.filters.rules.kept import Measured, rules_with
from gristmill.pipeline import order_statistics
from gristmill.pipeline.order_statistics import Ordered, OrderStatistics, at_shares
from gristmill.pipeline.phases import Phase, shard_phase, whole_phase, write_layer
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.recipe import RecipeStage, nearest
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.rules import TEXT_COLUMNS, deciding_step

KIND = "ensemble"


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that ranks, and the one that decides if there are bounds.

    Raises RecipeError for a column that no stage before it offers, for one of the wrong kind, for a name that is taken,
    and for a bound on what is not there.
    """
    settings = stage.settings
    assert isinstance(settings, EnsembleSettings)
    name = planning.name_for("ensemble")
    columns = tuple(buckets.layout(settings).names)
    _check_names(columns, stage, planning)
    rank = Step(
        name=name,
        stage=name,
        kind=KIND,
        settings=settings.model_dump(mode="json", exclude={"keep", "warn"}),
        inputs=_inputs(settings, stage, planning),
        versions=buckets.versions() | order_statistics.versions(),
        columns=columns,
        scope="corpus",
    )
    if settings.keep is None:
        return [rank]
    try:
        rules = rules_with((), settings.keep, Measured(name, "ensemble", columns))
    except ValueError as error:
        raise RecipeError(f"'keep': {error} {stage.location}") from error
    if not rules:
        raise RecipeError(f"'keep' switches every bound off; leave it out {stage.location}")
    return [rank, deciding_step(f"{name}.keep", name, rules, (name,), warn=settings.warn)]


def _check_names(columns: tuple[str, ...], stage: RecipeStage, planning: Planning) -> None:
    taken = next((column for column in columns if planning.provider(column) is not None), None)
    if taken is not None:
        raise RecipeError(
            f"column '{taken}' is there already, from stage '{planning.provider(taken)}'; give this ensemble a name of "
            f"its own, such as `name: second`, and its columns start with it {stage.location}"
        )


def _inputs(settings: EnsembleSettings, stage: RecipeStage, planning: Planning) -> tuple[str, ...]:
    """Return the steps that decided so far, those that make the text if its bytes count, and the columns' own."""
    inputs = planning.inputs_of_kept_texts() if settings.weight == "bytes" else planning.deciders()
    numbers = [name for name in planning.columns() if name not in TEXT_COLUMNS]
    texts = [name for name in planning.columns() if name in TEXT_COLUMNS]
    needed = [_provider("scores", score.column, numbers, stage, planning) for score in settings.scores]
    if settings.by is not None:
        needed.append(_provider("by", settings.by, texts, stage, planning))
    return tuple(dict.fromkeys((*inputs, *needed)))


def _provider(key: str, column: str, known: list[str], stage: RecipeStage, planning: Planning) -> str:
    """Return the name of the step whose layer has a column that a key names. Raises RecipeError."""
    provider = planning.provider(column)
    if provider is not None and column in known:
        return provider
    what = "a text, not a number" if key == "scores" else "a number, not a text"
    why = "which no stage before 'ensemble' offers" if provider is None else f"which is {what}"
    hint = nearest(column, known) if known else "; add a stage that offers it before this one"
    index = next(i for i, other in enumerate(planning.recipe.stages) if other is stage)
    where = planning.recipe.key_location("stages", index, stage.kind, key)
    raise RecipeError(f"'{key}' needs '{column}', {why}{hint} {where}")


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the phases of the cuts, then each shard's buckets."""
    work = Ensemble(run, step)
    written = whole_phase("cuts", lambda: ["cuts"], work.is_written, work.write_cuts)
    return (*work.order.phases(), written, shard_phase(run, step, work.write_shard))


@dataclass(frozen=True)
class Ensemble:
    """The work of one ensemble step."""

    run: Run
    step: Step

    @cached_property
    def settings(self) -> EnsembleSettings:
        """The step's settings."""
        return EnsembleSettings.model_validate(dict(self.step.settings))

    @cached_property
    def order(self) -> OrderStatistics:
        """The order statistics that the cuts are made of: of the values ascending, then descending."""
        settings = self.settings
        shares = [Fraction(number, settings.buckets) for number in range(1, settings.buckets)]
        ascending = at_shares(shares)

        def wanted(total: int) -> list[int]:
            places = list(ascending(total))
            return [*places, *(total - place + 1 for place in places)]

        columns = tuple(score.column for score in settings.scores)
        return OrderStatistics(self.run, self.step, Ordered(columns, settings.by, settings.weight), wanted)

    def cuts(self, score: Score) -> Cuts:
        """Return a score's cuts by group, from the worst to the best. Raises MissingError before they are known."""
        half = slice(self.settings.buckets - 1, None) if score.lower_is_better else slice(self.settings.buckets - 1)
        return {group: of.values[half] for (column, group), of in self.order.found.items() if column == score.column}

    def is_written(self, _: str) -> bool:
        """Return whether cuts.json is there and current."""
        return self.run.folder.says(self._file, {"digest": self.run.corpus_digest(self.step)})

    def write_cuts(self, _: str, progress: Progress) -> None:
        """Write cuts.json: for each score and group, the weight of its documents and the cuts."""
        weights = {(column, group): of.total for (column, group), of in self.order.found.items()}
        facts = {
            score.column: [
                {"group": group, self.settings.weight: weights[score.column, group], "cuts": list(cuts)}
                for group, cuts in self.cuts(score).items()
            ]
            for score in self.settings.scores
        }
        digest = self.run.corpus_digest(self.step)
        self.run.folder.write_json(self._file, {"digest": digest, "by": self.settings.by, "scores": facts})
        progress.update(0, 1.0)

    def write_shard(self, shard: Shard, progress: Progress) -> None:
        """Write a shard's layer."""
        rows = self.run.footer(self.run.plan.text_step, shard).rows
        groups = self.order.column(self.settings.by, shard) if self.settings.by else pa.nulls(rows, pa.string())
        found = [
            buckets.buckets_of(self.order.column(score.column, shard), groups, self.cuts(score), score)
            for score in self.settings.scores
        ]
        layer = buckets.combined(found, self.settings)
        write_layer(self.run, self.step, shard, [layer], columns=layer.schema)
        progress.update(rows, 1.0)

    @property
    def _file(self) -> str:
        return f"{self.step.folder}/cuts.json"
