"""Perplexity of real texts: KenLM asked through the stage's scorer, against one document at a time as cc_net asks it.

    python benchmarks/perplexity.py TRAINING.txt PAGES.parquet [--pieces PIECES.sp.model]

TRAINING is text for a model; PAGES has a column `text`. The baseline normalizes, cuts and scores each document by plain
Python, as cc_net's code does it. Both must give the same perplexities before anything is timed. CPU time, medians.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import kenlm
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gristmill.classifiers.models import find_model
from gristmill.classifiers.perplexity.form import Form, training_blocks
from gristmill.classifiers.perplexity.normal import PUNCTUATION
from gristmill.classifiers.perplexity.pieces import find_pieces
from gristmill.classifiers.perplexity.scores import Scorer
from gristmill.classifiers.perplexity.train import pruning, train

ROUNDS = 3
DIGIT = re.compile(r"\d")
CONTROL = re.compile("[" + "".join(map(chr, [*range(32), *range(127, 160)])) + "]")


def one_by_one(model: kenlm.Model, pieces: Callable[[str], str]) -> Callable[[list[str]], list[float | None]]:
    """Return what scores documents by plain Python, each by itself."""

    def normalize(text: str) -> str:
        line = unicodedata.normalize("NFD", text.strip().lower())
        line = DIGIT.sub("0", "".join(c for c in line if unicodedata.category(c) != "Mn"))
        return CONTROL.sub("", "".join(PUNCTUATION.get(c, c) for c in line))

    def score(text: str) -> float | None:
        line = pieces(normalize(text))
        length = len(re.findall("[^\0\t\r\n ]+", line))
        return 10.0 ** (-model.score(line) / (length + 1)) if length else None

    return lambda texts: [score(text) for text in texts]


def timed(work: Callable[[], object]) -> float:
    """Return the median CPU seconds of some rounds."""
    took = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        took.append(time.process_time() - start)
    return statistics.median(took)


def main() -> None:
    """Print the speeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("training", type=Path)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--pieces", default="words")
    given = parser.parse_args()
    vocabulary = find_pieces(given.pieces)
    lines = pa.array(given.training.read_text(encoding="utf-8").split("\n"), pa.large_string())
    texts = pq.read_table(given.pages, columns=["text"])["text"].drop_null().combine_chunks().cast(pa.large_string())
    listed = texts.to_pylist()
    parts = [listed[start : start + 128] for start in range(0, len(listed), 128)]
    megabytes = pc.sum(pc.binary_length(texts)).as_py() / 1e6
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lm.bin"
        form = Form("ccnet", vocabulary)
        trained = train(training_blocks([lines], form), pruning(5, ()), path)
        print(f"a model of {trained.tokens:,} tokens; {len(listed):,} texts, {megabytes:.1f} MB")
        scorer = Scorer(find_model(str(path)), form)
        baseline = one_by_one(kenlm.Model(str(path)), lambda line: vocabulary.split([line])[0])
        found, expected = scorer.measure(texts)["perplexity"].to_pylist(), baseline(listed)
        assert [value is None for value in found] == [value is None for value in expected]
        told = [value is not None for value in found]
        np.testing.assert_allclose(*(np.array(v, float)[told] for v in (found, expected)), rtol=1e-12)
        tokens = int(np.sum(form.sentences(listed).lengths + 1))
        plain = timed(lambda: baseline(listed))
        print(f"  one by one       {megabytes / plain:7.1f} MB/s {tokens / plain / 1e6:7.2f} M tokens/s")
        for name in ("ccnet", "ccnet_by_line", "none"):
            other = Form(name, vocabulary)
            tokens = int(np.sum(other.sentences(listed).lengths + 1))
            took = timed(lambda form=other: Scorer(scorer.model, form).measure(texts))
            made = timed(lambda form=other: [form.sentences(some) for some in parts])
            print(
                f"  {name:15}  {megabytes / took:7.1f} MB/s {tokens / took / 1e6:7.2f} M tokens/s, "
                f"{made / took:.0%} of it before KenLM is asked; {plain / took:.1f} times one by one"
            )


if __name__ == "__main__":
    main()
