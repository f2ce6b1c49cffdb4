"""What every test file shares: Hypothesis's profile, the real data's folder, a Slurm cluster.

Where what a test needs is not there it is skipped, with the reason. `GRISTMILL_TESTS_REQUIRE` names what must be there
(`data`, `slurm`, separated by spaces): then its lack is a failure, so that a test run meant to be whole cannot pass
without it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from commands import QUICKSTART, gristmill
from hypothesis import settings
from slurm_cluster import SlurmCluster, running_cluster, why_not

settings.register_profile("gristmill", deadline=None)  # the first call of a kernel compiles it
settings.register_profile("ci", settings.get_profile("gristmill"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "gristmill")


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of the real data."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        _do_without("data", f"no real data: {folder} is missing")
    return folder


@pytest.fixture(scope="session")
def slurm_cluster() -> Iterator[SlurmCluster]:
    """Yield a Slurm cluster that is up, started for the first test that asks for it."""
    if reason := why_not():
        _do_without("slurm", reason)
    with running_cluster() as cluster:
        yield cluster


def _do_without(need: str, reason: str) -> NoReturn:
    """Skip the test, or fail it if what it needs is required here."""
    if need in os.environ.get("GRISTMILL_TESTS_REQUIRE", "").split():
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sample in sample/ and its finished run, made with one worker, in runs/quickstart/."""
    folder = tmp_path_factory.mktemp("quickstart")
    gristmill("sample", "sample", cwd=folder)
    gristmill("run", QUICKSTART, "--workers", 1, cwd=folder)
    return folder
