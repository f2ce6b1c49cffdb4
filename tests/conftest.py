"""What every test file shares: Hypothesis's profile, the real data's folder, a Slurm cluster, a finished run.

Where what a test needs is not there it is skipped, with the reason. `GRISTMILL_TESTS_REQUIRE` names what must be there
(`data`, `slurm`, `kenlm`, separated by spaces): then its lack is a failure, so that a test run meant to be whole cannot
pass without it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import QUICKSTART, gristmill, inside
from hypothesis import settings
from needed import do_without
from slurm_cluster import SlurmCluster, running_cluster, why_not

settings.register_profile("gristmill", deadline=None)  # the first call of a kernel compiles it
settings.register_profile("ci", settings.get_profile("gristmill"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "gristmill")

LONGEST = (
    "test_real_data.py",
    "test_slurm.py",
    "test_resume.py",
    "test_parity_datatrove.py",
    "test_sample_pipeline.py",
    "test_minhash_stage.py",
    "test_dedup_runs.py",
    "test_index_runs.py",
    "test_cli.py",
    "test_spacy_words.py",
    "test_minhash.py",
    "test_slurm_cluster.py",
)
"""The files that take longest: they come first, so that no core waits at the end for one that another began late."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first; all others stay as they are."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of the real data."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        do_without("data", f"no real data: {folder} is missing")
    return folder


@pytest.fixture(scope="session")
def slurm_cluster() -> Iterator[SlurmCluster]:
    """Yield a Slurm cluster that is up, started for the first test that asks for it."""
    if reason := why_not():
        do_without("slurm", reason)
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sample in sample/ and its finished run, made with one worker, in runs/quickstart/.

    Workers of pytest-xdist each have a copy of their own, of what the first of them to ask has made.
    """
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made, making = base / "quickstart-made", base / "quickstart-making"
    with (base / "quickstart.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.is_dir():
            making.mkdir()
            gristmill("sample", "sample", cwd=making)
            gristmill("run", QUICKSTART, "--workers", 1, cwd=making)
            making.rename(made)
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("quickstart"), dirs_exist_ok=True))
    inside("run", QUICKSTART, "--workers", 1, cwd=folder)  # all is done; the plan names where the sample lies now
    return folder
