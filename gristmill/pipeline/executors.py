"""datatrove's executors carry out a phase: the only module that imports them.

A phase is one datatrove pipeline of one step. A task takes the items ``rank, rank + world_size, …``; an item that
fails is recorded and the task goes on. datatrove's own completion marks are not used: what is done is told by the files
themselves, which name what they were computed from.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import multiprocess
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.executor.slurm import SlurmPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from loguru import logger
from multiprocess import forkserver

from gristmill.errors import MissingError, StageError, StaleError, UsageError
from gristmill.pipeline import orphans, warm
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.progress import Progress, record_failure
from gristmill.pipeline.run import Run
from gristmill.pipeline.settings import RunSettings

KERNELS_VARIABLE = "GRISTMILL_KERNELS"
"""Tells the fork server which kernels to load, by the names of their parts, separated by spaces."""

_WORKERS_LOG = "logs/workers.txt"


class PhaseTask(PipelineStep):  # type: ignore[misc]
    """datatrove's view of a phase; it holds names only, so that it can be pickled for any executor."""

    type = "gristmill"

    def __init__(self, run: Run, step: Step, phase: Phase, items: Sequence[str] | None) -> None:
        """``items``: what to do; None for all of the phase, and then items that fail make the task fail."""
        self.url, self.step, self.digest, self.phase, self.items = (
            run.folder.address, step.name, step.digest, phase.name, items,
        )  # fmt: skip
        self.name = f"{step.name}/{phase.name}"
        super().__init__()

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> None:
        """Do the items of one rank. Raises StaleError if the run has another plan now, StageError if items failed."""
        run = Run.open(self.url)
        step = run.plan.step(self.step)
        if step.digest != self.digest:
            raise StaleError(f"{self.url} has another plan than when {self.step} was started: start it again")
        phase = phase_of(run, step, self.phase)
        items = list(phase.items() if self.items is None else self.items)[rank::world_size]
        failed = [item for item in items if not perform(run, step, phase, item)]
        if failed and self.items is None:
            raise StageError(f"{self.step}: {len(failed)} of {len(items)} failed: {', '.join(failed)}")


class _LocalExecutor(LocalPipelineExecutor):  # type: ignore[misc]
    """datatrove's local executor, which logs to its files and leaves the terminal alone."""

    def _run_for_rank(self, rank: int, local_rank: int = 0, node_rank: int = -1) -> Any:
        return super()._run_for_rank(rank, local_rank + 1, node_rank)


def phase_of(run: Run, step: Step, name: str) -> Phase:
    """Return a step's phase by name."""
    from gristmill.pipeline.stages import PHASES

    return next(phase for phase in PHASES[step.kind](run, step) if phase.name == name)


def logs_folder(step: Step, phase: str) -> str:
    """Return the folder of a phase's logs, keyed by the step's digest: other settings never see old marks."""
    return f"logs/{step.name}-{step.digest[:8]}/{phase}"


def perform(run: Run, step: Step, phase: Phase, item: str) -> bool:
    """Do one item unless it is done; record its traceback and return False if it fails."""
    logs = logs_folder(step, phase.name)
    if phase.is_done(item):
        return True
    try:
        progress = Progress(run.folder, logs, item)
        phase.perform(item, progress)
        progress.finish()
    except Exception:
        record_failure(run.folder, logs, item, traceback.format_exc())
        logger.warning("{}: {} failed: see {}/failed", step.name, item, logs)
        return False
    run.folder.remove(f"{logs}/failed/{item}.txt")
    return True


def run_locally(run: Run, step: Step, phase: Phase, items: Sequence[str], workers: int) -> None:
    """Do the items on this machine, ``workers`` at a time."""
    orphans.end_forks_with_parent()
    logger.disable("datatrove.executor")
    if workers > 1:
        _start_fork_server(run)
    _LocalExecutor(
        pipeline=[PhaseTask(run, step, phase, list(items))],
        tasks=len(items),
        workers=min(workers, len(items)),
        logging_dir=run.folder.path(logs_folder(step, phase.name)),
        skip_completed=False,
    ).run()


