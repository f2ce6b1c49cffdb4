"""A file that is not a whole model of the kind that is needed is refused, with what it is and what to do."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from commands import inside
from crawl_server import serving
from hypothesis import given, settings
from hypothesis import strategies as st
from test_models import AT_ONCE, register, tiny

from gristmill.classifiers.models import FoundModel, cache_folder, check_model, fetch, find_model
from gristmill.classifiers.models.checks import check_file
from gristmill.classifiers.models.kenlm_file import check_kenlm_file
from gristmill.classifiers.models.registry import KINDS, MODELS
from gristmill.classifiers.models.sentencepiece_file import check_sentencepiece_file
from gristmill.classifiers.perplexity.train import train
from gristmill.errors import CorruptError, MissingError, UsageError

GOLDEN = Path(__file__).parent / "golden"
BINARIES = (
    "perplexity/build_binary-000.bin.gz",
    "perplexity/build_binary-00.bin.gz",
    "models/trie.bin.gz",
    "models/trie-quantized.bin.gz",
)
PAGE = b"\n<!DOCTYPE html><html><title>404</title></html>"
STARTS = (b"", b"\\data\\", b"\x0a\x03", struct.pack("<i", 793712314), b"mmap lm http://kheafield.com/code")
CUTS = (0, 1, 30, 60, 100, 130, 0.2, 0.5, 0.9, 0.99, -1)


def message(field, value):
    """Return one part of a protobuf message: its field, its length, its bytes."""
    return bytes([field << 3 | 2, len(value)]) + value


PIECES = b"".join(
    message(1, message(1, piece) + b"\x15" + struct.pack("<f", -1.0)) for piece in (b"a", b"b", b"\xc3\xa9")
)
SENTENCEPIECE = PIECES + message(2, b"\x18\x01") + message(3, b"\x0a\x04nfkc")


def cut(whole, at):
    return whole[: int(at * len(whole)) if isinstance(at, float) else at]


def test_kenlm_files_of_each_kind_are_whole(tmp_path):
    for name in BINARIES:
        (tmp_path / "lm.bin").write_bytes(gzip.decompress((GOLDEN / name).read_bytes()))
        check_kenlm_file(tmp_path / "lm.bin")
    train([b"a b c\nb c\n"], (0, 0), tmp_path / "own.arpa")
    train([b"a b c\nb c\n"], (0, 0), tmp_path / "own.bin")
    check_kenlm_file(tmp_path / "own.arpa")
    check_kenlm_file(tmp_path / "own.bin")


@pytest.mark.parametrize("name", BINARIES)
@pytest.mark.parametrize("at", CUTS)
def test_kenlm_binaries_cut_short_are_refused(tmp_path, name, at):
    path = tmp_path / "lm.bin"
    path.write_bytes(cut(gzip.decompress((GOLDEN / name).read_bytes()), at))
    with pytest.raises(CorruptError, match=r"lm\.bin is (cut short|empty|neither|of another version)"):
        check_kenlm_file(path)


def test_kenlm_files_of_another_make_are_refused(tmp_path):
    whole = gzip.decompress((GOLDEN / BINARIES[0]).read_bytes())
    path = tmp_path / "lm.bin"
    path.write_bytes(whole.replace(b"version 5", b"version 4", 1))
    with pytest.raises(CorruptError, match="another version of KenLM"):
        check_kenlm_file(path)
    path.write_bytes(whole[:88] + bytes([200]) + whole[89:])
    with pytest.raises(CorruptError, match="damaged header: order 200"):
        check_kenlm_file(path)


@pytest.mark.parametrize("at", [1, 8, 0.3, 0.9])
def test_an_arpa_file_cut_short_is_refused(tmp_path, at):
    train([b"a b c\nb c\n"], (0, 0), tmp_path / "lm.arpa")
    (tmp_path / "lm.arpa").write_bytes(cut((tmp_path / "lm.arpa").read_bytes(), at))
    with pytest.raises(CorruptError, match=r"is cut short|is neither"):
        check_kenlm_file(tmp_path / "lm.arpa")


def test_a_sentencepiece_model_is_whole_or_refused(tmp_path):
    path = tmp_path / "sp.model"
    path.write_bytes(SENTENCEPIECE)
    check_sentencepiece_file(path)
    for left in range(len(SENTENCEPIECE)):
        path.write_bytes(SENTENCEPIECE[:left])
        with pytest.raises(CorruptError, match="is no SentencePiece model, or cut short"):
            check_sentencepiece_file(path)


@settings(deadline=None, max_examples=150)
@given(
    st.binary(max_size=300),
    st.sampled_from(sorted(KINDS)),
    st.sampled_from([b"", b"\\data\\", b"\x0a\x03", b"\xba\x16\x4f\x2f"]),
)
def test_hostile_files_end_in_an_error_that_names_the_file(tmp_path_factory, content, kind, start):
    path = tmp_path_factory.mktemp("model") / "hostile.bin"
    path.write_bytes(start + content)
    with pytest.raises((CorruptError, UsageError), match="hostile.bin"):
        check_file(path, kind)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (PAGE, "is a web page, as servers send with an error; .* needed here: fetch it again from the right address"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a pointer of Git LFS; .*git lfs pull"),
        (gzip.compress(b"x", mtime=0), "is packed by gzip; .*gzip -d"),
        (b"PAR1....", "is a Parquet file"),
        (b'{"error": "gone"}', "is JSON, as servers send"),
    ],
)
def test_what_is_no_model_is_called_what_it_is(tmp_path, kind, content, told):
    (tmp_path / "m.bin").write_bytes(content)
    with pytest.raises(CorruptError, match=f"m.bin {told}"):
        find_model(str(tmp_path / "m.bin"), kind)


def test_a_model_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "m.bin"
    train([b"a b c\nb c\n"], (0, 0), path)
    with pytest.raises(UsageError, match="m.bin is a KenLM model; a fastText classifier is needed here"):
        find_model(str(path), "fasttext")
    with pytest.raises(UsageError, match="a SentencePiece model is needed here"):
        find_model(str(path), "sentencepiece")
    assert find_model(str(path), "kenlm").path == path


def test_a_registered_digest_is_not_read_for_its_kind(tmp_path):
    found = FoundModel(tmp_path / "not there", MODELS["glotlid_v3"].sha256)
    check_model(found, "fasttext")
    with pytest.raises(UsageError, match="model 'glotlid_v3' is a fastText classifier; a KenLM model is needed here"):
        check_model(found, "kenlm")


def test_a_folder_and_a_file_that_may_not_be_read(tmp_path):
    with pytest.raises(MissingError, match="is a folder"):
        find_model(str(tmp_path), "kenlm")


def test_a_recipe_with_a_wrong_model_is_refused_when_it_is_planned(tmp_path):
    (tmp_path / "lid.bin").write_bytes(PAGE)
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "name: r\nsource: {warc: [nothing.warc]}\nstages:\n  - extract: {}\n  - language: {model: lid.bin}\n"
    )
    done = inside("plan", recipe, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "lid.bin is a web page, as servers send with an error" in done.stderr
    assert done.stderr.rstrip().endswith("r.yaml:5)")


# the commands


@pytest.fixture
def served(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "ACCESS", AT_ONCE)
    monkeypatch.setenv("GRISTMILL_CACHE", str(tmp_path / "cache"))
    with serving({"/sp.model": SENTENCEPIECE}) as server:
        model = replace(tiny(f"{server.url}/sp.model", SENTENCEPIECE), kind="sentencepiece")
        register(monkeypatch, model)
        yield server


def test_pull_path_verify_list(served, tmp_path):
    digest = hashlib.sha256(SENTENCEPIECE).hexdigest()
    assert json.loads(inside("models", "list", "--json", cwd=tmp_path).stdout)[0]["here"] is None
    assert "gristmill models pull" in inside("models", "path", "tiny", cwd=tmp_path, check=False).stderr
    target = cache_folder() / "tiny.bin"
    assert inside("models", "pull", "tiny", cwd=tmp_path).stdout == (
        f"tiny: {target} ({len(SENTENCEPIECE)} bytes, sha256 {digest})\n"
    )
    assert inside("models", "path", "tiny", cwd=tmp_path).stdout == f"{target}\n"
    assert inside("models", "verify", cwd=tmp_path).stdout == f"tiny: {target} is the published file\n"
    (described,) = json.loads(inside("models", "list", "--json", cwd=tmp_path).stdout)
    assert (described["sha256"], described["here"], described["path"]) == (digest, "cache", str(target))
    assert " cache " in inside("models", "list", cwd=tmp_path).stdout.splitlines()[1]


@pytest.mark.parametrize("content", [SENTENCEPIECE[::-1], PAGE])
def test_verify_names_what_is_wrong_and_the_way_out(served, tmp_path, content):
    target = cache_folder() / "tiny.bin"
    target.parent.mkdir(parents=True)
    target.write_bytes(content)
    done = inside("models", "verify", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert f"tiny: {target} it is not the published file" in done.stderr
    assert "delete it, then `gristmill models pull tiny`" in done.stderr
    assert ("it is a web page" in done.stderr) == (content == PAGE)


def test_verify_of_nothing_and_of_what_is_not_here(served, tmp_path):
    assert "no model of the registry is on this machine" in inside("models", "verify", cwd=tmp_path).stdout
    done = inside("models", "verify", "tiny", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "tiny: it is not on this machine; `gristmill models pull tiny` fetches it" in done.stderr
    assert inside("models", "verify", "tinny", cwd=tmp_path, check=False).returncode == 2


def test_pull_of_several_goes_on_after_one_that_fails(served, tmp_path):
    url = f"{served.url}/sp.model"
    done = inside("models", "pull", f"{served.url}/nothing", url, "tiny", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "/nothing cannot be read" in done.stderr
    assert [line.split(": ")[0] for line in done.stdout.splitlines()] == [url, "tiny"]
    assert "did you mean 'tiny'?" in inside("models", "pull", "tinyy", cwd=tmp_path, check=False).stderr


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_list_fits_the_terminal_and_cuts_nothing_short(tmp_path, monkeypatch, width):
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: os.terminal_size((width, 24)))
    listed = inside("models", "list", cwd=tmp_path).stdout
    widest = max(len(line) for line in listed.splitlines())
    assert widest <= max(width, 80)
    for model in MODELS.values():
        assert f"{model.name} " in listed
        assert " ".join(model.what.split()) in " ".join(listed.split())
        assert model.licence in listed
