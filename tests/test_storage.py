"""Files appear whole or not at all."""

import os
import subprocess

import fsspec
import pytest

from gristmill.errors import MissingError
from gristmill.pipeline import storage
from gristmill.pipeline.storage import TEMPORARY, Folder


@pytest.fixture(params=["local", "memory"])
def folder(request, tmp_path):
    if request.param == "local":
        yield Folder(str(tmp_path / "run"))
        return
    yield Folder(f"memory://{tmp_path.name}")
    fsspec.filesystem("memory").store.clear()


def test_a_written_file_is_read_back(folder):
    folder.write_bytes("a/b.bin", b"grain")
    assert folder.read_bytes("a/b.bin") == b"grain"
    assert folder.exists("a/b.bin")
    assert folder.names("a") == ["b.bin"]
    assert folder.size("a/b.bin") == 5


def test_a_failing_writer_leaves_nothing_and_keeps_what_was_there(folder):
    folder.write_bytes("a/b.bin", b"old")

    def write():
        with folder.writing("a/b.bin") as sink:
            sink.write(b"half")
            raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write()
    assert folder.read_bytes("a/b.bin") == b"old"
    assert folder.names("a") == ["b.bin"]


def test_a_missing_file_is_named(folder):
    with pytest.raises(MissingError, match="nowhere.bin does not exist"):
        folder.read_bytes("nowhere.bin")


def test_json_is_the_same_bytes_for_the_same_value(folder):
    folder.write_json("x.json", {"b": [1, 2], "a": "é"})
    first = folder.read_bytes("x.json")
    folder.write_json("x.json", {"b": [1, 2], "a": "é"})
    assert folder.read_bytes("x.json") == first


def test_temporary_files_are_not_names_and_are_swept(tmp_path):
    folder = Folder(str(tmp_path))
    folder.write_bytes("a/b.bin", b"x")
    dead = subprocess.Popen(["true"])
    dead.wait()
    name = storage.temporary_suffix()
    left = tmp_path / "a" / f"b.bin{name.replace(str(os.getpid()), str(dead.pid), 1)}"
    living, foreign = tmp_path / "a" / f"b.bin{name}", tmp_path / "a" / f"b.bin{TEMPORARY}1-ffffffff-0"
    for path in (left, living, foreign):
        path.write_bytes(b"half")
    assert folder.names("a") == ["b.bin"]
    assert folder.sweep() == 1
    assert [path.exists() for path in (left, living, foreign)] == [False, True, True]
    assert folder.read_bytes("a/b.bin") == b"x"


def test_an_absent_folder_has_no_files(folder):
    assert folder.names("nothing") == []
    assert folder.folders() == []
