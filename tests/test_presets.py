"""Published presets: their recipes run on the sample, and FineWeb-2's bounds are those of its files."""

from __future__ import annotations

import re
import shutil
import tarfile

import pyarrow as pa
import pytest
from commands import REPOSITORY, inside
from datatrove.data import Document
from datatrove.pipeline.filters import FineWebQualityFilter
from test_quality_presets import RECIPES as QUALITY_RECIPES

from gristmill.errors import CorruptError, MissingError, RecipeError
from gristmill.filters import catalogue
from gristmill.filters.rules.evaluate import evaluate, rules_of
from gristmill.filters.rules.labels import LID176
from gristmill.filters.rules.presets import PRESETS
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.families import measure
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.pipeline.ledger import fates
from gristmill.pipeline.presets import find_config, find_preset
from gristmill.pipeline.recipe import load_recipe
from gristmill.pipeline.run import Run
from gristmill.pipeline.session import planned

CONFIG = """\
dup_line_frac: 0.264
dup_n_grams: [[5, 0.15], [6, 0.141]]
language_score: 0.824
line_punct_thr: {line_punct_thr}
max_avg_word_length: 11
max_non_alpha_words_ratio: 0.812
min_avg_word_length: 2
new_line_ratio: 0.185
stopwords: [de, "no", l']
top_n_grams: [[2, 0.161], [3, 0.149]]
"""


@pytest.fixture
def configs(tmp_path):
    folder = tmp_path / "configs"
    folder.mkdir()
    for language, least in (("fra_Latn", 0.1), ("deu_Latn", -1), ("spa_Latn", 0.05)):
        (folder / f"{language}.yml").write_text(CONFIG.format(line_punct_thr=least))
    return folder


def bounds(preset):
    return {rule.label: rule.bound for rule in preset.rules}


def preset_of(name, configs, **more):
    return find_preset(
        name, FilterSettings.model_validate({"use": [name], "fineweb2": {"configs": str(configs), **more}})
    )


def test_a_languages_file_becomes_bounds_on_its_documents_alone(configs):
    preset = preset_of("fineweb2/fra_Latn", configs)
    found = bounds(preset)
    assert {rule.where for rule in preset.rules} == {("language", ("fra_Latn", "fra", "fr"))}
    assert found["dup_line_ratio.max"] == 0.264
    assert found["dup_6gram_char_ratio.max"] == 0.141
    assert found["top_3gram_char_ratio.max"] == 0.149
    assert found["terminal_line_ratio.min"] == 0.1
    assert found["dup_nonblank_line_char_ratio.max"] == 0.1
    assert found["newline_word_ratio.max"] == 0.185
    assert (found["mean_word_length.min"], found["mean_word_length.max"]) == (2, 11)
    assert found["alphabetic_word_ratio.min"] == 0.812
    assert found["language_stop_word_count.min"] == 2
    assert (found["word_count.min"], found["word_count.max"]) == (50, 100_000)
    assert not {"dup_paragraph_ratio.max", "dup_line_char_ratio.max", "short_line_ratio.max"} & found.keys()


def test_stop_words_are_texts_whatever_they_look_like(configs):
    assert find_config("fra_Latn", str(configs)).stop_words == ("de", "no", "l'")


def test_a_bound_that_can_drop_nothing_is_left_out(configs):
    assert "terminal_line_ratio.min" not in bounds(preset_of("fineweb2/deu_Latn", configs))


def test_a_label_can_be_given(configs):
    preset = preset_of("fineweb2/fra_Latn", configs, labels={"fra_Latn": "french"})
    assert preset.rules[0].where == ("language", ("fra_Latn", "french"))


def test_an_archive_is_as_good_as_a_folder(configs, tmp_path):
    with tarfile.open(tmp_path / "c.tar.gz", "w:gz") as archive:
        archive.add(configs, "fineweb2/configs")
    assert find_config("spa_Latn", str(tmp_path / "c.tar.gz")) == find_config("spa_Latn", str(configs))
    with pytest.raises(MissingError, match="no file of language 'spa_Latm'; did you mean spa_Latn"):
        find_config("spa_Latm", str(tmp_path / "c.tar.gz"))
    (tmp_path / "d.tar.gz").write_bytes(b"x" * 100)
    with pytest.raises(CorruptError, match="not a readable archive"):
        find_config("spa_Latn", str(tmp_path / "d.tar.gz"))


@pytest.mark.parametrize("text", ["", "[1, 2]", "dup_line_frac: x", CONFIG.format(line_punct_thr="no"), "a: [", "\x00"])
def test_another_file_is_refused(configs, text):
    (configs / "fra_Latn.yml").write_text(text)
    with pytest.raises(CorruptError, match="FineWeb-2's file of 'fra_Latn' cannot be read"):
        find_config("fra_Latn", str(configs))


