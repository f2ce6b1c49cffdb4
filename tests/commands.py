"""Running gristmill as a user does: in a process of its own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

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
