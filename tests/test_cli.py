"""The commands, as a user meets them."""

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import suppress

import psutil
import pyarrow.parquet as pq
import pytest
from commands import QUICKSTART, command, difference, environment, gristmill, inside, outputs

from gristmill.filters.signals.families import SIGNALS


def test_every_command_has_help():
    listed = gristmill("--help", cwd=".").stdout
    for name in [
        "sample",
        "run",
        "extract",
        "language",
        "signals",
        "filter",
        "ensemble",
        "importance",
        "dedup",
        "decontaminate",
        "tokenize",
        "plan",
        "status",
        "funnel",
        "explain",
        "sweep",
        "compare",
        "fates",
        "audit",
        "report",
        "card",
        "schema",
    ]:
        assert name in listed
        assert "Usage" in inside(name, "--help", cwd=".").stdout


def test_help_imports_nothing_heavy():
    code = "import sys, gristmill.cli; print([m for m in ('numba', 'pyarrow', 'datatrove') if m in sys.modules])"
    done = subprocess.run([*command()[:1], "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "none.yaml"], 2, "there is no recipe none.yaml"),
        (["run"], 2, "Missing argument"),
        (["frobnicate"], 2, "No such command"),
        (["funnel", "nowhere"], 2, "there is no run in 'nowhere'"),
        (["funnel", "some.yaml"], 2, "is a recipe; this command takes a run's folder"),
        (["run", QUICKSTART, "--until", "filtr"], 2, "the recipe has no stage 'filtr'"),
        (["run", QUICKSTART, "--until", "filter", "--only", "filter"], 2, "contradict"),
        (["run", QUICKSTART, "--executor", "cloud"], 2, "there is no executor 'cloud'"),
        (["run", QUICKSTART, "--executor", "slurm"], 2, "run.slurm.partition"),
        (["run", QUICKSTART, "--workers", "0"], 2, "workers"),
        (["plan", QUICKSTART, "--set", "stages.filtr=3"], 2, "no stage 'filtr'"),
        (["explain", "quickstart", "http://nowhere.example/"], 2, "nowhere.example"),
        (["run", QUICKSTART, "--workdir", ""], 2, "--workdir is empty"),
        (["run", QUICKSTART, "--workdir", "foo://x"], 2, "'foo://x/quickstart' cannot be opened"),
        (["run", QUICKSTART, "--set", "source=foo://x"], 2, "'foo://x' cannot be opened"),
        (["run", QUICKSTART, "--set", "source=sample"], 2, "/*.warc.gz' for what is in it"),
        (["fates", "quickstart", "-o", "sample"], 1, "sample"),
    ],
)
def test_wrong_usage_ends_in_2_and_says_why(quickstart, arguments, code, message):
    done = inside(*arguments, cwd=quickstart, check=False)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_is_quiet_where_there_is_no_terminal(quickstart):
    done = gristmill("run", QUICKSTART, cwd=quickstart)
    assert done.stderr == ""
    assert "report" in done.stdout
    assert "tokens" in done.stdout
    assert (quickstart / re.search(r"report\s+(\S+)", done.stdout)[1]).exists()


def test_stages_run_one_by_one_give_the_same_bytes(quickstart, tmp_path):
    failed = inside("filter", QUICKSTART, "--workdir", tmp_path, cwd=quickstart, check=False)
    assert failed.returncode == 2
    assert "stage 'filter' needs stage 'signals'" in failed.stderr
    for stage in ("extract", "language", "edit", "signals", "filter", "dedup", "decontaminate", "tokenize"):
        inside(stage, QUICKSTART, "--workdir", tmp_path, "--workers", 1, cwd=quickstart)
    found = outputs(tmp_path / "quickstart")
    assert difference(outputs(quickstart / "runs" / "quickstart"), found) == []


