"""The stage perplexity in a run: percentiles of the run itself, whatever its shards, their order, kills and workers."""

from __future__ import annotations

import json
import math
import random
import shutil

import pytest
from commands import difference, gristmill, inside, outputs
from corpora import Document, NoProgress, carry_out, make_run
from needed import need_kenlm
from test_resume import kill_at

from gristmill.classifiers.models import find_model
from gristmill.classifiers.perplexity import scores
from gristmill.classifiers.perplexity.form import Form
from gristmill.classifiers.perplexity.scores import Scorer
from gristmill.classifiers.perplexity.train import train
from gristmill.errors import CorruptError, MissingError, RecipeError, StaleError, UsageError
from gristmill.pipeline.audit import audit
from gristmill.pipeline.carry_out import phases_of
from gristmill.pipeline.run import Run
from gristmill.report import figures
from gristmill.report.card import render_card
from gristmill.report.explain import explain
from gristmill.report.html import render_html
from gristmill.report.stats import collect

need_kenlm()

ENGLISH = [
    "the",
    "mill",
    "by",
    "the",
    "river",
    "grinds",
    "the",
    "grain",
    "of",
    "the",
    "village",
    "and",
    "the",
    "miller",
    "sells",
    "the",
    "flour",
    "at",
    "the",
    "market",
]
GERMAN = [
    "die",
    "mühle",
    "am",
    "fluss",
    "mahlt",
    "das",
    "korn",
    "des",
    "dorfes",
    "und",
    "der",
    "müller",
    "verkauft",
    "das",
    "mehl",
    "auf",
    "dem",
    "markt",
]
KILLS = 1
STAGES = """\
  - language: {model: lid176}
  - filter: {house: {language_score: {min: 0.3}}}
  - perplexity:
      model: {en: MODELS/en.bin, de: MODELS/de.arpa}
      lines: true
      buckets: {head: 30, middle: 60}
      keep: {perplexity_bucket: [head, middle], max_line_perplexity: {max: 100000}}
"""


def sentence(draw, words):
    """Return some words of a language, some of them in their order, some made up."""
    start = draw.randrange(len(words) - 6)
    said = [*words[start : start + 6], *draw.choices(words, k=draw.randrange(4))]
    return " ".join(word if draw.random() < 0.9 else word + word[::-1] for word in said)


def pages(number=60):
    """Return documents in two languages, some in a third, some without text, some equal."""
    draw = random.Random(11)
    found = [
        Document("none", None),
        Document("empty", ""),
        Document("fr", "le moulin au bord de la rivière moud le grain"),
    ]
    for n in range(number):
        words = (ENGLISH, GERMAN)[n % 3 == 0]
        text = "\n".join(sentence(draw, words) for _ in range(draw.randrange(1, 4)))
        found.append(Document(f"{n}", text, f"http://example.org/{n}.html"))
    return [*found, Document("again", found[5].text), Document("blank", "\n \n" + found[6].text)]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    (folder / "en.txt").write_text((" ".join(ENGLISH) + "\n") * 3, encoding="utf-8")
    (folder / "de.txt").write_text((" ".join(GERMAN) + "\n") * 3, encoding="utf-8")
    for name, options in {"en.bin": ("--normalize", "ccnet_by_line"), "de.arpa": ("--normalize", "ccnet")}.items():
        inside("train", "perplexity", f"{name[:2]}.txt", "-o", name, "--order", 3, *options, cwd=folder)
    try:
        find_model("lid176")
    except MissingError as error:
        pytest.skip(str(error))
    return folder


def split(documents, shards):
    """Return the documents dealt out among so many shards."""
    return {f"s{number}": documents[number::shards] for number in range(shards)}


def stages(models, text=STAGES):
    return text.replace("MODELS", str(models))


def told(run):
    """Return what the run says of each document, by id."""
    found = {}
    for shard in run.plan.shards:
        ids = run.read(run.plan.text_step, shard, ["id"])["id"].to_pylist()
        rows = [{} for _ in ids]
        for name in ("language", "filter", "perplexity", "perplexity.buckets", "perplexity.keep"):
            layer = run.read(run.plan.step(name), shard).to_pylist()
            for row, new in zip(rows, layer, strict=True):
                row |= {f"passed_{name}": new.get("keep")} | new
        found |= dict(zip(ids, rows, strict=True))
    return found


