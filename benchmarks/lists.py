"""Bad words of a language beside datatrove's C4BadWordsFilter: ``python benchmarks/lists.py TEXTS.jsonl.gz LDNOOBW``.

TEXTS holds a JSON object with a ``text`` on each line; LDNOOBW is a folder with ``en.txt``. Verdicts are compared
before anything is timed. Then the other families that look words up, in the same list. Seconds are those of the CPU.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from unittest import mock

import numpy as np
import pyarrow as pa
from datatrove.data import Document
from datatrove.pipeline.filters import c4_filters

from gristmill.filters.signals.families import measure
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.filters.signals.word_lists import WordLists
from gristmill.pipeline.word_files import read_words

LANGUAGE = "en"
ROUNDS = 5
OTHERS = ("stop_words", "redpajama_v2_lists")


def main() -> None:
    """Print documents and MB a second of both, medians of rounds on one core."""
    with gzip.open(sys.argv[1], "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    folder = Path(sys.argv[2])
    lists = {"bad_words": WordLists({label: tuple(words) for label, words in read_words(str(folder)).items()})}
    column, labels = pa.array(texts, pa.large_string()), pa.array([LANGUAGE] * len(texts))
    documents = [Document(text=text, id="0", metadata={"language": LANGUAGE}) for text in texts]
    own = folder / f"{LANGUAGE}.txt"
    with mock.patch.object(c4_filters, "cached_asset_path_or_download", return_value=own):
        peer = c4_filters.C4BadWordsFilter()

        def ours() -> list[bool]:
            counts = measure(column, SignalsSettings(families=("bad_words",)), {"language": labels}, lists)
            return (np.asarray(counts.column("bad_word_count")) == 0).tolist()

        def theirs() -> list[bool]:
            return [peer.filter(document) is True for document in documents]

        assert ours() == theirs(), "the verdicts differ"
        seconds = {"gristmill": [], "datatrove": []}
        for _ in range(ROUNDS):
            for name, run in (("gristmill", ours), ("datatrove", theirs)):
                seconds[name].append(cpu_seconds(run))
    for name, times in seconds.items():
        rate, size = len(texts) / median(times), column.nbytes / 1e6 / median(times)
        print(f"{name:10}{rate:10,.0f} documents/s{size:9,.1f} MB/s")
    print(f"ratio {median(seconds['datatrove']) / median(seconds['gristmill']):.1f}")
    lists["stop_words"] = lists["bad_words"]
    for family in OTHERS:
        chosen = SignalsSettings(families=(family,))
        run = partial(measure, column, chosen, {"language": labels}, lists)
        run()
        times = [cpu_seconds(run) for _ in range(ROUNDS)]
        print(f"{family:22}{column.nbytes / 1e6 / median(times):9,.1f} MB/s")


def cpu_seconds(run: Callable[[], object]) -> float:
    """Return how long a call keeps the CPU busy."""
    start = time.process_time()
    run()
    return time.process_time() - start


if __name__ == "__main__":
    main()