def test_until_stops_and_the_funnel_says_so(quickstart, tmp_path):
    inside("run", QUICKSTART, "--workdir", tmp_path, "--until", "language", "--workers", 1, cwd=quickstart)
    assert not (tmp_path / "quickstart" / "tokens").exists()
    shown = inside("status", tmp_path / "quickstart", cwd=quickstart).stdout
    assert "language" in shown
    assert inside("funnel", tmp_path / "quickstart", cwd=quickstart).stdout


def test_another_bound_reads_no_text(quickstart, tmp_path):
    """Only the filter and what follows from it is computed again."""
    recipe = ["run", QUICKSTART, "--workdir", tmp_path, "--workers", 1]
    inside(*recipe, "--until", "filter", cwd=quickstart)
    run = tmp_path / "quickstart"
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*.parquet")}
    changed = [*recipe, "--until", "filter", "--set", "stages.filter.gopher_quality.word_count.min=1000"]
    inside(*changed, cwd=quickstart)
    new = {path.parent.name for path in run.rglob("*.parquet")} - {path.parent.name for path in before}
    assert len(new) == 1
    assert next(iter(new)).startswith("filter-")
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_dry_run_does_nothing(quickstart, tmp_path):
    done = inside("run", QUICKSTART, "--workdir", tmp_path, "--dry-run", cwd=quickstart)
    assert "extract/shards: 3 to do, 0 done" in done.stdout
    assert not list(tmp_path.rglob("*"))
    before = outputs(quickstart / "runs" / "quickstart")
    inside("run", QUICKSTART, "--dry-run", "--set", "stages.extract.mode=fast", cwd=quickstart)
    assert difference(before, outputs(quickstart / "runs" / "quickstart")) == []


def test_dry_run_speaks_of_stale_files_as_of_work_to_do(quickstart, tmp_path):
    """A WARC with other bytes under its old name makes every file that rests on it stale, not an error."""
    shutil.copytree(quickstart / "sample", tmp_path / "sample")
    shutil.copytree(quickstart / "runs", tmp_path / "runs")
    with (tmp_path / "sample" / "sample-00000.warc.gz").open("ab") as warc:
        warc.write(gzip.compress(b"", mtime=0))
    done = inside("run", QUICKSTART, "--dry-run", cwd=tmp_path)
    assert "extract/shards: 1 to do, 2 done" in done.stdout
    assert "tokenize/pack: known when the phases before it are done" in done.stdout


def test_explain_tells_a_url_and_an_id(quickstart):
    lines = [json.loads(line) for line in (quickstart / "sample" / "truth.jsonl").read_text().splitlines()]
    dropped = next(line for line in lines if line["stage"] == "filter")
    shown = inside("explain", "quickstart", dropped["url"], cwd=quickstart).stdout
    assert any(reason in shown for reason in dropped["reasons_any"])
    identity = f"{dropped['warc'].removesuffix('.warc.gz')}/{dropped['offset']}"
    assert any(
        reason in inside("explain", "quickstart", identity, cwd=quickstart).stdout for reason in dropped["reasons_any"]
    )


def test_report_card_and_schema_are_written(quickstart):
    run = quickstart / "runs" / "quickstart"
    for name in ("report", "card"):
        inside(name, "quickstart", cwd=quickstart)
    assert (run / "report" / "index.html").read_text().startswith("<!doctype html>")
    assert json.loads((run / "report" / "stats.json").read_text())
    assert (run / "README.md").read_text().startswith("---\n")
    assert json.loads(inside("schema", cwd=quickstart).stdout)["title"] == "gristmill recipe"


