"""What extractors find in pages whose main text others wrote down: floors that no change may fall below."""

import extraction
import pytest
from extraction_gold import SETS, GoldPage, Score, corpus_digests, gold_pages, score


def page(text=None, wanted=(), unwanted=()):
    return GoldPage("id", "en", "", text, wanted, unwanted)


@pytest.mark.parametrize(
    ("gold", "found", "precision", "recall"),
    [
        ("a b c d e", "a b c d e", 1.0, 1.0),
        ("a b c d e", "A, b c -- d! e", 0.5, 0.5),
        ("a b c d e", "a b c d", 1.0, 0.5),
        ("a b c d", "x a b c d y", 1 / 3, 1.0),
        ("a b c d a b c d", "a b c d", 1.0, 1 / 5),
        ("a b", "a b", 1.0, 1.0),
        ("a b", "a b c", 0.0, 0.0),
        ("a b c d", "", 0.0, 0.0),
    ],
)
def test_shingles_are_compared_as_multisets(gold, found, precision, recall):
    assert score([page(gold)], [found]) == pytest.approx(Score(precision, recall))


def test_precision_and_recall_are_averaged_over_pages_before_f1():
    result = score([page("a b c d"), page("a b c d e")], ["a b c d", ""])
    assert result == Score(0.5, 0.5)
    assert result.f1 == 0.5
    assert Score(0.0, 0.0).f1 == 0.0


def test_snippets_are_counted_over_the_set():
    pages = [page(wanted=("one", "two"), unwanted=("menu",)), page(wanted=("three",), unwanted=("legal", "share"))]
    assert score(pages, ["one two menu", "share"]) == Score(2 / 4, 2 / 3)


def test_floors_only_rise():
    corpus, old = {"news": "0" * 64}, {"corpus": {"news": "0" * 64}, "whole": {"news": {"resiliparse": 0.9}}}
    raised = extraction.raised(old, corpus, {"whole": {"news": {"resiliparse": 0.9129, "justext": 0.5}}})
    assert raised["whole"]["news"] == {"resiliparse": 0.912, "justext": 0.5}
    with pytest.raises(SystemExit, match=r"whole news resiliparse: 0\.8990 < 0\.9"):
        extraction.raised(old, corpus, {"whole": {"news": {"resiliparse": 0.899}}})
    with pytest.raises(SystemExit, match="other gold files"):
        extraction.raised(old, {"news": "1" * 64}, {})


@pytest.fixture(scope="module")
def gold(data):
    return data / "gold"


@pytest.fixture(scope="module")
def pages(gold):
    return {chosen: list(gold_pages(chosen, gold, subset=True)) for chosen in SETS}


@pytest.mark.data
def test_the_floors_are_those_of_this_gold(gold):
    assert extraction.read_floors()["corpus"] == corpus_digests(gold)


@pytest.mark.data
@pytest.mark.parametrize("name", extraction.settings_by_name())
def test_no_extractor_falls_below_its_floor(pages, name):
    floors = extraction.read_floors()["subset"]
    found = extraction.measured(extraction.settings_by_name()[name], pages)
    assert {chosen: (f1, floors[chosen][name]) for chosen, f1 in found.items() if f1 < floors[chosen][name]} == {}


@pytest.mark.data
def test_the_best_mode_reaches_what_is_promised():
    whole = extraction.read_floors()["whole"]
    best = {chosen: max(by_extractor.values()) for chosen, by_extractor in whole.items()}
    assert best["scrapinghub-aeb"] >= 0.96
    assert best["trafilatura-eval"] >= 0.91