def test_a_language_without_a_file_is_answered_with_the_nearest(configs):
    with pytest.raises(MissingError, match="no file of language 'fra_Latm'; did you mean fra_Latn"):
        find_config("fra_Latm", str(configs))


def test_a_rule_that_a_language_does_not_have_cannot_be_changed(configs, quickstart, monkeypatch):
    monkeypatch.chdir(quickstart)
    change = [f"stages.filter.fineweb2.configs={configs}", f"stages.signals.lists.stop_words={configs}"]
    change.append("stages.filter.fineweb2/fra_Latn.word_cuont.min=1")
    with pytest.raises(RecipeError, match="has no rule on 'word_cuont'; did you mean 'word_count'"):
        planned(REPOSITORY / "configs" / "fineweb2.yaml", change)


@pytest.mark.data
def test_every_published_file_is_read(data):
    archive = data / "lists" / "fineweb2_configs.tar.gz"
    with tarfile.open(archive) as opened:
        names = sorted(member.name for member in opened if member.name.endswith(".yml"))
    assert len(names) == 1929
    languages = {name.rpartition("/")[2].removesuffix(".yml") for name in names}
    assert set(LID176) <= languages, "a label is of a language that FineWeb-2 does not have"
    for language in ("fra_Latn", "jpn_Jpan", "cmn_Hani", "abk_Cyrl"):
        assert find_config(language, str(archive)).stop_words
    found = bounds(preset_of("fineweb2/fra_Latn", archive))
    assert (found["language_score.min"], found["dup_5gram_char_ratio.max"]) == (0.824, 0.15)


def test_labels_of_lid176_are_used_once():
    assert len(set(LID176.values())) == len(LID176)


def test_fineweb_has_the_bounds_of_datatroves_defaults():
    theirs = FineWebQualityFilter()
    assert list(bounds(PRESETS["fineweb"]).values()) == [
        theirs.line_punct_thr,
        theirs.short_line_threshold,
        theirs.char_duplicates_ratio,
        theirs.new_line_ratio,
    ]
    assert theirs.filter(Document(text="", id="0")) == (False, "empty")


def code_reasons(text: str, extension: str | None) -> list[str]:
    """The signals for which DeepSeek-Coder drops a file."""
    values = measure(pa.array([text], pa.large_string()), SignalsSettings(families=["code"]))
    columns = {name: values.column(name) for name in values.schema.names}
    columns["url_extension"] = pa.array([extension], pa.string())
    rules = rules_of(FilterSettings(use=["deepseek_code"]))
    (reasons,) = evaluate(rules, columns, 1).column("reasons").to_pylist()
    return [reason.removeprefix("deepseek_code.") for reason in reasons]


TEXT = "x = 1  # a line of ten words, some of them long\n" * 3
XML = '<?xml version="1.0"?>\n' + TEXT


@pytest.mark.parametrize(
    ("text", "extension", "expected"),
    [
        (TEXT, "py", []),
        (TEXT, None, []),
        (TEXT + "y" * 1000, None, ["mean_line_length.max"]),
        (TEXT * 100 + "y" * 1001, None, ["longest_line_length.max"]),
        ("x = 1 2 3 4 5 6 7 8 9 0", None, ["letter_ratio.min"]),
        ("one two three", None, ["whitespace_token_count.min"]),
        (XML, "xml", ["xml_declaration_count.max"]),
        (XML, None, ["xml_declaration_count.max"]),
        (XML, "xslt", []),
        ("<p>" + TEXT, "html", []),
        ("<p class=wide>\n" * 200 + TEXT, "html", ["visible_character_ratio.min"]),
        ("<p class=wide>\n" * 200 + TEXT, "py", []),
        (TEXT[:70] + "a b c d e f", "htm", ["visible_character_count.min"]),
        ("a b c d e f g h i j k", "json", ["character_count.min"]),
        (TEXT * 50, "yaml", ["character_count.max"]),
        (TEXT * 50, "py", []),
    ],
)
def test_a_file_of_code_is_judged_by_what_it_is(text, extension, expected):
    assert code_reasons(text, extension) == expected


