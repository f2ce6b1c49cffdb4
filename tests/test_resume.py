"""Killed and resumed, with one worker or many: the same bytes."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from commands import QUICKSTART, command, difference, environment, gristmill, inside, outputs

KILLS = 8


@pytest.fixture(scope="module")
def sampled(quickstart):
    """The folder with the sample, and the outputs of an uninterrupted run with one worker."""
    return quickstart, outputs(quickstart / "runs" / "quickstart")


def test_two_workers_give_the_same_bytes(sampled):
    folder, expected = sampled
    gristmill("run", QUICKSTART, "--workers", 2, "--workdir", "two", cwd=folder)
    found = outputs(folder / "two" / "quickstart")
    assert difference(expected, found) == []
    assert any(name.startswith("tokens/") for name in found)


def test_a_finished_run_is_not_done_again(sampled):
    folder, expected = sampled
    before = {path: path.stat().st_mtime_ns for path in (folder / "runs" / "quickstart").rglob("*.parquet")}
    gristmill("run", QUICKSTART, "--workers", 1, cwd=folder)
    assert {path: path.stat().st_mtime_ns for path in (folder / "runs" / "quickstart").rglob("*.parquet")} == before
    assert outputs(folder / "runs" / "quickstart") == expected


def test_killed_at_random_moments_and_resumed_gives_the_same_bytes(sampled):
    """A run that outlives its kills is compared, and the next kills go to a new one."""
    folder, expected = sampled
    moments = random.Random(20_24)
    killed = runs = 0
    while killed < KILLS:
        runs += 1
        arguments = ("run", QUICKSTART, "--workers", 2, "--workdir", f"killed-{runs}")
        while killed < KILLS and kill_at(moments.randint(1, 8), arguments, folder):
            killed += 1
        gristmill(*arguments, cwd=folder)
        assert difference(expected, outputs(folder / f"killed-{runs}" / "quickstart")) == []
        inside("audit", f"killed-{runs}/quickstart", cwd=folder)


CASCADE = """\
name: cascade
source: {warc: ["sample/*.warc.gz"]}
stages:
  - extract: {extractor: cascade}
  - language: {keep: {en: 0.65}}
  - signals: {families: [gopher_repetition, gopher_quality]}
  - filter: {use: [gopher_repetition, gopher_quality]}
"""


def test_a_cascade_killed_while_it_extracts_and_resumed_gives_the_same_bytes(quickstart):
    """Killed when its first file is begun, and again when its first shard is finished."""
    recipe = quickstart / "cascade.yaml"
    recipe.write_text(CASCADE, encoding="utf-8")
    gristmill("run", recipe, "--workers", 1, cwd=quickstart)
    expected = outputs(quickstart / "runs" / "cascade")
    shards = sum(name.startswith("documents/") for name in expected)
    assert shards == 3
    arguments = ("run", recipe, "--workers", 2, "--workdir", "killed-cascade")
    run = quickstart / "killed-cascade" / "cascade"
    for finished in (0, 1):
        assert kill_when(lambda least=finished: begun(run / "documents", least), arguments, quickstart)
        assert len(list(run.glob("documents/*.parquet"))) < shards
    gristmill(*arguments, cwd=quickstart)
    assert difference(expected, outputs(run)) == []
    inside("audit", run, cwd=quickstart)


def begun(folder, finished):
    """Whether so many files of a folder are finished; for none, whether one is begun."""
    return len(list(folder.glob("*.parquet" if finished else "*"))) >= max(finished, 1)


def kill_at(files, arguments, folder):
    """Start a command and kill it when it has begun so many files, logs apart; return False if it ended before."""
    option = arguments.index("--workdir") if "--workdir" in arguments else None
    runs = folder / ("runs" if option is None else arguments[option + 1])
    before = begun_files(runs)
    return kill_when(lambda: len(begun_files(runs) - before) >= files, arguments, folder)


def begun_files(runs):
    """Return the paths of the files in a folder of runs, those with temporary names included, logs left out."""
    paths = (Path(folder) / name for folder, _, names in os.walk(runs) for name in names)
    return {path for path in paths if "logs" not in path.relative_to(runs).parts}


def kill_when(happened, arguments, folder):
    """Start a command and kill it as soon as something has happened; return False if it ended before.

    What happened is asked, and not what time it is: on a quick machine or a busy one, a run is killed at the same work.
    """
    process = subprocess.Popen(
        command(*arguments), cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and not happened():
        time.sleep(0.005)
    return kill(process)


def kill(process):
    """Kill a command, with the processes that it started; return False if it had ended. Nothing of it may live on."""
    if process.poll() is not None:
        assert process.returncode == 0
        return False
    descendants = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(descendants, timeout=15)
    assert not alive, f"processes outlived the launcher: {alive}"
    return True
