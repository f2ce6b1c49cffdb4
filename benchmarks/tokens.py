"""Tokens: encoding, beside `tokenizers`' own, training and packing, on one thread.

    python benchmarks/tokens.py TOKENIZER.json[.gz] TEXTS.jsonl.gz ...

Every line of TEXTS has `text`. Answers are compared before they are timed. (This file is not called tokenize.py: a
script's folder comes first on Python's path, and would hide the standard library's module from every benchmark here.)
"""

from __future__ import annotations

import gzip
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from tokenizers import Tokenizer

from gristmill import schema
from gristmill.tokenize.encode import Encoder, load_tokenizer
from gristmill.tokenize.order import order_keys
from gristmill.tokenize.pack import pack, tokens_digests, unpack
from gristmill.tokenize.settings import TokenizeSettings
from gristmill.tokenize.train import train_tokenizer

END = "<|endoftext|>"
ROUNDS = 3
BATCH = 1000  # documents, as datatrove's DocumentTokenizer hands them over


def texts_of(paths: list[Path]) -> list[str]:
    """Return the texts of JSON Lines files."""
    lines = (line for path in paths for line in gzip.decompress(path.read_bytes()).splitlines())
    return [row["text"] for row in map(json.loads, lines) if row.get("text")]


def best(function: Callable[[], Any]) -> float:
    """Return the least CPU seconds of a few calls."""
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time()
        function()
        taken.append(time.process_time() - start)
    return min(taken)


def encoding(raw: bytes, texts: list[str]) -> pa.ListArray:
    """Print MB/s of encoding against encode_batch and encode_batch_fast; return the tokens."""
    encoder, theirs, column = Encoder(raw, END), Tokenizer.from_str(raw.decode()), pa.array(texts, pa.large_string())
    theirs.encode_special_tokens = True
    megabytes = sum(len(text.encode()) for text in texts) / 1e6

    def batches(name: str) -> list[np.ndarray]:
        encode = getattr(theirs, name)
        parts = (texts[i : i + BATCH] for i in range(0, len(texts), BATCH))
        return [np.array(e.ids, np.uint32) for part in parts for e in encode(part, add_special_tokens=False)]

    expected, found = batches("encode_batch"), encoder.encode(column)
    assert all(a.tolist() == b[:-1] for a, b in zip(expected, found.to_pylist(), strict=True))
    tokens = len(found.flatten()) / 1e6
    print(f"\nencode: {len(texts)} texts, {megabytes:.1f} MB, {tokens:.2f} M tokens")
    baselines = {name: best(lambda name=name: batches(name)) for name in ("encode_batch", "encode_batch_fast")}
    for name, took in baselines.items():
        print(f"  tokenizers {name:18} {megabytes / took:6.2f} MB/s  {tokens / took:6.2f} M tokens/s")
    fresh = iter([Encoder(raw, END) for _ in range(ROUNDS)])
    for name, function in (
        ("first time", lambda: next(fresh).encode(column)),
        ("again", lambda: encoder.encode(column)),
    ):
        ours = best(function)
        times = ", ".join(f"{took / ours:.1f} times {baseline}" for baseline, took in baselines.items())
        print(f"  gristmill, {name:18} {megabytes / ours:6.2f} MB/s  {tokens / ours:6.2f} M tokens/s: {times}")
    return found


def packing(tokens: pa.ListArray) -> None:
    """Print millions of tokens a second of packing, unpacking and digesting."""
    ids = pa.array([f"shard/{i}" for i in range(len(tokens))])
    documents = pa.record_batch({schema.ID: ids, schema.TOKENS: tokens})
    millions = len(tokens.flatten()) / 1e6
    shard = pa.Table.from_batches(pack([documents], 2048))
    assert unpack(shard).column(schema.TOKENS).combine_chunks().equals(tokens)
    print(f"\npack: {len(tokens)} documents, {millions:.2f} M tokens")
    for name, function in (
        ("pack", lambda: list(pack([documents], 2048))),
        ("unpack", lambda: unpack(shard)),
        ("digests", lambda: tokens_digests(tokens)),
    ):
        print(f"  {name:8} {millions / best(function):8.0f} M tokens/s")
    print(f"  order    {len(ids) / best(lambda: order_keys(ids, 0)) / 1e6:8.2f} M documents/s")


def training(texts: list[str], vocabulary: int) -> None:
    """Print seconds of training a tokenizer."""
    column = pa.array(texts, pa.large_string())
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    took = best(lambda: train_tokenizer([column], TokenizeSettings(vocabulary=vocabulary)))
    print(f"\ntrain: {megabytes:.1f} MB, {vocabulary} tokens: {took:.2f} s of CPU, {megabytes / took:.1f} MB/s")


def main() -> None:
    """Run all parts."""
    tokenizer, *paths = sys.argv[1:]
    texts = texts_of([Path(path) for path in paths])
    packing(encoding(load_tokenizer(tokenizer), texts))
    training(texts, 32_768)
    print(f"\npeak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")


if __name__ == "__main__":
    main()
