"""A Slurm cluster of one machine for tests: started in a second or two, stopped for good.

It runs as root without systemd or cgroups: one controller, one node with 2 CPUs, one partition, `munged` for
authentication. All that it writes lies in one temporary folder, and its ports are unprivileged, so several clusters can
run side by side. It has no accounting database: job states come from `scontrol`, not `sacct`.

    with running_cluster() as cluster:
        job = cluster.submit("--wrap=true")
        cluster.wait(job)

A subprocess that is to use the cluster gets `cluster.env`.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

COMMANDS = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "scontrol", "sinfo")
PARTITION = "test"

_DAEMON_COUNT = 3
_SECONDS_TO_START = 30.0
_SECONDS_TO_STOP = 10.0
_SECONDS_BETWEEN_LOOKS = 0.1
_PORTS = range(20_000, 32_000)  # below Linux's ephemeral range, so no outgoing connection takes one in between
_SBIN = ("/usr/sbin", "/sbin", "/usr/local/sbin")
_UNFINISHED = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUED", "STOPPED")
_NEVER = "DependencyNeverSatisfied"  # such a job, and all that wait for it, stay pending until they are cancelled


class ClusterError(RuntimeError):
    """The cluster did not do what it was asked; the message ends with what its daemons logged."""


@dataclass(frozen=True)
class Job:
    """A job as `scontrol` shows it: of an array, each task that has started, and those that wait as one.

    ``id`` is what `sbatch` gave: the array's for its tasks. ``task`` is None outside arrays and for tasks that wait as
    one. ``after`` are the ids of the jobs that it still waits for.
    """

    id: str
    task: int | None
    state: str
    reason: str
    exit_code: int
    signal: int
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class SlurmCluster:
    """A cluster that is up. ``env`` is the environment in which Slurm's commands find it."""

    folder: Path
    env: dict[str, str]

    def run(self, *command: str) -> str:
        """Return what a command prints. Raises ClusterError if it fails."""
        done = subprocess.run(command, env=self.env, cwd=self.folder, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise ClusterError(f"{' '.join(command)} exited with {done.returncode}: {done.stderr}{_logs(self.folder)}")
        return done.stdout

    def submit(self, *arguments: str) -> str:
        """Return the id of a job submitted by `sbatch`; its output goes to the cluster's folder unless said."""
        return self.run("sbatch", "--parsable", *arguments).strip().split(";")[0]

    def jobs(self, *ids: str) -> list[Job]:
        """Return the jobs of these ids, or all jobs, by id and task. Raises ClusterError for an unknown id."""
        lines = self.run("scontrol", "-o", "show", "job").splitlines()
        jobs = [_job(line) for line in lines if line.startswith("JobId=")]
        if unknown := set(ids) - {job.id for job in jobs}:
            raise ClusterError(f"no such jobs: {', '.join(sorted(unknown))}")
        return sorted((job for job in jobs if not ids or job.id in ids), key=_order)

    def wait(self, *ids: str, seconds: float = 60.0) -> list[Job]:
        """Return the jobs of these ids, or all jobs, once they have ended or can never run.

        Raises ClusterError after ``seconds``.
        """
        if not _becomes_true(lambda: self._are_over(ids), seconds):
            raise ClusterError(f"still not over after {seconds:g} s: {self.jobs(*ids)}{_logs(self.folder)}")
        return self.jobs(*ids)

    def _are_over(self, ids: tuple[str, ...]) -> bool:
        never = _never_to_run(self.jobs())
        return all(job.state not in _UNFINISHED or job.id in never for job in self.jobs(*ids))


def why_not() -> str | None:
    """Return why no cluster can be started here, or None if one can."""
    if os.geteuid() != 0:
        return "a Slurm cluster for tests needs root"
    missing = [command for command in COMMANDS if shutil.which(command, path=_path()) is None]
    return f"not installed: {', '.join(missing)} (Debian: slurm-wlm, munge)" if missing else None


@contextmanager
def running_cluster() -> Iterator[SlurmCluster]:
    """Start a cluster; stop it, its jobs and its daemons when the block is left, however it is left.

    Raises ClusterError if it does not come up in 30 s.
    """
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    daemons: list[subprocess.Popen[bytes]] = []
    cluster = SlurmCluster(folder, _environment(folder))
    with _guarded(folder, daemons):
        try:
            _configure(folder)
            _start(cluster, daemons)
            yield cluster
        finally:
            _end_jobs(cluster, daemons)


@contextmanager
def _guarded(folder: Path, daemons: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Have another process remove the cluster: when the block is left, but also when this process is killed."""
    command = [sys.executable, __file__, str(folder)]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        guard.communicate()  # its input ends: that is the sign it waits for
        for daemon in daemons:
            daemon.wait(_SECONDS_TO_STOP)


def _path() -> str:
    """Return PATH with this interpreter's scripts first and the system's daemons last."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath), *_SBIN])


def _environment(folder: Path) -> dict[str, str]:
    """Return this process's environment, pointed at the cluster and without what another Slurm left in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM", "SBATCH", "SRUN"))}
    return kept | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": _path()}


def _configure(folder: Path) -> None:
    """Write the key and the configuration, which leaves everything that may be left to Slurm's defaults."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))
    host = socket.gethostname().split(".")[0]
    controller_port, node_port = _free_ports(2)
    lines = [
        "ClusterName=test",
        f"SlurmctldHost={host}(127.0.0.1)",
        f"NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=16000 State=UNKNOWN",
        f"PartitionName={PARTITION} Nodes={host} Default=YES MaxTime=INFINITE DefMemPerCPU=1000 State=UP",
        f"SlurmctldPort={controller_port}",
        f"SlurmdPort={node_port}",
        f"StateSaveLocation={folder}/state",
        f"SlurmdSpoolDir={folder}/spool",
        f"SlurmctldPidFile={folder}/slurmctld.pid",
        f"SlurmdPidFile={folder}/slurmd.pid",
        "SlurmUser=root",
        "SlurmdUser=root",
        "AuthType=auth/munge",
        f"AuthInfo=socket={folder}/munge.socket",
        "CredType=cred/munge",
        "ProctrackType=proctrack/linuxproc",
        "TaskPlugin=task/none",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_Core_Memory",
        "MailProg=/bin/true",
        "ReturnToService=2",
        "SlurmdParameters=config_overrides",  # believe CPUs and RealMemory, whatever the machine has
        "SchedulerParameters=sched_interval=1,batch_sched_delay=0",
        "KillWait=2",
        "MinJobAge=86400",  # jobs stay visible to `scontrol` for as long as any test session lasts
    ]
    (folder / "slurm.conf").write_text("\n".join(lines) + "\n")
    if _slurm_version() >= (24, 5):  # earlier ones do not know the value, and use no cgroup plugin unless told to
        (folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n")


def _slurm_version() -> tuple[int, ...]:
    """Return the version that `slurmd -V` states, such as (22, 5, 8)."""
    stated = subprocess.run(["slurmd", "-V"], env={"PATH": _path()}, capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+(\.\d+)+", stated)
    if not found:
        raise ClusterError(f"`slurmd -V` states no version: {stated!r}")
    return tuple(int(part) for part in found[0].split("."))


def _free_ports(count: int) -> list[int]:
    """Return TCP ports that nothing listens on, searched from a place of this process's own."""
    start = os.getpid() * 2 % len(_PORTS)
    ports: list[int] = []
    for port in (*_PORTS[start:], *_PORTS[:start]):
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise ClusterError(f"no {count} free ports from {_PORTS.start} to {_PORTS.stop}")


def _start(cluster: SlurmCluster, daemons: list[subprocess.Popen[bytes]]) -> None:
    """Start the three daemons, each once the one before answers, and wait for the node to be idle."""
    folder, conf = cluster.folder, cluster.env["SLURM_CONF"]
    munge = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    files = [f"--{option}={folder}/munge.{suffix}" for option, suffix in munge.items()]
    _launch(cluster, daemons, "munged", "--foreground", "--force", "--num-threads=2", *files)
    _await(cluster, daemons, (folder / "munge.socket").is_socket, "munged has no socket")
    _launch(cluster, daemons, "slurmctld", "-D", "-f", conf)
    _launch(cluster, daemons, "slurmd", "-D", "-f", conf)
    _await(cluster, daemons, lambda: _node_state(cluster) == "idle", "the node is not idle")


def _launch(cluster: SlurmCluster, daemons: list[subprocess.Popen[bytes]], name: str, *arguments: str) -> None:
    """Start a daemon, in a session of its own so that Ctrl-C does not reach it before the jobs have ended."""
    with (cluster.folder / f"{name}.out").open("wb") as output:
        daemons.append(
            subprocess.Popen(
                [name, *arguments],
                env=cluster.env,
                cwd=cluster.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        )


def _await(
    cluster: SlurmCluster, daemons: list[subprocess.Popen[bytes]], is_there: Callable[[], bool], otherwise: str
) -> None:
    """Wait until something is there. Raises ClusterError if it is not in time, or a daemon ended."""

    def is_settled() -> bool:
        return any(daemon.poll() is not None for daemon in daemons) or is_there()

    if not _becomes_true(is_settled, _SECONDS_TO_START) or not is_there():
        raise ClusterError(f"Slurm did not start: {otherwise}{_logs(cluster.folder)}")


def _node_state(cluster: SlurmCluster) -> str:
    """Return the node's state as `sinfo` names it, or an empty string while the controller does not answer."""
    command = ["sinfo", "--noheader", "--format=%T"]
    try:
        return subprocess.run(command, env=cluster.env, capture_output=True, text=True, timeout=2).stdout.strip()
    except subprocess.TimeoutExpired:
        return ""


def _end_jobs(cluster: SlurmCluster, daemons: list[subprocess.Popen[bytes]]) -> None:
    """Cancel every job and wait until its processes are gone, if the daemons are there to do so."""
    if len(daemons) < _DAEMON_COUNT or any(daemon.poll() is not None for daemon in daemons):
        return
    cancel = ["scancel", "--quiet", f"--partition={PARTITION}"]
    subprocess.run(cancel, env=cluster.env, capture_output=True, timeout=_SECONDS_TO_STOP)
    _becomes_true(lambda: _node_state(cluster) in ("idle", ""), _SECONDS_TO_STOP)


def _remove(folder: Path) -> None:
    """Kill every process of the cluster in a folder, until none is left to start another, and remove the folder."""

    def none_is_left() -> bool:
        processes = _processes_of(folder)
        for process in processes:
            _kill(process)
        return not processes

    _becomes_true(none_is_left, _SECONDS_TO_STOP)
    shutil.rmtree(folder, ignore_errors=True)


def _processes_of(folder: Path) -> list[int]:
    """Return the ids of other processes that were started with the cluster's configuration or in its folder."""
    mark = f"SLURM_CONF={folder}/slurm.conf".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            is_ours = mark in environment or (process / "cwd").readlink().is_relative_to(folder)
        except OSError:  # it ended in between, or is a zombie
            continue
        if is_ours and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def _becomes_true(is_true: Callable[[], bool], seconds: float) -> bool:
    """Return whether something became true in time."""
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() >= end:
            return False
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return True


def _never_to_run(jobs: list[Job]) -> set[str]:
    """Return the ids of the jobs that wait, perhaps through others, for one that failed."""
    never = {job.id for job in jobs if job.reason == _NEVER}
    while more := {job.id for job in jobs if never.intersection(job.after)} - never:
        never |= more
    return never


def _job(line: str) -> Job:
    """Return the job that a line of `scontrol -o show job` describes.

    >>> _job("JobId=8 ArrayJobId=7 ArrayTaskId=0 JobState=FAILED Reason=NonZeroExitCode ExitCode=3:0")
    Job(id='7', task=0, state='FAILED', reason='NonZeroExitCode', exit_code=3, signal=0, after=())
    >>> _job("JobId=9 JobState=PENDING Reason=Dependency Dependency=afterok:7_*(unfulfilled) ExitCode=0:0").after
    ('7',)
    """
    values: dict[str, str] = dict(re.findall(r"(?:^|\s)(\w+)=(\S*)", line))
    task = values.get("ArrayTaskId", "")
    exit_code, killed_by = values["ExitCode"].split(":")
    return Job(
        id=values.get("ArrayJobId") or values["JobId"],
        task=int(task) if task.isdecimal() else None,
        state=values["JobState"],
        reason=values["Reason"],
        exit_code=int(exit_code),
        signal=int(killed_by),
        after=tuple(re.findall(r":(\d+)", values.get("Dependency", ""))),
    )


def _order(job: Job) -> tuple[int, int]:
    return int(job.id), -1 if job.task is None else job.task


def _logs(folder: Path) -> str:
    """Return the last lines of each daemon's log, as the end of a message."""
    logs = [path for path in sorted(folder.glob("*")) if path.suffix in (".out", ".log")]
    parts = [f"\n--- {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-15:]) for path in logs]
    return "".join(parts)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    _remove(Path(sys.argv[1]))
