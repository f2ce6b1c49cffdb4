"""Published presets of classifiers: their recipes run on the sample, with a model trained where they look for one."""

from __future__ import annotations

import re
import shutil

import pytest
import quality_models as models
from commands import REPOSITORY, inside

from gristmill import schema
from gristmill.classifiers.quality.presets import PRESETS
from gristmill.pipeline.ledger import fates
from gristmill.pipeline.recipe import load_recipe
from gristmill.pipeline.run import Run

RECIPES = {
    "dclm_baseline": ("hq", "cc"),
    "fineweb_edu": ("positive", "negative"),
    "wikipedia_reference": ("wiki", "cc"),
    "deepseek_math": ("positive", "negative"),
}


def stage_of(name):
    recipe = load_recipe(REPOSITORY / "configs" / f"{name}.yaml")
    (stage,) = [stage for stage in recipe.stages if stage.kind == "quality"]
    return stage.settings


@pytest.fixture
def sample(quickstart, tmp_path):
    """A folder with the sample, and the texts of the quickstart's run."""
    (tmp_path / "sample").symlink_to(quickstart / "sample")
    run = Run.open(str(quickstart / "runs" / "quickstart"))
    texts = [
        text
        for shard in run.plan.shards
        for text in run.read(run.plan.text_step, shard, [schema.TEXT]).column(0).to_pylist()
    ]
    return tmp_path, run, texts


@pytest.mark.parametrize("name", RECIPES)
def test_a_shipped_recipe_runs_on_the_sample(name, sample):
    folder, quickstart, texts = sample
    (classifier,) = stage_of(name).fasttext.values()
    models.train_on_rows(folder / classifier.model, texts, *RECIPES[name])
    shutil.copytree(f"{quickstart.folder.root}/documents", folder / "runs" / name / "documents")
    inside("run", REPOSITORY / "configs" / f"{name}.yaml", "--workers", 1, cwd=folder)
    run = Run.open(str(folder / "runs" / name))
    rows = [row for shard in run.plan.shards for row in fates(run, shard, run.plan.deciders).to_pylist()]
    (preset,) = (PRESETS[used] for used in stage_of(name).use)
    (column,) = preset.bounds
    assert any(row["kept"] for row in rows)
    assert any(row["reasons"] == [f"quality.{column}.min"] for row in rows)
    card = (folder / "runs" / name / "README.md").read_text(encoding="utf-8")
    assert f"≥ {preset.bounds[column]} | yes |" in card


@pytest.mark.parametrize("name", RECIPES)
def test_without_its_model_a_recipe_says_so(name, sample):
    folder, _, _ = sample
    done = inside("plan", REPOSITORY / "configs" / f"{name}.yaml", cwd=folder, check=False)
    assert done.returncode == 2
    assert "is neither a file nor a name in the registry" in done.stderr
    assert f"{name}.yaml:" in done.stderr


def test_every_preset_is_in_a_recipe_and_in_the_docs():
    page = (REPOSITORY / "docs" / "quality.md").read_text(encoding="utf-8")
    recipes = {path.stem: path.read_text(encoding="utf-8") for path in (REPOSITORY / "configs").glob("*.yaml")}
    assert {name for name, text in recipes.items() if re.search(r"^  - quality:", text, re.MULTILINE)} == set(RECIPES)
    for preset in PRESETS.values():
        assert any(preset.name in recipes[name] for name in RECIPES), preset.name
        assert f"`{preset.name}`" in page
        assert re.search(r"arXiv:\d+\.\d+", preset.source)[0] in page
    assert all(f"configs/{name}.yaml" in page for name in RECIPES)
