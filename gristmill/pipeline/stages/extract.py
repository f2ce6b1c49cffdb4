"""extract: one WARC or list of ranges becomes a shard of documents, each with a text or the reason for having none."""

from __future__ import annotations

from functools import cache

from gristmill import schema
from gristmill.classifiers.models import find_planned
from gristmill.crawl.access.download import downloaded
from gristmill.crawl.extract import Extraction, extractor_versions
from gristmill.crawl.extraction.cascade import Cascade
from gristmill.crawl.extraction.extractors import CASCADE
from gristmill.crawl.extraction.pool import Pool
from gristmill.crawl.records import RecordSource, WholeFile
from gristmill.crawl.settings import ExtractSettings
from gristmill.crawl.urls.gate import RULES, Gate, gate_versions, open_gate
from gristmill.pipeline.index_source import ranges_of
from gristmill.pipeline.phases import Phase, shard_phase
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.recipe import RecipeStage
from gristmill.pipeline.run import Run
from gristmill.pipeline.screens import foresee, screen_of
from gristmill.pipeline.shards import ShardWriter

_SCREEN, _SCREEN_MODEL = "screen", "screen_model"


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that extracts. Raises RecipeError for a cascade that can spare no page."""
    assert isinstance(stage.settings, ExtractSettings)
    settings = stage.settings.model_dump(mode="json")
    versions = extractor_versions(stage.settings) | gate_versions(stage.settings)
    if stage.settings.extractor == CASCADE:
        foreseen = foresee(planning.recipe.stages)
        settings |= {_SCREEN: foreseen.settings(), _SCREEN_MODEL: foreseen.model}
        versions |= foreseen.versions()
    return [
        Step(
            name="extract",
            stage="extract",
            kind="extract",
            settings=settings,
            places=("url_blocklist", "url_rules", *([_SCREEN_MODEL] if _SCREEN_MODEL in settings else [])),
            versions=versions,
            decides=True,
        )
    ]


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the one phase: each shard's documents."""
    own = {key: value for key, value in step.settings.items() if key not in (_SCREEN, _SCREEN_MODEL)}
    settings = ExtractSettings.model_validate(own)

    @cache
    def gate() -> Gate:
        """Return what its rules need, opened for the first shard."""
        return open_gate(settings, (step.versions or {}).get(RULES))

    def perform(shard: Shard, progress: Progress) -> None:
        with _pool(step, settings) as pool:
            extraction = Extraction(_records(run, shard, progress), settings, pool, gate())
            _extract(run, step, shard, extraction, progress)

    return (shard_phase(run, step, perform),)


def _records(run: Run, shard: Shard, progress: Progress) -> RecordSource:
    """Return where a shard's records come from."""
    if shard.ranges is not None:
        return ranges_of(run.folder, run.plan, shard)
    return WholeFile(_kept(run, shard, progress), shard.name, run.plan.access)


def _pool(step: Step, settings: ExtractSettings) -> Pool | Cascade:
    """Return what extracts pages: a cascade with its screen, whose model is found on this machine, or a plain pool."""
    pool = Pool(settings)
    if _SCREEN not in step.settings:
        return pool
    model = find_planned(step.settings[_SCREEN_MODEL], (step.versions or {})["model"])
    return Cascade(pool, screen_of(model, step.settings[_SCREEN]))


def _extract(run: Run, step: Step, shard: Shard, extraction: Extraction, progress: Progress) -> None:
    with run.folder.writing(run.file(step, shard)) as sink:
        writer = ShardWriter(sink, schema.documents(step.settings["columns"]), run.digest(step, shard))
        for batch in extraction:
            writer.write(batch)
            progress.update(batch.num_rows, extraction.fraction)
        writer.counts = {"records": dict(extraction.counts)}
        writer.close()


def _kept(run: Run, shard: Shard, progress: Progress) -> str:
    """Return where a shard's WARC is read from: where it lies, or its copy on this machine if the recipe keeps one."""
    plan = run.plan
    if plan.downloads is None:
        return shard.source
    return downloaded(
        shard.source, shard.fingerprint, plan.downloads, plan.access, lambda fraction: progress.update(0, fraction / 2)
    )
