"""Contamination: documents/s and MB/s on one core, against datatrove's filter and a plain Python set of n-grams.

    python benchmarks/contamination.py [BENCHMARK.jsonl.gz ...] [--pages PAGES.parquet] [--peer-documents 300]

PAGES has a column `text`. Without files, pages and items are made of random words. The peers are asked about the first
documents only, since they are slow. The set's verdicts on those, and on a hundred texts of items, are compared with
gristmill's before it is timed. datatrove's filter is run where it can be imported (it wants nltk, and spaCy for
English), with the n-grams of the first 2,000 items in its own words.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gristmill.dedup.benchmarks import ITEMS, read_items
from gristmill.dedup.benchmarks.settings import BenchmarkSettings
from gristmill.dedup.contamination import BenchmarkIndex, index_items

NGRAM = 13
SHORT = 8
WORD = re.compile(r"[^\W_]+")
Verdicts = Callable[[list[str]], list[bool]]


def made_up(texts: int, words: int, seed: int) -> list[str]:
    """Return texts of random words, about as frequent as real ones."""
    generator = random.Random(seed)
    vocabulary = [
        "".join(generator.choices("abcdefghijklmnopqrstuvwxyz", k=generator.randint(1, 10))) for _ in range(50_000)
    ]
    weights = [1 / rank for rank in range(1, len(vocabulary) + 1)]
    return [" ".join(generator.choices(vocabulary, weights, k=words)) + "." for _ in range(texts)]


def made_up_items(words: int) -> pa.Table:
    """Return items of 62 random words, 50 n-grams each, of so many words in all."""
    texts = [[text] for text in made_up(words // 62, 62, seed=1)]
    ids = [str(i) for i in range(len(texts))]
    columns = [["random"] * len(ids), ids, texts, [["text"]] * len(ids), [["prose"]] * len(ids), ["test"] * len(ids)]
    return pa.table(columns, schema=ITEMS)


def python_set(items: pa.Table) -> Verdicts:
    """Return a function that tells which texts have an n-gram of the items, in plain Python."""
    known = {gram for item in items["text"].to_pylist() for text in item for gram in python_ngrams(text)}
    return lambda texts: [any(gram in known for gram in python_ngrams(text)) for text in texts]


def python_ngrams(text: str) -> Iterable[str]:
    """Yield the n-grams that are looked for."""
    words = WORD.findall(text.lower())
    for i in range(len(words) - NGRAM + 1):
        gram = words[i : i + NGRAM]
        if len({word for word in gram if sum(map(str.isalpha, word)) > 1}) > 2:
            yield " ".join(gram)


def datatrove_filter(items: pa.Table, folder: str) -> Verdicts:
    """Return a function that tells which texts datatrove's filter drops. Raises ImportError where it cannot run."""
    from datatrove.data import Document
    from datatrove.pipeline.decont.n_grams import NGramsDecontConfig, NGramsDecontFilter
    from datatrove.utils.hashing import HashConfig
    from datatrove.utils.text import ngrams, simplify_text

    # sha1, since its xxhash fails with xxhash 4; with either, hashing is a small part of its time
    config = NGramsDecontConfig(n_grams=NGRAM, hash_config=HashConfig(hash_fc="sha1"))
    peer = NGramsDecontFilter(folder, config)

    def hashes(text: str) -> Iterable[int]:
        words = peer.tokenizer.word_tokenize(simplify_text(text, peer.config.norm_config))
        return map(peer.hash_func, map(" ".join, ngrams(words, NGRAM)))

    known = {value for item in items["text"].to_pylist()[:2_000] for text in item for value in hashes(text)}
    np.array(sorted(known), peer.config.hash_config.np_descr).tofile(Path(folder) / "items.index.hashes")
    peer.filter(Document(text="", id=""))
    return lambda texts: [peer.filter(Document(text=text, id="")) is not True for text in texts]


def timed(function: Callable[[], object], repeats: int = 3) -> float:
    """Return the shortest time of some runs, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def show(name: str, texts: pa.Array, seconds: float) -> float:
    """Print a speed; return its documents/s."""
    rate = len(texts) / seconds
    print(
        f"  {name:<34}{rate:>10,.0f} documents/s {pc.sum(pc.binary_length(texts)).as_py() / seconds / 1e6:>9.1f} MB/s"
    )
    return rate


def peers(items: pa.Table, index: BenchmarkIndex, texts: pa.Array) -> None:
    """Print the speeds of the baselines beside gristmill's on the same texts."""
    listed, plain = texts.to_pylist(), python_set(items)
    asked = [*listed, *pc.list_flatten(items["text"].combine_chunks())[:100].to_pylist()]
    verdicts = np.asarray(index.scan(pa.array(asked))["contaminated_ngram_count"]) > 0
    differ = int((verdicts != np.array(plain(asked))).sum())
    print(f"of {len(asked)} verdicts, {verdicts.sum()} contaminated, {differ} differ from plain Python's")
    ours = show(f"gristmill, the first {len(texts)} pages", texts, timed(lambda: index.scan(texts)))
    rate = show("plain Python, a set of n-grams", texts, timed(lambda: plain(listed), 1))
    print(f"  {'':<34}{ours / rate:>10,.0f} times slower")
    try:
        with tempfile.TemporaryDirectory() as folder:
            peer = datatrove_filter(items, folder)
            rate = show("datatrove NGramsDecontFilter", texts, timed(lambda: peer(listed), 1))
        print(f"  {'':<34}{ours / rate:>10,.0f} times slower")
    except ImportError as error:
        print(f"  datatrove's filter cannot run here: {error}")


def million() -> None:
    """Print what an index of a million n-grams costs."""
    items = made_up_items(1_240_000)
    seconds = timed(lambda: index_items(items, NGRAM, SHORT), 1)
    index = index_items(items, NGRAM, SHORT)
    print(f"index of {index.ngram_count:,} n-grams: built in {seconds:.2f} s, {index.bytes / 1e6:.0f} MB")
    show("scan of itself", texts := pc.list_flatten(items["text"].combine_chunks()), timed(lambda: index.scan(texts)))


def main() -> None:
    """Run the benchmark on the files given, or on random words."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benchmarks", nargs="*")
    parser.add_argument("--pages", type=Path)
    parser.add_argument("--peer-documents", type=int, default=300)
    arguments = parser.parse_args()
    if arguments.pages:
        texts = pq.read_table(arguments.pages, columns=["text"])["text"].drop_null().combine_chunks()
    else:
        texts = pa.array(made_up(2_000, 800, seed=0), pa.large_string())
    start = time.perf_counter()
    settings = [BenchmarkSettings.model_validate({"path": path}) for path in arguments.benchmarks]
    items = read_items(settings) if settings else made_up_items(124_000)
    read = time.perf_counter() - start
    index = index_items(items, NGRAM, SHORT)
    index.scan(texts[:1])
    print(json.dumps({"items": len(items), "short": len(index.short_items), "ngrams": index.ngram_count}))
    print(f"items read in {read:.2f} s, index built in {timed(lambda: index_items(items, NGRAM, SHORT), 1):.2f} s")
    found = pc.sum(pc.greater(index.scan(texts)["contaminated_ngram_count"], 0)).as_py()
    print(f"{len(texts)} pages, {found} contaminated")
    show("gristmill", texts, timed(lambda: index.scan(texts)))
    long = index_items(items, NGRAM)
    show("gristmill, without short items", texts, timed(lambda: long.scan(texts)))
    peers(items, index, texts[: arguments.peer_documents])
    million()


if __name__ == "__main__":
    main()