def test_a_failing_shard_fails_alone_and_is_redone_alone(quickstart, tmp_path):
    """What one shard must write cannot be written: the others finish, the run names it, the next run redoes only it."""
    run = ["run", QUICKSTART, "--workdir", tmp_path, "--workers", 2]
    documents = tmp_path / "quickstart" / "documents"
    obstacle = documents / "sample-00001.parquet"
    obstacle.mkdir(parents=True)
    failed = gristmill(*run, cwd=quickstart, check=False)
    assert failed.returncode == 1
    assert "extract: sample-00001" in failed.stderr
    assert "run again to redo only what failed" in failed.stderr
    assert (documents / "sample-00000.parquet").is_file()
    assert list(tmp_path.glob("quickstart/signals-*/sample-00000.parquet")), "the others go on to the next exchange"
    assert not list(tmp_path.glob("quickstart/dedup-*/sample-*.parquet")), "an exchange waits for all shards"
    assert "sample-00001" in inside("status", tmp_path / "quickstart", cwd=quickstart).stdout
    obstacle.rmdir()
    kept = (documents / "sample-00000.parquet").stat().st_mtime_ns
    gristmill(*run, cwd=quickstart)
    assert (documents / "sample-00000.parquet").stat().st_mtime_ns == kept
    assert difference(outputs(quickstart / "runs" / "quickstart"), outputs(tmp_path / "quickstart")) == []


def test_a_killed_worker_fails_its_shard_alone(quickstart, tmp_path):
    """A pool would wait for it for ever; the launcher notices, names the shard, and the next run redoes it.

    Even one that cannot be interrupted, as what a script starts in the background.
    """
    run = ["run", QUICKSTART, "--workdir", tmp_path, "--workers", 2]
    process = subprocess.Popen(
        ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *command(*run)],
        cwd=quickstart,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    worker = extracting_worker(process)
    worker.kill()
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 1, stderr
    assert stderr.count("its worker was killed") == 1
    done = list((tmp_path / "quickstart" / "documents").glob("*.parquet"))
    assert len(done) == 2
    gristmill(*run, cwd=quickstart)
    assert difference(outputs(quickstart / "runs" / "quickstart"), outputs(tmp_path / "quickstart")) == []


def extracting_worker(launcher):
    """Return a worker of a run that is extracting: the parent of an extraction process."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and launcher.poll() is None:
        for process in psutil.Process(launcher.pid).children(recursive=True):
            with suppress(psutil.Error):
                if "gristmill.crawl.extraction.child" in process.cmdline() and process.parent().pid != launcher.pid:
                    return process.parent()
        time.sleep(0.02)
    raise AssertionError(f"no worker was seen: {launcher.poll()}")


def test_interrupting_ends_in_130_and_leaves_no_process(quickstart, tmp_path):
    process = subprocess.Popen(
        command("run", QUICKSTART, "--workdir", tmp_path, "--workers", 2),
        cwd=quickstart, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    extracting_worker(process)
    descendants = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT)  # the latter where Python was importing at that moment
    assert "goes on from there" in stderr
    assert "Traceback" not in stderr
    assert not psutil.wait_procs(descendants, timeout=15)[1]


def test_a_second_launcher_is_refused(quickstart):
    from gristmill.errors import UsageError
    from gristmill.pipeline import carry_out
    from gristmill.pipeline.storage import Folder

    folder = Folder(str(quickstart / "runs" / "quickstart"))
    with carry_out.locked(folder), pytest.MonkeyPatch.context() as patch:
        patch.setattr(carry_out, "_LOCK_PATIENCE", 0.2)
        with pytest.raises(UsageError, match="another gristmill process"), carry_out.locked(folder):
            raise AssertionError("two launchers hold one run")


def test_fates_have_one_row_a_record(quickstart):
    inside("fates", "quickstart", "--output", "again.parquet", cwd=quickstart)
    table = pq.read_table(quickstart / "again.parquet")
    assert table.column_names == [
        "id", "url", "shard", "row", "kept", "stage", "reason", "reasons", "duplicate_of",
        "fate_detail",
    ]  # fmt: skip
    assert table.num_rows == len((quickstart / "sample" / "truth.jsonl").read_text().splitlines())


def test_signals_without_a_recipe_lists_every_signal():
    listed = inside("signals", cwd=".").stdout
    for name, measured in SIGNALS.items():
        assert f"  {name}  " in listed
        assert measured.meaning in listed
        assert measured.source in listed