@pytest.fixture(scope="module")
def run(models, tmp_path_factory):
    return carry_out(make_run(tmp_path_factory.mktemp("run"), split(pages(), 3), stages(models)))


def test_buckets_are_percentiles_of_what_earlier_stages_kept(run, models):
    found = told(run)
    texts = {page.id: page.text for page in pages()}
    by_language = {}
    for row in found.values():
        if row["passed_filter"] and row["perplexity"] is not None:
            by_language.setdefault(row["language"], []).append(row["perplexity"])
    assert sorted(by_language) == ["de", "en"]
    cuts = {
        label: [sorted(values)[math.ceil(p / 100 * len(values)) - 1] for p in (30, 60)]
        for label, values in by_language.items()
    }
    assert json.loads(run.folder.read_bytes(f"{run.plan.step('perplexity.buckets').folder}/cuts.json"))["given"] == cuts
    for identity, row in found.items():
        if row["perplexity"] is None:
            assert row["perplexity_bucket"] is None
            assert row["keep"], "what has no bucket stays"
            assert texts[identity] in (None, "") or row["language"] not in cuts
            continue
        head, middle = cuts[row["language"]]
        value = row["perplexity"]
        bucket = "head" if value <= head else "middle" if value <= middle else "tail"
        assert row["perplexity_bucket"] == bucket
        assert row["keep"] == (bucket != "tail")
        assert row["reason"] == (None if row["keep"] else "perplexity.perplexity_bucket.in")
    assert {row["perplexity_bucket"] for row in found.values()} == {"head", "middle", "tail", None}
    assert found["again"]["perplexity"] == found["2"]["perplexity"]
    assert [finding.broken for finding in audit(run)] == [[]] * 7


def test_perplexity_is_what_its_languages_model_says(run, models):
    import pyarrow as pa

    of = {
        "en": Scorer(find_model(str(models / "en.bin")), Form("ccnet_by_line")),
        "de": Scorer(find_model(str(models / "de.arpa")), Form("ccnet")),
    }
    found = told(run)
    for page in pages():
        row = found[page.id]
        expected = None
        if row["language"] in of:
            expected = of[row["language"]].measure(pa.array([page.text], pa.large_string()))["perplexity"][0].as_py()
        assert row["perplexity"] == expected
    assert sum(row["perplexity"] is not None for row in found.values()) > 50


@pytest.mark.parametrize("shards", [1, 7])
def test_no_result_depends_on_shards_or_their_order(run, models, tmp_path, shards):
    other = carry_out(make_run(tmp_path, split(pages()[::-1], shards), stages(models)), reverse=True)
    assert told(other) == told(run)


def test_stopped_after_any_item_and_resumed_gives_the_same_bytes(run, models, tmp_path):
    begun = make_run(tmp_path, split(pages(), 3), stages(models))
    left = 1
    while left:
        left = work(Run.open(begun.folder.address), items=3)
    carry_out(begun)
    name = begun.folder.address
    unlike = difference(outputs(name), outputs(run.folder.address))
    assert set(unlike) <= {"plan.json", "recipe.yaml", "manifest.json"}  # they name the folder of the WARCs


def work(run, items):
    """Do some items that are not done, and return how many were done; what a killed process left is all there is."""
    done = 0
    for _, phase in phases_of(run, run.plan.steps[1:]):
        for item in phase.items():
            if not phase.is_done(item):
                if done == items:
                    return done
                phase.perform(item, NoProgress())
                done += 1
    return done


def test_killed_and_run_by_two_workers_gives_the_same_bytes(run, models, tmp_path):
    recipe = make_run(tmp_path, split(pages(), 3), stages(models))
    arguments = ("run", "mill.yaml", "--workers", 2, "--workdir", ".")
    moments = random.Random(3)
    for _ in range(KILLS):
        assert kill_at(moments.randint(2, 6), arguments, tmp_path)
    gristmill(*arguments, cwd=tmp_path)
    unlike = difference(outputs(recipe.folder.address), outputs(run.folder.address))
    assert {name for name in unlike if not name.startswith("report/")} <= {
        "plan.json",
        "recipe.yaml",
        "manifest.json",
        "README.md",
    }


