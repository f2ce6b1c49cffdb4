"""Carrying out a plan: which steps, which of their items are not done, who does them, and what failed."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gristmill.errors import StageError, UsageError
from gristmill.pipeline import executors, warm
from gristmill.pipeline.doubts import doubt
from gristmill.pipeline.monitor import Monitor, State, Watcher
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Plan, Step, plan_to_json
from gristmill.pipeline.progress import clear_progress, read_failures
from gristmill.pipeline.run import PLAN_FILE, RECIPE_FILE, Run
from gristmill.pipeline.stages import PHASES
from gristmill.pipeline.storage import Folder

_LOCK_FILE = ".lock"
_LOCK_PATIENCE = 10.0


@dataclass
class Outcome:
    """What came of carrying out steps: items done now, found done, and failed, by step."""

    done: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    failed: dict[str, dict[str, str]] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)

    def raise_if_failed(self) -> None:
        """Raise StageError naming what failed, and where its log is."""
        if not self.failed:
            return
        lines = [
            f"{step}: {item}: {reason} (log: {self.logs[step]}/failed/{item}.txt)"
            for step, items in self.failed.items()
            for item, reason in items.items()
        ]
        count = sum(map(len, self.failed.values()))
        what = "1 item failed" if count == 1 else f"{count} items failed"
        raise StageError("\n".join([f"{what}; all others are done; run again to redo only what failed", *lines]))


def chosen_steps(plan: Plan, until: str | None, only: str | None) -> tuple[Step, ...]:
    """Return the steps up to the end of a stage, or of one stage only. Raises UsageError for an unknown stage."""
    stages = plan.stages()
    for stage in (until, only):
        if stage is not None and stage not in stages:
            raise UsageError(f"the recipe has no stage '{stage}'; it has: {', '.join(stages)}")
    if only is not None:
        return tuple(step for step in plan.steps if step.stage == only)
    last = len(stages) if until is None else stages.index(until) + 1
    return tuple(step for step in plan.steps if step.stage in stages[:last])


def check_inputs(run: Run, steps: Sequence[Step]) -> None:
    """Raise UsageError unless every step that these need is among them or done."""
    for step in steps:
        for needed in (run.plan.step(name) for name in step.inputs):
            if needed in steps:
                continue
            missing = sum(not run.is_done(needed, shard) for shard in run.plan.shards)
            if missing:
                raise UsageError(
                    f"stage '{step.stage}' needs stage '{needed.stage}', which is not done for {missing} of "
                    f"{len(run.plan.shards)} shards; run with --until {needed.stage} first"
                )


def write_plan(run: Run, recipe_text: str) -> None:
    """Write the recipe and the plan to the run's folder; the caller holds its lock."""
    run.folder.write_bytes(RECIPE_FILE, recipe_text.encode())
    run.folder.write_json(PLAN_FILE, plan_to_json(run.plan))


def phases_of(run: Run, steps: Sequence[Step]) -> Iterator[tuple[Step, Phase]]:
    """Yield the phases of steps, in order."""
    for step in steps:
        for phase in PHASES[step.kind](run, step):
            yield step, phase


def carry_out(run: Run, steps: Sequence[Step], workers: int, watcher: Watcher) -> Outcome:
    """Do on this machine what is not done; a shard that fails is left out, and stops only what needs all shards.

    Returns what was done; raises nothing for a failed item (see `Outcome.raise_if_failed`). The caller holds the lock.
    """
    outcome = Outcome()
    left_out: set[str] = set()
    run.folder.sweep()
    _warm_up(steps, watcher)
    for step, phase in phases_of(run, steps):
        if left_out and phase.needs_all:
            break
        failed = _carry_out_phase(run, step, phase, left_out, workers, watcher, outcome)
        left_out |= failed if phase.by_shard else set()
        if failed and not phase.by_shard:
            break
        sentence = None if left_out else doubt(run, step)
        if sentence is not None:
            watcher.warn(sentence)
    return outcome


def _warm_up(steps: Sequence[Step], watcher: Watcher) -> None:
    """Compile the kernels before workers start, unless that was done before."""
    if not warm.is_warm(steps):
        began = time.monotonic()
        watcher.begin("compile kernels, once", 1)
        warm.warm_up(steps)
        watcher.end(State("compile kernels", 0, 1, 1, 1.0, time.monotonic() - began))


def _carry_out_phase(
    run: Run, step: Step, phase: Phase, left_out: set[str], workers: int, watcher: Watcher, outcome: Outcome
) -> set[str]:
    logs = executors.logs_folder(step, phase.name)
    items = [item for item in phase.items() if not (phase.by_shard and item in left_out)]
    todo = [item for item in items if not phase.is_done(item)]
    outcome.found[step.name] = outcome.found.get(step.name, 0) + len(items) - len(todo)
    clear_progress(run.folder, logs)
    if not todo:
        return set()
    with Monitor(run.folder, logs, _label(step, phase), todo, watcher):
        executors.run_locally(run, step, phase, todo, workers)
    failed = read_failures(run.folder, logs)
    failed |= {item: "it ended without a result" for item in todo if item not in failed and not phase.is_done(item)}
    outcome.done[step.name] = outcome.done.get(step.name, 0) + len(todo) - len(failed)
    if failed:
        outcome.failed.setdefault(step.name, {}).update(failed)
        outcome.logs[step.name] = run.folder.path(logs)
    return set(failed)


def _label(step: Step, phase: Phase) -> str:
    return step.name if phase.name == "shards" else f"{step.name} {phase.name}"


@contextmanager
def locked(folder: Folder) -> Iterator[None]:
    """Hold the run's folder for this process; on an object store there is no lock. Raises UsageError if it is held."""
    if not folder.is_local:
        yield
        return
    path = Path(folder.path(_LOCK_FILE))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        _acquire(lock.fileno(), folder)
        yield


def _acquire(descriptor: int, folder: Folder) -> None:
    """Take the lock; a killed run's last processes may hold it for a moment, so wait for them."""
    deadline = time.monotonic() + _LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise UsageError(f"another gristmill process works in {folder.url}; wait for it or stop it") from error
            time.sleep(0.1)
