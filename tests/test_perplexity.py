"""N-gram models: against their definition, against what lmplz and build_binary made, and whether they are models."""

from __future__ import annotations

import gzip
import math
import random
from pathlib import Path

import pytest
import reference_perplexity as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from gristmill.classifiers.perplexity import columns, counts
from gristmill.classifiers.perplexity.train import pruning, train
from gristmill.errors import UsageError

GOLDEN = Path(__file__).parent / "golden" / "perplexity"

WORDS = st.sampled_from([b"a", b"b", b"c", b"d", "é".encode(), b"<s>", b"<unk>", b"</s>", b"\xff"])
SPACES = st.sampled_from([b" ", b"\t ", b"\0", b"\r"])
LINES = st.tuples(SPACES, st.lists(WORDS, max_size=8)).map(lambda line: line[0].join(line[1]))
TEXTS = st.lists(LINES, min_size=1, max_size=12).map(b"\n".join)
PRUNES = st.sampled_from([(0, 0), (0, 1), (0, 0, 0), (0, 0, 1), (0, 1, 2, 2), (0, 0, 0, 0, 0)])


def made_up(sentences):
    """Return lines of made-up words, some of them very common, the same each time."""
    draw = random.Random(7)
    words = [f"w{number}" for number in range(400)]
    weights = [1 / (number + 1) for number in range(400)]
    lines = (" ".join(draw.choices(words, weights, k=draw.randrange(12))) for _ in range(sentences))
    return "".join(line + "\n" for line in lines).encode()


def trained(text, prune, folder, name="model.arpa"):
    path = folder / name
    train([text] if isinstance(text, bytes) else text, prune, path)
    return path.read_bytes()


def same(found, expected):
    assert found.keys() == expected.keys()
    for gram, (probability, backoff) in expected.items():
        assert math.isclose(found[gram][0], probability, abs_tol=1e-6), gram
        assert math.isclose(found[gram][1] or 0.0, backoff or 0.0, abs_tol=1e-6), gram


@settings(deadline=None, max_examples=60)
@given(TEXTS, PRUNES)
def test_a_model_is_what_its_definition_says(tmp_path_factory, text, prune):
    folder = tmp_path_factory.mktemp("model")
    if not any(len(sentence) > 2 for sentence in reference.sentences(text)):
        with pytest.raises(UsageError, match="no word"):
            trained(text, prune, folder)
        return
    expected = {
        gram: (math.log10(p), None if weight is None else math.log10(weight))
        for gram, (p, weight) in reference.model(text, prune).items()
    }
    found, stated = reference.read_arpa(trained(text, prune, folder))
    same(found, expected)
    assert stated == {n: sum(len(gram) == n for gram in expected) for n in range(1, len(prune) + 1)}


@pytest.mark.parametrize("prune", [(0, 0, 0, 0, 0), (0, 0, 1, 1, 2)])
def test_a_model_is_what_lmplz_makes(tmp_path, prune):
    name = f"lmplz-{''.join(map(str, prune))}.arpa.gz"
    expected, _ = reference.read_arpa(gzip.decompress((GOLDEN / name).read_bytes()))
    found, _ = reference.read_arpa(trained(made_up(1000), prune, tmp_path))
    expected[b"<s>",] = (0.0, expected[b"<s>",][1])
    same(found, expected)


def test_a_binary_is_what_build_binary_makes(tmp_path):
    for prune, name in (((0, 0, 0), "build_binary-000.bin.gz"), ((0, 0), "build_binary-00.bin.gz")):
        assert trained(made_up(60), prune, tmp_path, "model.bin") == gzip.decompress((GOLDEN / name).read_bytes())


@pytest.mark.parametrize("prune", [(0, 0, 0, 0), (0, 1, 1, 2)])
def test_probabilities_sum_to_1(tmp_path, prune):
    grams, _ = reference.read_arpa(trained(made_up(200), prune, tmp_path))
    contexts = sorted({gram[:n] for gram in grams for n in range(len(gram)) if gram[n - 1 : n] != (b"</s>",)})
    for context in contexts[:: max(len(contexts) // 100, 1)]:
        assert math.isclose(reference.total(grams, context), 1.0, abs_tol=2e-6), context


def test_a_model_depends_on_neither_parts_nor_blocks_nor_the_order_of_lines(tmp_path, monkeypatch):
    text = made_up(500)
    expected = trained(text, (0, 0, 0, 1), tmp_path)
    lines = text.splitlines(keepends=True)
    random.Random(3).shuffle(lines)
    monkeypatch.setattr(columns, "CHUNK", 257)
    monkeypatch.setattr(counts, "CHUNK", 100)
    monkeypatch.setattr(counts, "PART", 90)
    assert trained(lines, (0, 0, 0, 1), tmp_path) == expected
    assert list(tmp_path.iterdir()) == [tmp_path / "model.arpa"]


def test_text_that_is_too_little_for_discounts_says_so(tmp_path):
    done = train([b"a b\n"], (0, 0), tmp_path / "model.arpa")
    assert [discounts.estimated for discounts in done.discounts] == [False, False]
    assert (done.sentences, done.tokens, done.ngrams) == (1, 4, (5, 3))


@pytest.mark.parametrize(
    ("order", "bounds", "message"),
    [
        (1, (), "order is 1; models have from 2 to 6"),
        (7, (), "order is 7"),
        (2, (0, 0, 1), r"3 bounds \(0, 0, 1\) for pruning 2 orders"),
        (3, (1,), "first bound for pruning is 1"),
        (3, (0, 2, 1), "may not fall from order to order: 0, 2, 1"),
    ],
)
def test_bounds_that_make_no_model(order, bounds, message):
    with pytest.raises(UsageError, match=message):
        pruning(order, bounds)
