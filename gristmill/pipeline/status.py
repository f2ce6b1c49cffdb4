"""How far a run is, told by its files alone: true for any executor, while it runs and after."""

from __future__ import annotations

from dataclasses import dataclass

from gristmill.errors import GristmillError
from gristmill.pipeline.carry_out import phases_of
from gristmill.pipeline.executors import logs_folder
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.progress import read_failures, read_progress
from gristmill.pipeline.run import Run


@dataclass(frozen=True)
class PhaseStatus:
    """How far a phase is. ``total`` is None while it depends on what is not done; ``failed`` maps items to reasons."""

    step: str
    phase: str
    done: int
    total: int | None
    working: int
    rows: int
    failed: dict[str, str]


def status(run: Run) -> list[PhaseStatus]:
    """Return the status of every phase, in order."""
    return [_status(run, step, phase) for step, phase in phases_of(run, run.plan.steps)]


def _status(run: Run, step: Step, phase: Phase) -> PhaseStatus:
    logs = logs_folder(step, phase.name)
    states = read_progress(run.folder, logs).values()
    try:
        items = phase.items()
        done = {item for item in items if phase.is_done(item)}
        total: int | None = len(items)
    except GristmillError:
        done, total = set(), None
    failed = {item: why for item, why in read_failures(run.folder, logs).items() if item not in done}
    return PhaseStatus(
        step=step.name,
        phase=phase.name,
        done=len(done),
        total=total,
        working=sum(state.alive and not state.done and state.item not in failed for state in states),
        rows=sum(state.rows for state in states),
        failed=failed,
    )
