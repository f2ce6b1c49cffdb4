"""The same recipe through Slurm gives the same bytes."""

import re

import pytest
from commands import QUICKSTART, difference, gristmill, inside, outputs
from slurm_cluster import PARTITION

pytestmark = pytest.mark.slurm

SLURM = f"run={{executor: slurm, slurm: {{partition: {PARTITION}, time: '00:10:00', tasks: 2, mem_per_cpu_gb: 1}}}}"

NEAR = """
name: near
source: {warc: ["sample/*.warc.gz"]}
stages:
  - extract
  - dedup: {minhash: {bands: 20, rows: 5, verify: 0.7}}
"""


def test_dry_run_writes_scripts_that_can_be_read(quickstart, tmp_path):
    done = inside("run", QUICKSTART, "--workdir", tmp_path, "--set", SLURM, "--dry-run", cwd=quickstart)
    scripts = sorted((tmp_path / "quickstart" / "logs").rglob("launch_script.slurm"))
    assert len(scripts) == len(done.stdout.splitlines())
    for script in scripts:
        text = script.read_text()
        assert text.startswith("#!/bin/bash\n")
        assert f"#SBATCH --partition={PARTITION}" in text
        assert "launch_pickled_pipeline" in text
    assert "dedup/reduce: after dedup/keys" in done.stdout


def test_each_phase_of_near_duplicates_waits_for_the_one_before(quickstart, tmp_path):
    recipe = tmp_path / "near.yaml"
    recipe.write_text(NEAR, "utf-8")
    done = inside("run", recipe, "--workdir", tmp_path, "--set", SLURM, "--dry-run", cwd=quickstart)
    steps = [line.split(": ")[:2] for line in done.stdout.splitlines()]
    assert steps[1] == ["dedup/signatures", "after extract/shards"]
    assert [after.removeprefix("after ") for _, after in steps[1:]] == [step for step, _ in steps[:-1]]
    assert {"dedup/edges", "dedup/large-12", "dedup/rest", "dedup/labels", "dedup/reduce"} < {step for step, _ in steps}


def test_slurm_gives_the_same_bytes_as_this_machine(quickstart, slurm_cluster, tmp_path):
    run = tmp_path / "quickstart"
    submit = ["run", QUICKSTART, "--workdir", tmp_path, "--set", SLURM]
    done = gristmill(*submit, cwd=quickstart, env=slurm_cluster.env)
    jobs = re.findall(r"^job (\d+): ", done.stdout, re.MULTILINE)
    assert len(jobs) >= 10
    ended = slurm_cluster.wait(*jobs, seconds=400)
    assert {job.state for job in ended} == {"COMPLETED"}, inside("status", run, cwd=quickstart).stdout
    inside("audit", run, cwd=quickstart)
    gristmill("run", QUICKSTART, "--workdir", tmp_path, "--workers", 1, cwd=quickstart)
    assert difference(outputs(quickstart / "runs" / "quickstart"), outputs(run)) == []
