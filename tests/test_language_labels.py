"""What stages that read the language's label make of it: labels that are renamed, and labels that nothing answers."""

from __future__ import annotations

import pytest
from corpora import Document, carry_out, make_run
from test_presets import CONFIG
from tiny_models import KINDS, LINES, train

from gristmill.classifiers.language.codes import renamed, same_language
from gristmill.errors import RecipeError
from gristmill.filters.rules.labels import LID176, names_of

SHORT = {**LID176, "eng_Latn": "en"}
FINER = {"ary", "arz", "azb", "ckb", "yue"}  # what has two letters by its macrolanguage alone


@pytest.mark.parametrize("scheme", ["iso639-1", "iso639-3", "iso639-3_script"])
def test_lid176s_renamed_labels_are_names_of_the_languages_that_lists_and_presets_have(scheme):
    labels = renamed(list(SHORT.values()), scheme)
    lost = {
        short: label
        for (name, short), label in zip(SHORT.items(), labels, strict=True)
        if label not in names_of(name) and not (scheme == "iso639-1" and short in FINER)
    }
    assert lost == {}


def test_no_name_is_of_two_languages():
    names = [name for language in SHORT for name in names_of(language)]
    assert len(set(names)) == len(names)


MODEL = KINDS["hs"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of eng_Latn, deu_Latn and rus_Cyrl."""
    return str(train(tmp_path_factory.mktemp("labels"), MODEL))


@pytest.fixture
def configs(tmp_path):
    """A folder of stop words, in which German is `de`."""
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "de.txt").write_text("die\nam\n")
    return folder


def stages_of(text, model, **files):
    """The stages of a text in which upper-case words stand for files."""
    for name, path in {"model": model, **files}.items():
        text = text.replace(name.upper(), str(path))
    return text


STOP_WORDS = "  - signals: {families: [stop_words], lists: {stop_words: CONFIGS}}\n"


@pytest.mark.parametrize("scheme", ["model", "iso639-1", "iso639-3", "iso639-3_script"])
def test_stop_words_are_counted_by_whatever_labels(tmp_path, model, configs, scheme):
    stages = f"  - language: {{model: MODEL, labels: {scheme}}}\n" + STOP_WORDS
    rows = {"a": [Document("1", LINES["deu_Latn"]), Document("2", LINES["eng_Latn"])]}
    run = carry_out(make_run(tmp_path, rows, stages_of(stages, model, configs=configs)))
    found = run.read(run.plan.step("signals"), run.plan.shards[0], ["language_stop_word_count"]).column(0).to_pylist()
    assert found == [2, None]


@pytest.mark.parametrize(
    ("language", "later", "message"),
    [
        ("", "  - filter: {house: {language: {in: [en, de]}}}\n",
         r"rule 'house.language.in': the stage 'language' never answers 'en': .* did you mean 'eng_Latn'\?"),
        ("labels: iso639-1", "  - filter: {house: {language_score: {min: 0.1, languages: {deu_Latn: {min: 0}}}}}\n",
         r"rule 'house.language_score.min': .* 'deu_Latn' among its iso639-1 labels; did you mean 'de'\?"),
        ("top: 2", "  - filter: {house: {any: [{language_score: {min: 0.5}}, {language_2: {in: [ger]}}]}}\n",
         r"the stage 'language' never answers 'ger'"),
        ("", "  - signals: {families: [stop_words], lists: {stop_words: ONLY}}\n",
         r"lists.stop_words: no list is of a language that the stage 'language' answers: the lists have xx, the stage "
         r"deu_Latn, eng_Latn, rus_Cyrl; .*say so: lists: \{labels: \{xx: deu_Latn\}\}"),
        ("", STOP_WORDS.replace("CONFIGS", "CONFIGS, labels: {de: german}"),
         r"lists.labels: the stage 'language' never answers 'german'"),
    ],
)  # fmt: skip
def test_what_waits_for_a_label_that_nothing_answers_is_a_mistake_of_the_plan(
    tmp_path, model, configs, language, later, message
):
    only = tmp_path / "only"
    only.mkdir()
    (only / "xx.txt").write_text("word\n")
    stages = f"  - language: {{model: MODEL, {language}}}\n{later}"
    with pytest.raises(RecipeError, match=message):
        make_run(tmp_path, {"a": []}, stages_of(stages, model, configs=configs, only=only))


def test_a_rule_may_ask_for_what_is_undetermined(tmp_path, model):
    stages = "  - language: {model: MODEL}\n  - filter: {house: {language: {in: [und]}}}\n"
    make_run(tmp_path, {"a": []}, stages_of(stages, model))


@pytest.mark.parametrize(
    ("label", "known", "same"),
    [
        ("cmn_Hans", ["en", "zh"], "zh"),
        ("zh", ["cmn_Hani", "eng_Latn"], "cmn_Hani"),
        ("srp_Latn", ["srp_Cyrl", "srp_Latn"], "srp_Latn"),
        ("srp", ["hrv", "srp_Cyrl", "srp_Latn"], "srp_Cyrl"),
        ("spam", ["en"], None),
        ("en", ["spam", "ham"], None),
        ("en", [], None),
    ],
)
def test_the_label_of_the_same_language(label, known, same):
    assert same_language(label, known) == same


FINEWEB2 = """\
  - signals: {families: [gopher_repetition, gopher_quality, fineweb, stop_words], lists: {stop_words: CONFIGS}}
  - filter: {use: [fineweb2/deu_Latn], fineweb2: {configs: CONFIGS}}
"""


def fineweb2(folder, language):
    (folder / f"{language}.yml").write_text(CONFIG.format(line_punct_thr=0.1))
    return folder


@pytest.mark.parametrize("scheme", ["model", "iso639-1", "iso639-3", "iso639-3_script"])
def test_fineweb2s_rules_judge_a_language_by_whatever_label(tmp_path, model, scheme):
    stages = f"  - language: {{model: MODEL, labels: {scheme}}}\n{FINEWEB2}"
    rows = {"a": [Document("1", LINES["deu_Latn"]), Document("2", LINES["rus_Cyrl"])]}
    run = carry_out(make_run(tmp_path, rows, stages_of(stages, model, configs=fineweb2(tmp_path, "deu_Latn"))))
    kept = run.read(run.plan.step("filter"), run.plan.shards[0], ["keep"]).column(0).to_pylist()
    assert kept == [False, True]


def test_a_preset_of_a_language_that_nothing_answers_is_a_mistake_of_the_plan(tmp_path, model):
    stages = "  - language: {model: MODEL}\n" + FINEWEB2.replace("[fineweb2/deu_Latn]", "[fineweb2/cmn_Hani]")
    fineweb2(tmp_path, "deu_Latn")
    stages = stages_of(stages, model, configs=fineweb2(tmp_path, "cmn_Hani"))
    with pytest.raises(RecipeError, match=r"preset 'fineweb2/cmn_Hani' is for documents in cmn_Hani or .* zho_Hans"):
        make_run(tmp_path, {"a": []}, stages)
