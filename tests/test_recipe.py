"""Every mistake in a recipe is found before anything runs, with its line and the nearest right name."""

import json
from pathlib import Path

import pytest

from gristmill.errors import MissingError, RecipeError, UsageError
from gristmill.pipeline.recipe import STAGE_SETTINGS, load_recipe, recipe_schema
from gristmill.pipeline.session import planned

GOOD = """\
name: good
source: {warc: ["crawl/*.warc.gz"]}
stages:
  - extract: {extractor: resiliparse}
  - language: {keep: {en: 0.65, no: 0.5}}
  - signals:
  - filter: {use: [gopher_quality], house: {word_count: {min: 5}}}
  - dedup: {exact: text}
  - tokenize: {vocabulary: 300, sequence_length: 64}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crawl").mkdir()
    (tmp_path / "crawl" / "a.warc.gz").write_bytes(b"")

    def write(text):
        Path("recipe.yaml").write_text(text, encoding="utf-8")
        return "recipe.yaml"

    return write


def test_a_good_recipe_becomes_a_plan(write):
    plan = planned(write(GOOD))
    assert [step.name for step in plan.steps] == [
        "extract", "language", "language.keep", "signals", "filter", "dedup", "tokenize",
    ]  # fmt: skip
    assert plan.stages() == ["extract", "language", "signals", "filter", "dedup", "tokenize"]
    assert [shard.name for shard in plan.shards] == ["a"]
    assert plan.step("filter").inputs == ("signals",)
    assert plan.step("dedup").inputs == ("extract", "language.keep", "filter")


@pytest.mark.parametrize(
    ("old", "new", "message", "line"),
    [
        ("stages:", "stagse:", "unknown key 'stagse'; did you mean 'stages'?", 3),
        ("  - signals:", "  - signal:", "there is no stage 'signal'; did you mean 'signals'?", 6),
        ("extractor:", "extractr:", "unknown key 'stages.extract.extractr'; did you mean 'extractor'?", 4),
        ("resiliparse", "resilipars", "'stages.extract.extractor'", 4),
        ("{min: 5}", "{mni: 5}", "did you mean 'min'?", 7),
        ("house: {word_count", "house: {word_cuont", "rule 'house.word_cuont.min' needs signal 'word_cuont'", 7),
        ("[gopher_quality]", "[gopher_qualty]", "did you mean 'gopher_quality'?", 7),
        ("name: good", "name: ../bad", "'name' is '../bad'", 1),
        ("name: good\n", "", "'name' is missing", 1),
        ("exact: text", "exact: txet", "'stages.dedup.exact'", 8),
        ("{warc: [", "{warcs: [", "unknown key 'source.warcs'; did you mean 'warc'?", 2),
        ("{word_count: {min: 5}}", "{word_count: {in: [a]}}", "'word_count' is bounded by numbers", 7),
        ("{word_count: {min: 5}}", "{language: {min: 5}}", "'language' is bounded by texts", 7),
        ("{en: 0.65, no: 0.5}", "{en: 0.65, nb: 0.5}", "no language 'nb'", 5),
        ("crawl/*.warc.gz", "crawl/*.gone", "'crawl/*.gone' matches no file", 2),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(write, old, new, message, line):
    assert old in GOOD
    with pytest.raises(UsageError) as caught:
        planned(write(GOOD.replace(old, new, 1)))
    assert message in str(caught.value)
    assert f"(recipe.yaml:{line})" in str(caught.value)


def test_every_mistake_is_named_at_once(write):
    bad = GOOD.replace("extractor", "extractr").replace("exact: text", "exact: 3").replace("name: good", "nmae: good")
    with pytest.raises(RecipeError) as caught:
        load_recipe(write(bad))
    assert len(str(caught.value).splitlines()) >= 4


def test_a_rule_before_its_signals_is_a_mistake(write):
    lines = GOOD.splitlines(keepends=True)
    lines[5], lines[6] = lines[6], lines[5]
    with pytest.raises(RecipeError, match="which no stage before 'filter' measures"):
        planned(write("".join(lines)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "a recipe is a mapping"),
        ("", "a recipe is a mapping"),
        ("name: x\nsource: {warc: a}\nstages: []", "at least one stage"),
        ("name: x\nsource: {warc: crawl/a.warc.gz}\nstages: [signals]", "the first stage must be 'extract'"),
        ("&a\nname: x\nsource: *a\nstages: [extract]", "too odd for a recipe"),
        ("[" * 3000, "too odd for a recipe"),
        ("name: x\nsource: a\nstages: [extract]\nrun: {workers: " + "9" * 5000 + "}", "too odd for a recipe"),
        ('name: "x\\n"\nsource: crawl/a.warc.gz\nstages: [extract]', "'name' is"),
        ("name: x\nsource: crawl/a.warc.gz\nstages: [extract]\nrun: {executor: slurm}", "run.slurm.partition"),
        ("name: x\nsource: {warc: crawl/a.warc.gz}\nstages: [extract, extract]", "only once"),
        (
            "name: x\nsource: {warc: crawl/a.warc.gz}\nstages: [extract, tokenize, dedup: {exact: text}]",
            "the last stage",
        ),
        ("name: x\nsource: {warc: crawl/a.warc.gz}\nstages: [{extract: , signals: }]", "a stage is one name"),
    ],
)
def test_what_cannot_be_a_recipe_is_said(write, text, message):
    with pytest.raises(RecipeError, match=message):
        planned(write(text))


def test_a_source_that_is_not_there_is_named(write):
    with pytest.raises(MissingError, match="'none/\\*' matches no file"):
        planned(write(GOOD.replace("crawl/*.warc.gz", "none/*")))


def test_a_missing_model_is_an_error_of_the_plan(write):
    with pytest.raises(MissingError, match="lid"):
        planned(write(GOOD.replace("{keep:", "{model: lid177, keep:")))


def test_a_tokenizer_that_cannot_be_used_is_an_error_of_the_plan(write):
    Path("tokenizer.json").write_text("{}")
    for name, kind in (("tokenizer.json", UsageError), ("none.json", MissingError)):
        with pytest.raises(kind, match=r"\(recipe\.yaml:9\)"):
            planned(write(GOOD.replace("vocabulary: 300", f"tokenizer: {name}")))


def test_merge_keys_and_short_sources_are_understood(write):
    text = "name: x\nsource: crawl/*.warc.gz\nstages:\n  - extract: &fast {mode: fast}\n  - signals\n"
    assert planned(write(text)).steps[0].settings["mode"] == "fast"
    assert (
        load_recipe(write(text.replace("&fast {mode: fast}", "{<<: {mode: fast}}"))).stages[0].settings.mode == "fast"
    )


def test_where_a_file_lies_changes_no_digest(write, tmp_path):
    Path("b.jsonl").write_text('{"id": "1", "question": "one two three four five six seven eight"}\n')
    stage = "  - decontaminate: {benchmarks: [{name: b, path: PATH}], ngram: 5}\n  - tokenize"
    here, there = (
        planned(write(GOOD.replace("  - tokenize", stage.replace("PATH", path))))
        for path in ("b.jsonl", str(tmp_path / "b.jsonl"))
    )
    assert [step.digest for step in here.steps] == [step.digest for step in there.steps]
    assert here.step("decontaminate").settings != there.step("decontaminate").settings


def test_set_changes_one_key(write):
    recipe = load_recipe(
        write(GOOD), ["name=other", "stages.filter.house.word_count.min=7", "stages.0.extractor=trafilatura"]
    )
    assert recipe.name == "other"
    assert recipe.stages[3].settings.model_dump(mode="json")["house"]["word_count"]["min"] == 7
    assert recipe.stages[0].settings.extractor == "trafilatura"


@pytest.mark.parametrize("override", ["nothing", "=3", "stages.filtr.use=[]", "name.deeper=3"])
def test_a_wrong_set_is_said(write, override):
    with pytest.raises(RecipeError, match="--set"):
        load_recipe(write(GOOD), [override])


def test_a_bound_changes_only_what_follows_from_it(write):
    one, two = planned(write(GOOD)), planned(write(GOOD.replace("en: 0.65", "en: 0.7")))
    changed = {a.name for a, b in zip(one.steps, two.steps, strict=True) if a.digest != b.digest}
    assert changed == {"language.keep", "dedup", "tokenize"}


def test_the_schema_describes_every_stage_and_accepts_the_shipped_recipes():
    described = recipe_schema()
    json.dumps(described)
    stages = {
        key for entry in described["properties"]["stages"]["items"]["anyOf"] for key in entry.get("properties", {})
    }
    assert stages == set(STAGE_SETTINGS)
    for definition in ("ExtractSettings", "TokenizeSettings", "RunSettings", "SlurmSettings"):
        assert all("description" in field for field in described["$defs"][definition]["properties"].values())
