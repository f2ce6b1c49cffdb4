"""Models are fetched whole or not at all, whatever the network does, and what came before an interruption is used."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from crawl_server import KINDS, serving
from test_models import AT_ONCE, register, tiny

from gristmill.classifiers.models import cache_folder, digest_of, digests, fetch, find_model
from gristmill.classifiers.models.fetch import Wanted, part_of
from gristmill.errors import CorruptError, MissingError

CONTENT = np.random.default_rng(7).bytes(3_000_000)
PATH = "/models/tiny.bin"


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    monkeypatch.setattr(fetch, "ACCESS", AT_ONCE)
    monkeypatch.setenv("GRISTMILL_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def server():
    with serving({PATH: CONTENT}) as running:
        yield running


@pytest.fixture
def model(server, monkeypatch):
    found = tiny(f"{server.url}{PATH}", CONTENT)
    register(monkeypatch, found)
    return found


def cached(model):
    return cache_folder() / model.filename


def part(model):
    return part_of(Wanted(model.url, cached(model), model.sha256))


def begun(model, content):
    part(model).parent.mkdir(parents=True, exist_ok=True)
    part(model).write_bytes(content)


def test_progress_is_told_from_the_first_byte_to_the_last(model):
    told = []
    assert find_model("tiny", tell=lambda done, of: told.append((done, of))).path.read_bytes() == CONTENT
    assert told == sorted(told)
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert len(told) > 5


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_is_tried_again(model, server, kind):
    server.fail(PATH, "none", kind, kind)
    assert find_model("tiny").path.read_bytes() == CONTENT


@pytest.mark.parametrize("seed", range(6))
def test_any_faults_end_in_the_same_bytes(model, server, seed):
    server.fail_by_chance(seed, most=2)
    assert find_model("tiny").path.read_bytes() == CONTENT
    assert [path.name for path in cache_folder().iterdir()] == ["tiny.bin"]


def test_a_failed_fetch_is_gone_on_with(model, server):
    server.fail(PATH, "none", "close", "503", "503", "503")
    with pytest.raises(MissingError, match=r"cannot be fetched: the server answered 503 \(slow down\)"):
        find_model("tiny")
    begun_at = part(model).stat().st_size
    assert begun_at > 1_000_000
    server.heal()
    assert find_model("tiny").path.read_bytes() == CONTENT
    assert all(int(asked[6:].split("-")[0]) >= begun_at for _, asked in server.requests if asked != "bytes=0-0")
    assert not part(model).exists()


def test_a_server_without_ranges_is_read_from_its_start(model, server):
    server.fail(PATH, "whole", forever=True)
    begun(model, CONTENT[:1_000_000])
    assert find_model("tiny").path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "left", [CONTENT[:5] + b"\0" + CONTENT[6:1000], b"x" * (len(CONTENT) + 1), b"x" * len(CONTENT)]
)
def test_a_part_of_another_content_is_thrown_away(model, left):
    begun(model, left)
    assert find_model("tiny").path.read_bytes() == CONTENT


def test_a_part_that_was_whole_when_the_process_died_is_not_fetched_again(model, server):
    begun(model, CONTENT)
    assert find_model("tiny").path.read_bytes() == CONTENT
    assert [asked for _, asked in server.requests] == ["bytes=0-0"]


def test_a_killed_process_leaves_a_part_and_no_model(model, server):
    server.fail(PATH, "none", "stall")
    code = (
        "import sys, os\n"
        "from gristmill.classifiers.models.fetch import Wanted, closing_source, fetch\n"
        "from pathlib import Path\n"
        "def tell(done, of):\n"
        "    if done > 1_000_000:\n        os._exit(9)\n"
        f"with closing_source({model.url!r}) as source:\n"
        f"    fetch(source, Wanted({model.url!r}, Path({str(cached(model))!r}), {model.sha256!r}), tell)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert not cached(model).exists()
    assert 0 < part(model).stat().st_size < len(CONTENT)
    server.heal()
    assert find_model("tiny").path.read_bytes() == CONTENT


def test_two_that_want_it_fetch_it_once(model, server):
    found = []
    threads = [threading.Thread(target=lambda: found.append(find_model("tiny"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {model.digest for model in found} == {hashlib.sha256(CONTENT).hexdigest()}
    assert sum(asked == "bytes=0-" for _, asked in server.requests) <= 4
    assert cached(model).read_bytes() == CONTENT


def test_a_page_in_place_of_the_file_is_refused(model, server):
    server.files[PATH] = b"<!doctype html><title>Moved</title>"
    with pytest.raises(CorruptError, match="has 35 bytes now, not the 3,000,000 of the published file") as caught:
        find_model("tiny")
    assert model.sha256 in str(caught.value)


def test_a_file_that_is_gone_is_told_with_the_ways_out(model, server):
    server.files.clear()
    with pytest.raises(MissingError, match=r"does not exist \(the server answered 404\)\. Do one of") as caught:
        find_model("tiny")
    assert "recipe's source" not in str(caught.value)
    assert f"put the file (3,000,000 bytes, sha256 {model.sha256}) at {cached(model)}" in str(caught.value)


def test_a_disk_without_room_is_told_before_anything_is_asked_for(model, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1_000))
    with pytest.raises(MissingError, match=r"3,000,000 more bytes are needed, and the disk has 1,000 free.*_CACHE"):
        find_model("tiny")
    assert part(model).stat().st_size == 0


def test_a_disk_that_fills_up_keeps_what_came(model, monkeypatch):
    begun(model, CONTENT[:1_000_000])

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MissingError, match="the disk is full"):
        find_model("tiny")
    assert part(model).stat().st_size >= 1_000_000


def test_a_url_is_kept_by_version_and_resumed(server):
    url = f"{server.url}{PATH}?token=secret"
    server.fail(PATH, "none", "close", "503", "503", "503")
    with pytest.raises(MissingError, match="cannot be read: the server answered 503"):
        find_model(url)
    server.heal()
    first = find_model(url)
    assert first.path.name == "tiny.bin"
    assert first.path.read_bytes() == CONTENT
    assert not any(asked == "bytes=0-" for _, asked in server.requests)
    server.files[PATH] = CONTENT[::-1]
    second = find_model(url)
    assert second.path != first.path
    assert second.path.read_bytes() == CONTENT[::-1]


def test_a_url_that_is_not_there_is_told(server):
    with pytest.raises(MissingError, match="nothing.bin cannot be read: .* 404"):
        find_model(f"{server.url}/nothing.bin")


def test_another_kind_is_refused_before_it_is_fetched(model, server, monkeypatch):
    register(monkeypatch, replace(model, kind="kenlm"))
    with pytest.raises(Exception, match="model 'tiny' is a KenLM model; a fastText classifier is needed here"):
        find_model("tiny", "fasttext")
    assert server.requests == []


# digests


def old(path):
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


def test_a_digest_is_noted_for_a_file_that_stays(tmp_path, monkeypatch):
    path = old(tmp_path / "model.bin") if (tmp_path / "model.bin").write_bytes(CONTENT) else None
    monkeypatch.setattr(digests, "_SETTLED_SECONDS", -1.0)
    assert digest_of(path) == hashlib.sha256(CONTENT).hexdigest()
    monkeypatch.setattr(digests, "fresh_digest", lambda _: pytest.fail("it was read again"))
    assert digest_of(path) == hashlib.sha256(CONTENT).hexdigest()


def test_a_file_that_changes_is_read_again(tmp_path, monkeypatch):
    path = tmp_path / "model.bin"
    path.write_bytes(CONTENT)
    monkeypatch.setattr(digests, "_SETTLED_SECONDS", -1.0)
    assert digest_of(old(path)) == hashlib.sha256(CONTENT).hexdigest()
    path.write_bytes(CONTENT[::-1])
    assert digest_of(old(path)) == hashlib.sha256(CONTENT[::-1]).hexdigest()  # the same size, the same time of content


def test_a_file_of_this_moment_is_not_noted(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(CONTENT)
    digest_of(path)
    assert not (tmp_path / "cache" / "digests").exists()


@pytest.mark.parametrize("note", [b"", b"[]", b"{}", b"\xff", json.dumps({"state": []}).encode()])
def test_a_damaged_note_is_written_anew(tmp_path, monkeypatch, note):
    path = tmp_path / "model.bin"
    path.write_bytes(CONTENT)
    monkeypatch.setattr(digests, "_SETTLED_SECONDS", -1.0)
    digest_of(path)
    (written,) = (tmp_path / "cache" / "digests").iterdir()
    whole = written.read_bytes()
    written.write_bytes(note)
    assert digest_of(path) == hashlib.sha256(CONTENT).hexdigest()
    assert written.read_bytes() == whole
