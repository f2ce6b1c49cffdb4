"""datatrove's verdicts on all real texts, kept by the texts' digests: ``python tests/datatrove_golden.py`` writes them.

datatrove takes minutes for them. So a test compares ours with what is kept here, on all texts, and another runs
datatrove again on an eighth of the texts, chosen by digest, to see that what is kept is what datatrove says. The file
has no text: a row is a digest (XXH3, 64 bits), then datatrove's reason for each kind of words and each preset, in
datatrove's names, null where it keeps the text. ``spacy``: datatrove as it is. Others: datatrove given our words.
``c4_text`` is the digest of the text that its C4 filter leaves; null where it drops the page.
"""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash
from datatrove_filters import FILTERS, given_words, raw_verdict
from real_texts import real_texts

from gristmill.text import WORDS

FILE = Path(__file__).parent / "golden" / "datatrove-0.10.1.parquet"
C4_TEXT = "c4_text"
ON_WORDS = tuple(preset for preset in FILTERS if preset != "c4")
CASES = (*((preset, words) for words in WORDS for preset in ON_WORDS), ("c4", "spacy"))
"""What is kept: C4's filter splits sentences itself, which spaCy finds; it takes no words."""


def digest(text: str) -> int:
    """The digest that a text is known by."""
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))


def is_run_again(text: str) -> bool:
    """Whether the text is one of the eighth on which datatrove is run in each test."""
    return digest(text) % 8 == 0


def verdicts(texts: list[str], preset: str, words: str) -> list[tuple[str | None, str]]:
    """datatrove's reason for each text, or None, and what it leaves of it: untouched on spaCy's words, else on ours."""
    with nullcontext() if words == "spacy" else given_words(words):
        return [raw_verdict(preset, text) for text in texts]


def kept_verdicts(texts: list[str]) -> dict[str, list]:
    """What is kept of each text, by column. Raises KeyError for a text that is not among those of the file."""
    table = pq.read_table(FILE)
    rows = {known: row for row, known in enumerate(table.column("digest").to_pylist())}
    chosen = table.take(pa.array([rows[digest(text)] for text in texts], pa.int64()))
    return chosen.to_pydict()


def known_digests() -> set[int]:
    """The digests of the texts whose verdicts are kept."""
    return set(pq.read_table(FILE, columns=["digest"]).column(0).to_pylist())


def schema() -> pa.Schema:
    """The columns of the file; its metadata has the versions that it was made by."""
    return pq.read_schema(FILE)


def column(preset: str, words: str) -> str:
    """The name of a column of reasons."""
    return f"{preset}_{words}"


def write(texts: list[str]) -> None:
    """Run datatrove on the texts, and write the file."""
    texts = sorted(set(texts), key=digest)
    columns = {"digest": pa.array(map(digest, texts), pa.uint64())}
    for preset, words in CASES:
        start = time.monotonic()
        found = verdicts(texts, preset, words)
        reasons = pa.array([reason for reason, _ in found], pa.string())
        columns[column(preset, words)] = reasons.dictionary_encode()
        if preset == "c4":
            left = [None if reason else digest(text) for reason, text in found]
            columns[C4_TEXT] = pa.array(left, pa.uint64())
        print(f"{preset}, {words} words: {len(texts)} texts, {time.monotonic() - start:.0f} s", file=sys.stderr)
    made_by = {name: version(name) for name in ("datatrove", "spacy")}
    table = pa.table(columns).replace_schema_metadata(made_by)
    pq.write_table(table, FILE, compression="zstd", compression_level=19, use_dictionary=list(columns)[1:])


if __name__ == "__main__":
    write(real_texts(Path(__file__).resolve().parents[2] / "shared" / "data", longest=None))
