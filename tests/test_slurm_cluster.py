"""The cluster that other tests run on: it schedules, it chains, it tells exit codes, and it leaves nothing behind."""

from __future__ import annotations

import doctest
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import slurm_cluster as module
from slurm_cluster import ClusterError, Job, SlurmCluster

LAUNCH = """
import sys
from functools import partial
from datatrove.data import Document
from datatrove.executor import SlurmPipelineExecutor
from datatrove.pipeline.filters import LambdaFilter

def write(folder, pages, rank, world_size):
    with open(f"{folder}/{rank}-of-{world_size}", "w") as file:
        file.writelines(page.id for page in pages)

folder, partition = sys.argv[1:]
pages = [Document(text=f"page {page}", id=str(page)) for page in range(3)]
SlurmPipelineExecutor(
    pipeline=[pages, LambdaFilter(lambda page: page.id != "1"), partial(write, folder)],
    tasks=2, time="00:05:00", partition=partition, qos=None, mem_per_cpu_gb=1, logging_dir=f"{folder}/logs",
).run()
"""

HOLD = """
import time
from slurm_cluster import running_cluster

with running_cluster() as cluster:
    cluster.submit("--wrap=touch started; sleep 600")
    while not (cluster.folder / "started").exists():  # Slurm calls a job running before its script is
        time.sleep(0.1)
    print(cluster.folder, flush=True)
    time.sleep(600)
"""


@pytest.mark.slurm
def test_an_array_runs_each_task_and_tells_its_exit_code(slurm_cluster: SlurmCluster) -> None:
    array = slurm_cluster.submit("--array=0-2", "--wrap=exit $SLURM_ARRAY_TASK_ID")
    assert slurm_cluster.wait(array) == [
        Job(array, 0, "COMPLETED", "None", 0, 0),
        Job(array, 1, "FAILED", "NonZeroExitCode", 1, 0),
        Job(array, 2, "FAILED", "NonZeroExitCode", 2, 0),
    ]


@pytest.mark.slurm
def test_a_dependent_job_waits_for_success(slurm_cluster: SlurmCluster, tmp_path: Path) -> None:
    first = slurm_cluster.submit(f"--wrap=sleep 1; echo first >> {tmp_path}/order")
    second = slurm_cluster.submit(f"--dependency=afterok:{first}", f"--wrap=echo second >> {tmp_path}/order")
    assert {job.state for job in slurm_cluster.wait(first, second)} == {"COMPLETED"}
    assert (tmp_path / "order").read_text() == "first\nsecond\n"


@pytest.mark.slurm
def test_waiting_ends_for_jobs_that_can_never_run(slurm_cluster: SlurmCluster) -> None:
    failing = slurm_cluster.submit("--array=0-1", "--wrap=exit 3")
    never = slurm_cluster.submit(f"--dependency=afterok:{failing}", "--array=0-1", "--wrap=true")
    nor_this = slurm_cluster.submit(f"--dependency=afterok:{never}", "--wrap=true")
    anyway = slurm_cluster.submit(f"--dependency=afterany:{failing}", "--wrap=true")
    jobs = slurm_cluster.wait(failing, never, nor_this, anyway)
    assert [(job.id, job.state, job.exit_code) for job in jobs] == [
        (failing, "FAILED", 3),
        (failing, "FAILED", 3),
        (never, "PENDING", 0),
        (nor_this, "PENDING", 0),
        (anyway, "COMPLETED", 0),
    ]
    assert jobs[-2].after == (never,)


@pytest.mark.slurm
def test_datatrove_runs_a_pipeline_of_two_tasks(slurm_cluster: SlurmCluster, tmp_path: Path) -> None:
    before = {job.id for job in slurm_cluster.jobs()}
    slurm_cluster.run(sys.executable, "-c", LAUNCH, str(tmp_path), module.PARTITION)
    jobs = slurm_cluster.wait(*{job.id for job in slurm_cluster.jobs()} - before)
    logs = "".join(path.read_text() for path in (tmp_path / "logs" / "slurm_logs").glob("*.out"))
    assert [job.state for job in jobs] == ["COMPLETED"] * 3, logs  # two tasks, and one job that merges their counts
    assert [(tmp_path / name).read_text() for name in ("0-of-2", "1-of-2")] == ["02", "02"]
    assert sorted(path.name for path in (tmp_path / "logs" / "completions").iterdir()) == ["00000", "00001"]


@pytest.mark.slurm
def test_what_does_not_come_is_an_error(slurm_cluster: SlurmCluster) -> None:
    with pytest.raises(ClusterError, match="no such jobs: 999999"):
        slurm_cluster.wait("999999")
    with pytest.raises(ClusterError, match=r"^sbatch .* exited with 1: .*invalid partition"):
        slurm_cluster.submit("--partition=nonsense", "--wrap=true")
    long = slurm_cluster.submit("--wrap=sleep 600")
    with pytest.raises(ClusterError, match=r"still not over after 0\.2 s"):
        slurm_cluster.wait(long, seconds=0.2)
    slurm_cluster.run("scancel", long)
    assert [job.state for job in slurm_cluster.wait(long)] == ["CANCELLED"]


@pytest.mark.slurm
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_process_that_holds_a_cluster_is_stopped(sign: signal.Signals) -> None:
    if reason := module.why_not():
        pytest.skip(reason)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        folder = Path(holder.stdout.readline().strip())
        running = module._processes_of(folder)
        holder.send_signal(sign)
        holder.communicate(timeout=120)
    assert len(running) >= 5  # three daemons, a job's step and its script
    assert holder.returncode == -sign
    assert module._becomes_true(lambda: not folder.exists(), 20)
    assert module._processes_of(folder) == []


@pytest.mark.slurm
def test_a_daemon_that_does_not_start_is_an_error_that_shows_its_log(
    slurm_cluster: SlurmCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "slurmctld"
    broken.write_text("#!/bin/sh\necho out of order\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ClusterError, match=r"the node is not idle(?s:.*)out of order"), module.running_cluster():
        pass


def test_a_cluster_is_not_for_everyone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert module.why_not() == "a Slurm cluster for tests needs root"


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(module, "COMMANDS", ("sh", "no-such-daemon"))
    assert module.why_not() == "not installed: no-such-daemon (Debian: slurm-wlm, munge)"


def test_the_environment_forgets_another_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "0")
    monkeypatch.setenv("SBATCH_PARTITION", "gpu")
    environment = module._environment(tmp_path)
    assert {name for name in environment if name.startswith(("SLURM", "SBATCH"))} == {"SLURM_CONF"}
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)


def test_the_examples_hold() -> None:
    assert doctest.testmod(module).failed == 0
