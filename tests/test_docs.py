"""The documentation says what the code does."""

import re
from pathlib import Path

import generate
import pytest

from gristmill.pipeline.recipe import STAGE_SETTINGS, load_recipe

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))]


@pytest.mark.parametrize("page", list(generate.PAGES))
def test_generated_pages_are_current(page):
    expected = generate.PAGES[page]()
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == expected, "run: python docs/generate.py"


def test_every_shipped_recipe_is_valid_and_named_in_the_readme_or_docs():
    recipes = sorted((ROOT / "configs").glob("*.yaml"))
    assert recipes
    texts = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for path in recipes:
        load_recipe(path)
        assert path.name in texts


def test_recipes_in_the_docs_are_valid(tmp_path):
    count = 0
    for page in PAGES:
        for block in re.findall(r"```yaml\n(name: .*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            (tmp_path / "recipe.yaml").write_text(block, encoding="utf-8")
            load_recipe(tmp_path / "recipe.yaml")
            count += 1
    assert count >= 1


def test_every_stage_is_in_the_recipe_reference():
    text = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    assert all(f"\n## {kind}\n" in text for kind in STAGE_SETTINGS)


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_nothing_is_left_unfinished():
    marks = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    for path in (ROOT / "gristmill").rglob("*.py"):
        assert not marks.search(path.read_text(encoding="utf-8")), path
