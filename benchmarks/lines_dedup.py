"""Lines and sentences against datatrove's SentenceDedup, on the same texts, in one run; n-grams of paragraphs beside.

    python benchmarks/lines_dedup.py [--text FILE] [--documents 300] [--rounds 5]

FILE as in benchmarks/signals.py. One core, CPU seconds, the median of the rounds. Both make keys, find what repeats and
cut it: here from arrays to edited texts, through the tables that the exchange carries; there from documents to
documents, through its files, as it is written, with SHA-1. Then how many bytes a key takes, in memory and in a file.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.pipeline.dedup.sentence_dedup import (
    SentDedupConfig,
    SentenceDedupFilter,
    SentenceDedupSignature,
    SentenceFindDedups,
)
from datatrove.utils.hashing import HashConfig
from datatrove.utils.logging import logger
from datatrove.utils.text import TextNormConfig
from signals import arguments, medians, read_texts

from gristmill import schema
from gristmill.dedup.lines.cuts import cut_spans, spread
from gristmill.dedup.lines.paragraphs import ngrams_of
from gristmill.dedup.lines.repeats import repeats, seen
from gristmill.dedup.lines.settings import LinesSettings, ParagraphsSettings
from gristmill.dedup.lines.units import Compared, Units, units_of, windows
from gristmill.filters.edits.spans import Kind, apply_edits, cuts_of_spans, edit_column
from gristmill.pipeline.stages.dedup.pieces import keys_of
from gristmill.text import TextBatch

AS_WRITTEN = TextNormConfig(
    lowercase=False, norm_whitespace=False, remove_punctuation=False, norm_unicode_diacritics=False, norm_numbers=False
)
LINES = {
    "ccnet": LinesSettings(),
    "text": LinesSettings(equal="text"),
    "llama3": LinesSettings(meaning="llama3"),
    "c4": LinesSettings(meaning="c4"),
    "c4, spaCy": LinesSettings(meaning="c4", words="spacy"),
}


def main() -> None:
    """Check what stays of each line, time each way in turn, and print tables."""
    options = arguments(__doc__)
    logger.remove()
    name, texts = read_texts(options.text, options.documents)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{name}: {len(texts)} documents, {megabytes:.2f} MB, {options.rounds} rounds, one core")
    members = _members(texts)
    peers = {
        "text": SentDedupConfig(1, False, norm_config=AS_WRITTEN),
        "c4, spaCy": SentDedupConfig(3, True, norm_config=AS_WRITTEN),
    }
    ways: dict[str, Callable[[], object]] = {name: lambda own=own: cut(members, own) for name, own in LINES.items()}
    ways |= {f"{name}, keys": lambda own=own: keys(members, own) for name, own in LINES.items()}
    ways |= {"paragraphs": lambda: seen(paragraphs(members)), "paragraphs, keys": lambda: paragraphs(members)}
    ways |= {f"datatrove {name}": lambda config=config: datatrove(texts, config) for name, config in peers.items()}
    seconds = medians(ways, options.rounds)
    print(f"{'':24}{'MB/s':>9}{'×':>8}")
    for way, median in seconds.items():
        peer = seconds.get(f"datatrove {way}")
        print(f"{way:24}{megabytes / median:9.2f}{f'{peer / median:8.1f}' if peer else ''}")
    print(f"{'':24}{'keys':>9}{'a key, of text':>16}{'in memory':>11}{'in a file':>11}  bytes")
    for way in ("ccnet", "c4"):
        _sizes(way, keys(members, LINES[way])[1], megabytes)
    _sizes("paragraphs", paragraphs(members), megabytes)


def _members(texts: list[str]) -> pa.Table:
    """Return texts as documents that the exchange carries."""
    rows = np.arange(len(texts))
    columns = {
        schema.ORDER: pa.array(rows, pa.uint64()),
        schema.ID: pa.array([f"CC-MAIN-20240421062415-00000/{n}" for n in rows]),
        schema.SHARD: pa.repeat(pa.scalar("CC-MAIN-20240421062415-00000"), len(rows)),
        schema.ROW: pa.array(rows),
        schema.SCOPE: pa.nulls(len(rows), pa.string()),
        schema.TEXT: pa.array(texts, pa.large_string()),
    }
    return pa.table(columns)


def keys(members: pa.Table, own: LinesSettings) -> tuple[tuple[TextBatch, Units], pa.Table]:
    """Return the units of texts, and what travels of them."""
    batch = TextBatch(members.column(schema.TEXT).combine_chunks(), own.words)
    units = units_of(batch, own)
    return (batch, units), keys_of(members, windows(units, own.meant.span))


def cut(members: pa.Table, own: LinesSettings) -> pa.Array:
    """Return the texts without what repeats."""
    (batch, units), table = keys(members, own)
    gone = repeats(table, own.meant, members.num_rows)
    rows, places = (np.asarray(gone.column(name), np.int64) for name in (schema.ROW, schema.PLACE))
    chosen = spread(units.counts[rows] + places, own.meant.span, len(units.keys))
    row, start, end = cut_spans(batch, units, chosen)
    spans = (start + batch.offsets[row], end + batch.offsets[row], np.zeros(len(row), np.int64))
    return apply_edits(batch.texts, edit_column(batch, cuts_of_spans(batch, spans, (Kind("lines.repeated"),))))


def paragraphs(members: pa.Table) -> pa.Table:
    """Return what travels of the n-grams of paragraphs."""
    found: Compared = ngrams_of(TextBatch(members.column(schema.TEXT).combine_chunks()), ParagraphsSettings())
    return keys_of(members, found)


def datatrove(texts: list[str], config: SentDedupConfig) -> list[str]:
    """Return what datatrove's three steps leave of texts."""
    config.hash_config = HashConfig(hash_fc="sha1")
    config.min_doc_words = config.min_num_sentences = 0
    documents = [Document(text, str(number)) for number, text in enumerate(texts)]
    with tempfile.TemporaryDirectory() as folder:
        SentenceDedupSignature(f"{folder}/signatures", config=config).run(documents)
        SentenceFindDedups(f"{folder}/signatures", f"{folder}/copies", config=config).run()
        found = SentenceDedupFilter(f"{folder}/copies", config=config).run(documents)
        return [document.text for document in found]


def _sizes(way: str, table: pa.Table, megabytes: float) -> None:
    """Print how many bytes of text there are for a key, and how many a key takes."""
    file = io.BytesIO()
    pq.write_table(table.sort_by([(schema.ROW, "ascending")]), file, compression="zstd", compression_level=3)
    rows = table.num_rows
    print(f"{way:24}{rows:9,}{megabytes * 1e6 / rows:16.1f}{table.nbytes / rows:11.1f}{file.tell() / rows:11.1f}")


if __name__ == "__main__":
    main()