def _start_fork_server(run: Run) -> None:
    """Start the process that workers are forked from, unless it runs.

    Workers are deaf to Ctrl-C, which is the launcher's to hear, and what they print goes to logs/workers.txt.
    """
    multiprocess.get_context("forkserver").set_forkserver_preload(["gristmill.pipeline.preload"])
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ[KERNELS_VARIABLE] = " ".join(warm.parts_of(run.plan.steps))
    try:
        with _errors_to(Path(run.folder.path(_WORKERS_LOG)) if run.folder.is_local else Path(os.devnull)):
            forkserver.ensure_running()
    finally:
        del os.environ[KERNELS_VARIABLE]
        signal.signal(signal.SIGINT, heard)


@contextmanager
def _errors_to(path: Path) -> Iterator[None]:
    """Let processes that are started meanwhile write their standard error to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    terminal = os.dup(2)
    try:
        with path.open("ab") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def slurm_executor(
    run: Run, step: Step, phase: Phase, settings: RunSettings, before: tuple[Phase, SlurmPipelineExecutor] | None
) -> SlurmPipelineExecutor:
    """Return the job array of a phase, which starts when the one before it has ended.

    A phase that needs all shards starts only if that one succeeded, and is cancelled, with all after it, if not; one
    that goes shard by shard starts all the same after another such.
    """
    slurm = settings.slurm
    assert slurm is not None
    return SlurmPipelineExecutor(
        pipeline=[PhaseTask(run, step, phase, None)],
        tasks=min(slurm.tasks, slurm.max_array_size, max(1, len(run.plan.shards))),
        time=slurm.time,
        partition=slurm.partition,
        cpus_per_task=slurm.cpus_per_task,
        mem_per_cpu_gb=slurm.mem_per_cpu_gb,
        workers=settings.workers or -1,
        job_name=f"{run.plan.name}-{step.name}-{phase.name}",
        qos=slurm.qos,
        env_command=slurm.env_command or (None if slurm.venv_path else _this_environment()),
        venv_path=slurm.venv_path,
        sbatch_args={"kill-on-invalid-dep": "yes", **slurm.sbatch_args},
        srun_args={"cpus-per-task": slurm.cpus_per_task},
        max_array_size=slurm.max_array_size,
        depends=before[1] if before else None,
        run_on_dependency_fail=before is not None and before[0].by_shard and not phase.needs_all,
        logging_dir=run.folder.path(logs_folder(step, phase.name)),
        skip_completed=False,
        requeue=False,
    )


def _this_environment() -> str:
    """Return the shell line that puts this interpreter's commands first on a node's PATH."""
    return f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH"


def submit(run: Run, phases: Sequence[tuple[Step, Phase]], settings: RunSettings) -> list[str]:
    """Submit one job array for each phase, each depending on the one before; return the jobs' ids.

    Raises MissingError where there is no Slurm, UsageError inside a Slurm job.
    """
    if "SLURM_JOB_ID" in os.environ:
        raise UsageError("this is a Slurm job already: submit from a login node, or use --executor local in the job")
    logger.disable("datatrove")
    jobs: list[tuple[Phase, SlurmPipelineExecutor]] = []
    for step, phase in phases:
        jobs.append((phase, slurm_executor(run, step, phase, settings, jobs[-1] if jobs else None)))
    try:
        jobs[-1][1].run()
    except FileNotFoundError as error:
        raise MissingError("`sbatch` is not on the PATH: run this on a machine that submits to Slurm") from error
    return [str(job.job_id) for _, job in jobs]


def write_scripts(run: Run, phases: Sequence[tuple[Step, Phase]], settings: RunSettings) -> list[Path]:
    """Write the script of each job array without submitting it; return their paths."""
    paths = []
    for step, phase in phases:
        executor = slurm_executor(run, step, phase, settings, None)
        pickled = executor.logging_dir.resolve_paths("executor.pik")
        tasks = min(executor.tasks, executor.max_array_size)
        script = executor.get_launch_file_contents(
            executor.get_sbatch_args(tasks), f"srun -l -n 1 launch_pickled_pipeline {pickled}"
        )
        name = f"{logs_folder(step, phase.name)}/launch_script.slurm"
        run.folder.write_bytes(name, script.encode())
        paths.append(Path(run.folder.path(name)))
    return paths
