"""What a command asks of the pipeline: plan a recipe, carry it out here or on Slurm, open a run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gristmill.access.settings import DEFAULT_ACCESS
from gristmill.crawl.access import commoncrawl
from gristmill.crawl.settings import BASE
from gristmill.errors import MissingError, RecipeError, ShardError, UsageError
from gristmill.pipeline import carry_out as work
from gristmill.pipeline import executors, target_texts
from gristmill.pipeline.files import absolute
from gristmill.pipeline.lookups import Lookups
from gristmill.pipeline.manifest import write_manifest
from gristmill.pipeline.monitor import Watcher
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Plan, Step
from gristmill.pipeline.planning import make_plan
from gristmill.pipeline.recipe import Recipe, load_recipe
from gristmill.pipeline.run import Run
from gristmill.pipeline.settings import RunSettings
from gristmill.pipeline.stages import PLANNERS
from gristmill.pipeline.stages.dedup.members import check_crawls
from gristmill.pipeline.stages.dedup.older import refuse_itself
from gristmill.pipeline.storage import Folder
from gristmill.pipeline.yaml import dump_yaml

_HASTY = DEFAULT_ACCESS.model_copy(update={"tries": 3})  # someone waits for the answer


@dataclass(frozen=True)
class Begun:
    """A run, the steps of it that are wanted now, how to carry them out, and the recipe's text; nothing is written."""

    run: Run
    steps: tuple[Step, ...]
    settings: RunSettings
    recipe: str

    def changed(self, executor: str | None, workers: int | None) -> Begun:
        """Return the same with another executor or number of workers, where one is given. Raises UsageError."""
        given = {"executor": executor, "workers": workers}
        try:
            settings = self.settings.model_dump() | {key: value for key, value in given.items() if value is not None}
            return replace(self, settings=RunSettings.model_validate(settings))
        except ValidationError as error:
            if executor not in ("local", "slurm"):
                raise UsageError(f"there is no executor '{executor}'; there are: local, slurm") from error
            raise RecipeError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error


def planned(path: str | Path, overrides: Sequence[str] = (), workdir: str = "runs") -> Plan:
    """Return the plan of a recipe, by what its run has kept of the network, if there is one; nothing is written.

    Raises RecipeError, MissingError, AccessError.
    """
    recipe = load_recipe(path, overrides)
    return _plan(recipe, workdir, Lookups(_folder(workdir, recipe), reads_only=True))


def begin(path: Path, workdir: str, overrides: Sequence[str], until: str | None, only: str | None) -> Begun:
    """Return a recipe's run, planned, with the steps wanted.

    Raises RecipeError, MissingError, and UsageError for a stage that does not exist or that waits for others.
    """
    recipe = load_recipe(path, overrides)
    folder = _folder(workdir, recipe)
    plan = _plan(recipe, workdir, Lookups(folder))
    steps = work.chosen_steps(plan, until, only)
    run = Run(folder, plan)
    work.check_inputs(run, steps)
    return Begun(run, steps, recipe.run, _text(path, recipe, overrides))


def known_crawls(base: str | None, crawl: str | None) -> list[dict[str, Any]]:
    """Return the crawls at a base, Common Crawl's by default; of a single one also how many files it has.

    Raises MissingError for a crawl that is not there, AccessError, CorruptError.
    """
    base = absolute(base or BASE)
    if crawl is None:
        return [found._asdict() for found in commoncrawl.crawls(base, _HASTY)]
    found = commoncrawl.one_crawl(base, crawl, _HASTY)
    counts = {f"{kind}_files": commoncrawl.count_files(base, crawl, kind, _HASTY) for kind in ("warc", "wet")}
    return [found._asdict() | counts]


def carry_out(begun: Begun, watcher: Watcher) -> bool:
    """Do on this machine what is not done; return whether the whole plan now is.

    Raises StageError naming what failed, after everything else was done.
    """
    run = begun.run
    workers = begun.settings.workers or os.cpu_count() or 1
    with work.locked(run.folder):
        work.write_plan(run, begun.recipe)
        work.carry_out(run, begun.steps, workers, watcher).raise_if_failed()
        write_manifest(run)
    return all(run.is_done(step, shard) for step in run.plan.steps for shard in run.plan.shards)


def dry_run(begun: Begun) -> Iterator[str]:
    """Yield a line for each phase: what is done and what would be; on Slurm, the script that would be submitted."""
    run = begun.run
    phases = list(work.phases_of(run, begun.steps))
    if begun.settings.executor == "slurm":
        scripts = executors.write_scripts(run, phases, begun.settings)
        for number, ((step, phase), script) in enumerate(zip(phases, scripts, strict=True)):
            after = f"after {phases[number - 1][0].name}/{phases[number - 1][1].name}" if number else "first"
            yield f"{step.name}/{phase.name}: {after}: {script}"
        return
    for step, phase in phases:
        yield f"{step.name}/{phase.name}: {_what_is_left(phase)}"


def submit(begun: Begun) -> Iterator[str]:
    """Submit the steps to Slurm, chained by dependency; yield a line for each job, and where to look next."""
    phases = list(work.phases_of(begun.run, begun.steps))
    with work.locked(begun.run.folder):
        work.write_plan(begun.run, begun.recipe)
        jobs = executors.submit(begun.run, phases, begun.settings)
    for (step, phase), job in zip(phases, jobs, strict=True):
        yield f"job {job}: {step.name}/{phase.name}"
    yield f"watch with: gristmill status {begun.run.folder.url}"
    yield "when all is done, the same command writes the manifest, the report and the card"


def is_finished(begun: Begun) -> bool:
    """Return whether every wanted item is done."""
    try:
        return all(phase.is_done(item) for _, phase in work.phases_of(begun.run, begun.steps) for item in phase.items())
    except (MissingError, ShardError):
        return False


def _plan(recipe: Recipe, workdir: str, lookups: Lookups) -> Plan:
    """Return the plan of a recipe, which knows where files are kept.

    Raises UsageError if that is not this machine, if the run goes against itself or is its own target, or if a file is
    of no crawl where copies are looked for within crawls.
    """
    plan = make_plan(recipe, PLANNERS, lookups)
    refuse_itself(plan, _folder(workdir, recipe))
    target_texts.refuse_itself(plan, _folder(workdir, recipe))
    check_crawls(plan)
    download = recipe.source.download
    if not download:
        return plan
    folder = Folder(f"{workdir.rstrip('/')}/downloads" if download is True else download)
    if not folder.is_local:
        here = recipe.key_location("source", "download")
        raise UsageError(
            f"files are kept on this machine only: name a folder in source.download, not {folder.url} {here}"
        )
    return replace(plan, downloads=folder.root)


def _folder(workdir: str, recipe: Recipe) -> Folder:
    """Return the folder of a recipe's run. Raises UsageError."""
    if not workdir:
        raise UsageError("--workdir is empty; write '.' for the folder you are in")
    return Folder(f"{workdir.rstrip('/')}/{recipe.name}")


def _what_is_left(phase: Phase) -> str:
    try:
        items = phase.items()
        left = sum(not phase.is_done(item) for item in items)
    except (MissingError, ShardError):
        return "known when the phases before it are done"
    return f"{left} to do, {len(items) - left} done"


def _text(path: Path, recipe: Recipe, overrides: Sequence[str]) -> str:
    if not overrides:
        return path.read_text(encoding="utf-8")
    return f"# {path.name} with --set {' --set '.join(overrides)}\n{dump_yaml(recipe.document)}"