def test_given_cuts_need_no_other_shard(run, models, tmp_path):
    text = stages(models).replace("{head: 30, middle: 60}", "{given: {en: [3, 5.5]}}")
    given = make_run(tmp_path, split(pages(), 2), text)
    assert [step.scope for step in given.plan.steps if step.name == "perplexity.buckets"] == ["shard"]
    for row in told(carry_out(given)).values():
        value = row["perplexity"]
        expected = None
        if row["language"] == "en" and value is not None:
            expected = "head" if value <= 3 else "middle" if value <= 5.5 else "tail"
        assert row["perplexity_bucket"] == expected


def test_one_model_without_languages_is_asked_of_all(models, tmp_path):
    text = (
        "  - perplexity: {model: MODELS/en.bin, buckets: {head: 33.3, middle: 50}, keep: {perplexity: {max: 1000}}}\n"
    )
    made = carry_out(make_run(tmp_path, split(pages(9), 2), stages(models, text)))
    cuts = json.loads(made.folder.read_bytes(f"{made.plan.step('perplexity.buckets').folder}/cuts.json"))
    assert list(cuts["given"]) == ["*"]
    assert cuts["documents"] == {"*": 12}
    given = text.replace("{head: 33.3, middle: 50}", json.dumps({"given": cuts["given"]}))
    again = carry_out(make_run(tmp_path / "given", split(pages(9), 2), stages(models, given)))
    found = [
        [run.read(run.plan.step("perplexity.buckets"), shard).to_pylist() for shard in run.plan.shards]
        for run in (made, again)
    ]
    assert found[0] == found[1]


def test_a_new_bound_or_bucket_leaves_scores_valid_and_a_new_model_does_not(models, tmp_path):
    def digests(text=STAGES):
        folder = tmp_path / str(random.Random(text).random())
        run = make_run(folder, {"a": []}, stages(models, text))
        return {step.name: step.digest for step in run.plan.steps}

    before = digests()
    bound = digests(STAGES.replace("[head, middle]", "[head]"))
    assert difference(before, bound) == ["perplexity.keep"]
    cut = digests(STAGES.replace("head: 30", "head: 31"))
    assert difference(before, cut) == ["perplexity.buckets", "perplexity.keep"]
    shutil.copy(models / "de.arpa", models / "copy.arpa")
    shutil.copy(models / "de.arpa.json", models / "copy.arpa.json")
    assert difference(before, digests(STAGES.replace("de.arpa", "copy.arpa"))) == []
    train([b"die muhle\n"], (0, 0), models / "copy.arpa")
    (models / "copy.arpa.json").unlink()
    explicit = STAGES.replace("lines: true", "lines: true\n      pieces: words\n      normalize: ccnet_by_line")
    changed = digests(explicit.replace("de.arpa", "copy.arpa").replace("de: ", "fr: "))
    assert "perplexity" in difference(before, changed)


