"""perplexity's buckets: head, middle and tail of each language, at percentiles of the run itself or at given cuts.

rounds -> the percentiles of each language, exactly (`order_statistics`)
cuts   -> cuts.json: those percentiles, as another recipe can give them
shard  -> head, middle or tail; cuts that are given need nothing before
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any, Final

from gristmill import schema
from gristmill.classifiers.perplexity.buckets import Cuts, bucketed
from gristmill.classifiers.perplexity.layers import PERPLEXITY_BUCKET_LAYER
from gristmill.classifiers.perplexity.settings import EVERY, BucketSettings
from gristmill.errors import RecipeError
from gristmill.pipeline import order_statistics
from gristmill.pipeline.language_labels import check_labels
from gristmill.pipeline.order_statistics import Ordered, OrderStatistics, at_shares
from gristmill.pipeline.phases import Phase, shard_phase, whole_phase, write_layer
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run

KIND: Final = "perplexity_buckets"


def language_step(planning: Planning, what: str, labels: Iterable[str]) -> str:
    """Return the name of the step that gives each document's language.

    Raises RecipeError, which begins with ``what`` needs it, if there is none, or it never gives one of the labels.
    """
    provider = planning.provider(schema.LANGUAGE)
    if provider is None:
        raise RecipeError(
            f"{what} need the language of each document, and no stage before 'perplexity' gives it; add "
            "`- language: {model: lid176}` before it"
        )
    check_labels(planning, what, labels)
    return provider


def bucketing_step(settings: BucketSettings, score: Step, planning: Planning) -> Step:
    """Return the step that sorts into buckets: of percentiles, among the documents that all stages before keep."""
    by, written = planning.provider(schema.LANGUAGE), {"head", "middle"}
    if settings.given is not None:
        by, written = None, {"given"}
        if EVERY not in settings.given:
            by = language_step(planning, "cuts by language", settings.given)
    before = planning.deciders() if settings.given is None else ()
    return Step(
        name=f"{score.name}.buckets",
        stage=score.stage,
        kind=KIND,
        settings={"buckets": settings.model_dump(mode="json", include=written), "by": schema.LANGUAGE if by else None},
        inputs=tuple(dict.fromkeys((*before, *((by,) if by else ()), score.name))),
        versions=order_statistics.versions() if settings.given is None else None,
        columns=tuple(PERPLEXITY_BUCKET_LAYER.names),
        scope="corpus" if settings.given is None else "shard",
    )


def bucket_phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the phases: rounds and cuts, if they are the run's own, then each shard's buckets."""
    settings = BucketSettings.model_validate(step.settings["buckets"])
    by = step.settings["by"]
    statistics = _statistics(run, step, settings)

    @cache
    def cuts() -> Mapping[str | None, Cuts]:
        """Return the cuts by language, read for the first shard."""
        if settings.given is not None:
            return {None if label == EVERY else label: given for label, given in settings.given.items()}
        return {group: (found.values[0], found.values[1]) for (_, group), found in statistics.found.items()}

    def perform(shard: Shard, progress: Progress) -> None:
        values = statistics.column(schema.PERPLEXITY, shard)
        languages = statistics.column(by, shard) if by else None
        write_layer(run, step, shard, [bucketed(values, languages, cuts())], columns=PERPLEXITY_BUCKET_LAYER)
        progress.update(len(values), 1.0)

    if settings.given is not None:
        return (shard_phase(run, step, perform),)
    told = _cuts_phase(run, step, lambda: _facts(run, step, statistics))
    return (*statistics.phases(), told, shard_phase(run, step, perform))


def _cuts_phase(run: Run, step: Step, facts: Callable[[], dict[str, Any]]) -> Phase:
    """Return the phase that writes the cuts for those who look: by language, in the form of `given`."""
    name = f"{step.folder}/cuts.json"

    def perform(_: str, progress: Progress) -> None:
        run.folder.write_json(name, facts())
        progress.update(0, 1.0)

    digest = {"digest": run.corpus_digest(step)}
    return whole_phase("cuts", lambda: ["cuts"], lambda _: run.folder.says(name, digest), perform)


def _facts(run: Run, step: Step, statistics: OrderStatistics) -> dict[str, Any]:
    """Return the cuts, and how many documents they were found among, by language; `EVERY` where none is known."""
    found = {group or EVERY: of for (_, group), of in statistics.found.items()}
    return {
        "digest": run.corpus_digest(step),
        "given": {label: list(group.values) for label, group in sorted(found.items())},
        "documents": {label: group.total for label, group in sorted(found.items())},
    }


def _statistics(run: Run, step: Step, settings: BucketSettings) -> OrderStatistics:
    """Return the percentiles by language. They are exact: a share is the decimal fraction that the recipe writes."""
    shares = [Fraction(str(percentile)) / 100 for percentile in (settings.head, settings.middle)]
    return OrderStatistics(run, step, Ordered((schema.PERPLEXITY,), step.settings["by"]), at_shares(shares))
