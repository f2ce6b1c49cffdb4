"""Running gristmill as a user does: in a process of its own, or, where that proves as much, in this one."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest

from gristmill.__main__ import main

REPOSITORY = Path(__file__).resolve().parents[1]
QUICKSTART = REPOSITORY / "configs" / "quickstart.yaml"


def gristmill(*arguments, cwd, check=True, env=None):
    """Run a command; return the finished process, its output as text."""
    done = subprocess.run(
        command(*arguments), cwd=cwd, env=environment(env), capture_output=True, text=True, timeout=570, check=False
    )
    if check:
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done


def inside(*arguments, cwd, check=True):
    """Run a command that only looks, in this process; return what it would leave as a process.

    A process takes a second and more to start. Commands that do the work of a run keep theirs: workers, signals, the
    order of sets and what a library keeps for itself are part of what they are tested for.
    """
    line, told, error = list(map(str, arguments)), io.StringIO(), io.StringIO()
    terminal = mock.patch.dict(os.environ, {"COLUMNS": "200", "NO_COLOR": "1"})
    typed = mock.patch.object(sys, "argv", ["gristmill", *line])
    with chdir(cwd), terminal, typed, redirect_stdout(told), redirect_stderr(error), pytest.raises(SystemExit) as ended:
        main()
    done = subprocess.CompletedProcess(line, ended.value.code or 0, told.getvalue(), error.getvalue())
    if check:
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done


def command(*arguments):
    """Return the command line."""
    return [sys.executable, "-m", "gristmill", *map(str, arguments)]


def environment(extra=None):
    """Return an environment in which nothing depends on the terminal."""
    return {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "PYTHONHASHSEED": "random", **(extra or {})}


def outputs(run):
    """Return the digest of each file that a run must reproduce: all but logs and the lock."""
    files = (path for path in sorted(Path(run).rglob("*")) if path.is_file())
    return {
        str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.relative_to(run).parts[0] not in ("logs", ".lock")
    }


def difference(one, two):
    """Return the names whose digests differ, or that only one has."""
    return sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