@pytest.mark.parametrize("warn", [True, False])
def test_a_bound_is_in_doubt_unless_the_recipe_says_otherwise(models, tmp_path, warn):
    text = STAGES + ("" if warn else "      warn: false\n")
    assert make_run(tmp_path, {"a": []}, stages(models, text)).plan.step("perplexity.keep").settings["warn"] is warn


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("{model: {en: MODELS/en.bin}}", RecipeError, "models by language need the language of each document"),
        ("{model: MODELS/en.bin, buckets: {given: {en: [1, 2]}}}", RecipeError, "cuts by language need the language"),
        (
            "{model: {eng: MODELS/en.bin}}",
            RecipeError,
            "models by language: .* never answers 'eng': .* did you mean 'en'",
        ),
        ("{model: MODELS/nn.bin}", MissingError, "nn.bin"),
        ("{model: MODELS/en.bin, normalize: none}", UsageError, "was trained with normalize: ccnet_by_line"),
        ("{model: MODELS/en.txt, normalize: none, pieces: words}", CorruptError, "en.txt is neither KenLM's binary"),
        ("{model: MODELS/en.bin, pieces: MODELS/none.model}", MissingError, "none.model"),
        ("{model: MODELS/en.bin, bucket: {}}", RecipeError, "buckets"),
        ("{model: MODELS/en.bin, keep: {perplexity_bucket: [head]}}", RecipeError, "not measured here"),
    ],
)
def test_mistakes_are_found_by_the_plan_and_located(models, tmp_path, text, error, message):
    language = "  - language\n" if "eng:" in text else ""
    with pytest.raises((error, UsageError), match=message) as raised:
        make_run(tmp_path, {"a": []}, stages(models, f"{language}  - perplexity: {text}\n"))
    assert "mill.yaml:" in str(raised.value)


def test_a_model_that_changes_after_the_plan_is_not_taken(models, tmp_path):
    shutil.copy(models / "en.bin", tmp_path / "en.bin")
    text = "  - perplexity: {model: MODELS/en.bin, normalize: none, pieces: words}\n"
    planned = make_run(tmp_path / "run", split(pages(6), 1), stages(tmp_path, text))
    train([b"another model\n"], (0, 0), tmp_path / "en.bin")
    scores._load.cache_clear()  # as in a process that begins
    with pytest.raises(StaleError, match="plan the run again"):
        carry_out(planned)


def test_filters_bound_it_and_explain_tells_of_it(run, tmp_path):
    tail = next(name for name, row in told(run).items() if row["perplexity_bucket"] == "tail")
    said = inside("explain", run.folder.address, f"http://example.org/{tail}.html", cwd=tmp_path).stdout
    assert "dropped by perplexity: perplexity.perplexity_bucket.in" in said
    assert "in head, middle" in said
    assert "median_line_perplexity" in said
    (explained,) = explain(run, f"http://example.org/{tail}.html")
    values = next(stage.values for stage in explained.stages if stage.stage == "perplexity")
    facts = json.loads(run.folder.read_bytes(f"{run.plan.step('perplexity.buckets').folder}/cuts.json"))
    assert [values["head_up_to"], values["middle_up_to"]] == facts["given"][told(run)[tail]["language"]]
    assert values["perplexity"] > values["middle_up_to"]


def test_an_ensemble_ranks_a_perplexity_that_has_buckets(models, tmp_path):
    ensemble = "  - ensemble: {scores: [{column: perplexity, lower_is_better: true}], by: language}\n"
    run = carry_out(make_run(tmp_path, split(pages(9), 2), stages(models, STAGES + ensemble)))
    assert run.plan.step("ensemble").columns == ("score_bucket", "perplexity_rank_bucket")


def test_the_report_and_the_card_tell_the_cuts(run, models, tmp_path):
    stats = collect(run)
    facts = json.loads(run.folder.read_bytes(f"{run.plan.step('perplexity.buckets').folder}/cuts.json"))
    (told,) = stats["perplexity_buckets"]
    assert (told["stage"], told["percentiles"]) == ("perplexity", [30, 60])
    assert {of["language"]: [of["head"], of["middle"]] for of in told["cuts"]} == facts["given"]
    assert {of["language"]: of["documents"] for of in told["cuts"]} == facts["documents"]
    for page in (render_card(run, stats), render_html(stats)):
        assert all(figures.number(cut) in page for cuts in facts["given"].values() for cut in cuts)
        assert "kenlm" in page or page.startswith("<!")
    given_cuts = "  - perplexity: {model: MODELS/en.bin, buckets: {given: {'*': [3, 4.5]}}}\n"
    given = carry_out(make_run(tmp_path, split(pages(9), 2), stages(models, given_cuts)))
    (told,) = collect(given)["perplexity_buckets"]
    assert told["cuts"] == [{"language": "*", "documents": None, "head": 3, "middle": 4.5}]
    assert "| all | – | 3 | 4.5 |" in render_card(given, collect(given))
