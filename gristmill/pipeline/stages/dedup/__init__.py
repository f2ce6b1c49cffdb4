"""dedup: documents that count as copies of each other, found over the whole corpus; one of each cluster survives.

    kind.py       what a kind of deduplication is; `KINDS` below is the only list of them
    members.py    the documents that are compared, with the order in which they survive
    keyed.py      the exchange of the kinds that compare digests
    bloom/        its phases where Bloom filters tell which digests need to be compared
    older.py      runs that are compared by their saved keys
    signed.py     what the kinds whose copies are not equal save of each document
    rounds.py     components of what are their candidates
    minhash/      the phases of the kind that compares shingles
    simhash/      the phases of the kind that compares fingerprints
    decisions.py  the layer, from what was decided
    spans.py      kinds that cut spans instead of dropping documents: `SPAN_KINDS` below

Only what every earlier stage kept is compared, so a document that a rule dropped can neither survive nor take a good
copy with it.
"""

from __future__ import annotations

from gristmill.dedup.bloom import filters
from gristmill.dedup.settings import DedupSettings
from gristmill.errors import RecipeError
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.recipe import RecipeStage, nearest
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup import (
    decisions,
    exact,
    lines,
    minhash,
    older,
    paragraphs,
    simhash,
    substrings,
    url,
)
from gristmill.pipeline.stages.dedup.kind import Kind
from gristmill.pipeline.stages.dedup.spans import STEP_KIND, SpanKind
from gristmill.pipeline.stages.rules import TEXT_COLUMNS, deciding_step

KINDS: dict[str, Kind] = {"exact": exact.KIND, "url": url.KIND, "minhash": minhash.KIND, "simhash": simhash.KIND}
SPAN_KINDS: dict[str, SpanKind] = {
    "lines": lines.KIND,
    "paragraphs": paragraphs.KIND,
    "substrings": substrings.KIND,
}


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that compares what every earlier stage kept; where spans are cut, also the one that decides.

    Raises RecipeError for a survivor by something that no stage before it measures, or that is no number, for a bound
    on what is not measured, and as `older.older_runs` does.
    """
    settings = stage.settings
    assert isinstance(settings, DedupSettings)
    if settings.cuts_spans:
        return _plan_spans(settings, stage, planning)
    kind = KINDS[settings.kind]
    name = planning.name_for("dedup")
    versions = kind.versions(settings) | filters.versions(settings.bloom) | decisions.versions()
    if settings.against:
        settings = older.absolute(settings)
        versions |= older.digests_of(older.older_runs(settings, versions), kind.keys)
    return [
        Step(
            name=name,
            stage=name,
            kind="dedup",
            settings=settings.model_dump(mode="json", exclude_none=True, exclude={"keep"}),
            places=("against", "warn"),
            inputs=_inputs(settings, kind.reads_text, stage, planning),
            versions=versions,
            columns=kind.columns,
            decides=True,
            scope="corpus",
        )
    ]


def _plan_spans(settings: DedupSettings, stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that finds the spans, and the one that decides by what it measured."""
    kind = SPAN_KINDS[settings.kind]
    if settings.against:
        able = ", ".join(KINDS)
        raise RecipeError(f"'{settings.kind}' cannot go 'against' older runs; these can: {able} {stage.location}")
    name = planning.name_for("dedup")
    make = Step(
        name=name,
        stage=name,
        kind=STEP_KIND,
        settings=settings.model_dump(mode="json", exclude_none=True, exclude={"keep"}),
        places=("against", "warn"),
        inputs=_inputs(settings, True, stage, planning),
        versions=kind.versions(settings),
        columns=tuple(kind.layer.names[1:]),
        edits=True,
        scope="corpus",
    )
    try:
        rules = kind.decides_by(settings)
    except ValueError as error:
        raise RecipeError(f"'keep': {error} {stage.location}") from error
    return [make, deciding_step(f"{name}.keep", name, rules, (name,))]


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the phases of the step's kind."""
    settings = DedupSettings.model_validate(dict(step.settings))
    kind = SPAN_KINDS[settings.kind] if settings.cuts_spans else KINDS[settings.kind]
    return kind.phases(run, step, settings)


def _inputs(settings: DedupSettings, compares_texts: bool, stage: RecipeStage, planning: Planning) -> tuple[str, ...]:
    """Return the names of the steps that decided so far, of those that make the text if it matters, and of others."""
    reads_text = compares_texts or settings.policy.by == "longest"
    inputs = planning.inputs_of_kept_texts() if reads_text else planning.deciders()
    needed = []
    if settings.policy.column is not None:
        numbers = [name for name in planning.columns() if name not in TEXT_COLUMNS]
        needed.append(_provider("survivor", settings.policy.column, numbers, "number", stage, planning))
    if settings.scope not in ("corpus", "crawl", "host"):
        texts = [name for name in planning.columns() if name in TEXT_COLUMNS]
        needed.append(_provider("scope", settings.scope, texts, "text", stage, planning))
    return tuple(dict.fromkeys((*inputs, *needed)))


def _provider(key: str, column: str, known: list[str], what: str, stage: RecipeStage, planning: Planning) -> str:
    """Return the name of the step whose layer has a column that a key names. Raises RecipeError."""
    provider = planning.provider(column)
    if provider is not None and column in known:
        return provider
    why = "which no stage before 'dedup' measures" if provider is None else f"which is no {what}"
    choices = [*known, "corpus", "crawl", "host"] if key == "scope" else known
    hint = nearest(column, choices) if choices else "; add a `signals` stage before it"
    index = next(i for i, other in enumerate(planning.recipe.stages) if other is stage)
    where = planning.recipe.key_location("stages", index, stage.kind, key)
    raise RecipeError(f"'{key}' needs '{column}', {why}{hint} {where}")
