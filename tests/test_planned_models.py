"""Processes that carry a plan out take the models that it was made with: no others, and without asking a network."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from corpora import Document, carry_out, make_run
from crawl_server import serving
from test_models import AT_ONCE
from tiny_models import KINDS, LINES, train

from gristmill.classifiers.models import fetch, find_model, find_planned
from gristmill.errors import CorruptError, MissingError, StaleError

ROWS = {"a": [Document("1", LINES["deu_Latn"])]}
OTHER = replace(KINDS["hs"], dim=8)


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    monkeypatch.setattr(fetch, "ACCESS", AT_ONCE)
    monkeypatch.setenv("GRISTMILL_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return train(tmp_path_factory.mktemp("planned"))


@pytest.mark.parametrize(
    "stage", ["language: {model: MODEL}", "quality: {fasttext: {q: {model: MODEL, label: deu_Latn}}}"]
)
def test_a_model_that_another_took_the_place_of_after_the_plan_is_refused(tmp_path, model, stage):
    path = shutil.copy(model, tmp_path / "model.bin")
    run = make_run(tmp_path, ROWS, f"  - {stage.replace('MODEL', str(path))}\n")
    (tmp_path / "other").mkdir()
    shutil.copy(train(tmp_path / "other", OTHER), path)
    with pytest.raises(StaleError, match="model .*model.bin is not the file it was when the plan was made"):
        carry_out(run)


def test_a_urls_copy_is_taken_without_asking_again(tmp_path, model):
    with serving({"/m/model.bin": model.read_bytes()}) as server:
        url = f"{server.url}/m/model.bin?token=x"
        run = make_run(tmp_path, ROWS, f"  - language: {{model: '{url}'}}\n")
        found = find_model(url)
    assert find_planned(url, found.digest) == found
    (row,) = carry_out(run).read(run.plan.step("language"), run.plan.shards[0]).to_pylist()
    assert row["language"] == "deu_Latn"
    found.path.write_bytes(b"x" * 3_000)
    with pytest.raises((StaleError, MissingError), match="is not the file it was|takes no connection"):
        find_planned(url, found.digest)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "model '' is neither a file nor a name"),
        ("folder", "is a folder"),
        ("link", "is a link that leads nowhere"),
        ("itself", "is a link that leads nowhere"),
        ("lid167", "did you mean 'lid176'"),
    ],
)
def test_what_is_named_in_place_of_a_file_is_told(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "itself").symlink_to("itself")
    with pytest.raises(MissingError, match=message):
        find_model(name, "fasttext")


def test_a_text_that_is_shorter_than_a_header_is_not_called_cut_short(tmp_path):
    (tmp_path / "model.bin").write_text("Not found")
    with pytest.raises(CorruptError, match="is not a fastText model"):
        find_model(str(tmp_path / "model.bin"), "fasttext")