def test_a_changed_bound_judges_the_same_documents():
    changed = FilterSettings.model_validate(
        {
            "use": ["deepseek_code"],
            "deepseek_code": {"xml_declaration_count": {"max": 3}, "character_count": {"min": 9}},
        }
    )
    rules = {rule.label: rule for rule in rules_of(changed)}
    assert rules["xml_declaration_count.max"].bound == 3
    assert rules["xml_declaration_count.max"].unless == ("url_extension", ("xsl", "xslt"))
    assert rules["character_count.min"].where == ("url_extension", ("json", "yaml", "yml"))
    with pytest.raises(ValueError, match=r"'deepseek_code.xml_declaration_count.max' is not for all documents"):
        FilterSettings.model_validate(
            {"use": ["deepseek_code"], "deepseek_code": {"xml_declaration_count": {"languages": {"de": {"max": 1}}}}}
        )


def test_the_docs_say_which_documents_a_rule_judges():
    page = catalogue.rules_page()
    assert "| `deepseek_code.character_count.min` | < 50, where `url_extension` is `json` or `yaml` or `yml` |" in page
    assert "| `deepseek_code.xml_declaration_count.max` | > 0, unless `url_extension` is `xsl` or `xslt` |" in page
    assert "Also called `c4@datatrove`." in page


RECIPES = {
    "gopher": "gopher_repetition.",
    "fineweb": "fineweb.",
    "c4": "c4.",
    "c4_bad_words": "c4_bad_words.bad_word_count.max",
    "c4-paper": "c4@paper.",
    "mc4": "mc4.",
    "deepseek_code": "deepseek_code.",
    "fineweb2": "fineweb2/fra_Latn.word_count.min",
    "gopher_dclm": "gopher_repetition@dclm.",
    "gopher_dolma": "gopher_repetition@dolma.",
    "massivetext": "massivetext.",
    "refinedweb": "refinedweb.",
    "dclm": "dclm.",
    "dolma": "dolma.",
    "redpajama_v2": "redpajama_v2.",
    "llama3_dedup": "dedup.url dedup.exact dedup.minhash",
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_shipped_recipe_runs_on_the_sample(name, quickstart, tmp_path, configs):
    """Extraction is the quickstart's, so its documents are taken over."""
    shutil.copytree(quickstart / "runs" / "quickstart" / "documents", tmp_path / name / "documents")
    more = []
    if name == "fineweb2":  # the sample's French pages break none of its rules, so one is tightened
        more = ["stages.filter.fineweb2/fra_Latn.word_count.min=300", f"stages.filter.fineweb2.configs={configs}"]
        more.append(f"stages.signals.lists.stop_words={configs}")
    if name == "c4_bad_words":
        (tmp_path / "ldnoobw").mkdir()
        (tmp_path / "ldnoobw" / "en").write_text("the moon\nBAD\n")
        more.append(f"stages.signals.lists.bad_words={tmp_path / 'ldnoobw'}")
    change = [part for setting in more for part in ("--set", setting)]
    recipe = REPOSITORY / "configs" / f"{name}.yaml"
    inside("run", recipe, "--workdir", tmp_path, "--workers", 1, *change, cwd=quickstart)
    run = Run.open(str(tmp_path / name))
    rows = [row for shard in run.plan.shards for row in fates(run, shard, run.plan.deciders).to_pylist()]
    assert any(row["kept"] for row in rows)
    reasons = {reason for row in rows for reason in row["reasons"]}
    assert all(any(reason.startswith(wanted) for reason in reasons) for wanted in RECIPES[name].split())
    card = (tmp_path / name / "README.md").read_text(encoding="utf-8")
    french = "if language is fra_Latn, fra or fr"
    assert (f"&#46;min | ≥ 300 {french} | ≥ 50 {french} |" in card) == (name == "fineweb2")
    assert (f"{french} | yes |" in card) == (name == "fineweb2")


def presets_of(path):
    """The presets that a recipe uses."""
    return {name for stage in load_recipe(path).stages if stage.kind == "filter" for name in stage.settings.use}


def test_every_preset_has_a_recipe_that_is_run_and_that_the_docs_name():
    recipes = {path.stem: presets_of(path) for path in (REPOSITORY / "configs").glob("*.yaml")}
    run = {*RECIPES, *QUALITY_RECIPES, "ccnet", "quickstart"}  # ccnet: test_perplexity_recipe
    assert set(recipes) == run, "test_a_shipped_recipe_runs_on_the_sample leaves one out"
    page = (REPOSITORY / "docs" / "presets.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and "`configs/" in line]
    for name in [*PRESETS, "fineweb2/fra_Latn"]:
        using = {stem for stem, presets in recipes.items() if name in presets}
        assert using, f"no recipe uses {name}"
        (row,) = [row for row in rows if f"`{name.replace('fra_Latn', '<language>')}`" in row.split("|")[1]]
        (named,) = re.findall("`configs/(.*)[.]yaml`", row)
        assert named in using
        assert f"## {named}.yaml" in page
