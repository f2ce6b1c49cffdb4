"""Every table that gristmill writes: column names, Arrow types, meaning. The only home of column strings.

A table is an Arrow schema whose fields carry their meaning as metadata, so a Parquet file explains itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

# documents: one row per record, written once by `extract`
ID = "id"
URL = "url"
DATE = "date"
HTTP_DATE = "http_date"
WARC = "warc"
OFFSET = "offset"
STATUS = "status"
MIME = "mime"
CHARSET = "charset"
CHARSET_SOURCE = "charset_source"
BODY_BYTES = "body_bytes"
TEXT = "text"
FATE = "fate"
FATE_DETAIL = "fate_detail"
EXTRACTOR = "extractor"
TITLE = "title"
PUBLISHED = "published"
LICENCE = "licence"

# ranges: what an index query answers
LENGTH = "length"

# decisions
KEEP = "keep"
REASON = "reason"
REASONS = "reasons"
DUPLICATE_OF = "duplicate_of"
CLUSTER_ID = "cluster_id"
CLUSTER_SIZE = "cluster_size"
SIMILARITY = "similarity"
COMPONENT_SIZE = "component_size"

# annotations
LANGUAGE = "language"
LANGUAGE_SCORE = "language_score"
PERPLEXITY = "perplexity"
LINE_PERPLEXITIES = "line_perplexities"
MEDIAN_LINE_PERPLEXITY = "median_line_perplexity"
MAX_LINE_PERPLEXITY = "max_line_perplexity"
PERPLEXITY_BUCKET = "perplexity_bucket"
MIXED_LANGUAGE_RATIO = "mixed_language_ratio"
JUDGED_LINE_RATIO = "judged_line_ratio"
CONTAMINATED_NGRAM_COUNT = "contaminated_ngram_count"
CONTAMINATED_NGRAM_RATIO = "contaminated_ngram_ratio"
CONTAMINATED_SHORT_COUNT = "contaminated_short_count"
CONTAMINATED_ITEM_COUNT = "contaminated_item_count"
CONTAMINATED_ITEM_RATIO = "contaminated_item_ratio"
CONTAMINATED_WORD_COUNT = "contaminated_word_count"
CONTAMINATION_ACTION = "contamination_action"
CONTAMINATION_CUT_COUNT = "contamination_cut_count"
CHARACTERS_LEFT = "characters_left"
BENCHMARK = "benchmark"
BENCHMARK_ITEM = "benchmark_item"

SCORE_BUCKET = "score_bucket"
SCORE_BUCKET_MEAN = "score_bucket_mean"
# buckets of an ensemble: what follows a column's name
OF_RANK_BUCKET = "_rank_bucket"
IMPORTANCE_WORD_COUNT = "importance_word_count"
IMPORTANCE_LOG_WEIGHT = "importance_log_weight"
IMPORTANCE_KEY = "importance_key"
# scores of classifiers: what follows a classifier's name
OF_SCORE = "_score"
OF_PROBABILITY = "_probability"
OF_BUCKET = "_bucket"

# edits
EDITS = "edits"
START = "start"
END = "end"
REPLACEMENT = "replacement"
EDIT_COUNT = "edit_count"
CUT_BYTE_RATIO = "cut_byte_ratio"

# tokens
TOKENS = "tokens"
TOKEN_COUNT = "token_count"
TEXT_BYTES = "text_bytes"
TOKENS_DIGEST = "tokens_digest"
DOCUMENT_IDS = "document_ids"
DOCUMENT_LENGTHS = "document_lengths"

# the exchange, and the ledger
SHARD = "shard"
ROW = "row"
KEY = "key"
DIGEST = "digest"
NODE = "node"
SIGNATURE = "signature"
FINGERPRINT = "fingerprint"
SHINGLES = "shingles"
ORDER = "order"
TIE = "tie"
PLACE = "place"
SCOPE = "scope"
OLDER = "older"
SEEN = "seen"
AGAIN = "again"
POSITION = "position"
IS_SEVERAL = "is_several"
KEPT = "kept"
STAGE = "stage"
COLUMN = "column"
GROUP = "group"
WEIGHT = "weight"
DOCUMENT_COUNT = "document_count"
BELOW = "below"
TOTAL = "total"

# deciding again
RULE = "rule"
BOUND = "bound"
IS_CURRENT = "is_current"
DOCUMENTS_IN = "documents_in"
DOCUMENTS_KEPT = "documents_kept"
BYTES_IN = "bytes_in"
BYTES_KEPT = "bytes_kept"
HITS = "hits"
ALONE = "alone"
ALONE_BYTES = "alone_bytes"
OVERLAP = "overlap"
BEFORE = "_before"
AFTER = "_after"


def column(name: str, kind: pa.DataType, meaning: str, *, nullable: bool = True) -> pa.Field:
    """Return a field that carries its meaning in its metadata.

    >>> column("url", pa.string(), "address as crawled").metadata
    {b'meaning': b'address as crawled'}
    """
    return pa.field(name, kind, nullable=nullable, metadata={"meaning": meaning})


DOCUMENTS = pa.schema(
    [
        column(ID, pa.string(), "<shard>/<offset>: unique in a run, and says where the record lies", nullable=False),
        column(URL, pa.string(), "WARC-Target-URI as recorded; null for a record that has none"),
        column(DATE, pa.timestamp("ms", tz="UTC"), "WARC-Date: when the page was fetched; null if it cannot be read"),
        column(HTTP_DATE, pa.timestamp("ms", tz="UTC"), "the HTTP Date header; null if absent or unreadable"),
        column(WARC, pa.string(), "name of the WARC file, without its folder", nullable=False),
        column(OFFSET, pa.int64(), "where the record, or its gzip member, begins in that file", nullable=False),
        column(STATUS, pa.int32(), "HTTP status code; null if there is no readable status line"),
        column(MIME, pa.string(), "media type of the HTTP Content-Type, lower case, no parameters; null if absent"),
        column(CHARSET, pa.string(), "charset that the body was decoded with; null if it was not decoded"),
        column(CHARSET_SOURCE, pa.string(), "bom, bytes, http, warc, meta or detected told it; null if not decoded"),
        column(BODY_BYTES, pa.int64(), "bytes of the HTTP body, content-encoding undone; null if unknown"),
        column(TEXT, pa.large_string(), "extracted text; null exactly when `fate` says why there is none"),
        column(TEXT_BYTES, pa.int64(), "UTF-8 bytes of `text`; null if there is no text"),
        column(FATE, pa.string(), "reason code for having no text, such as `extract.status`; null if there is one"),
        column(
            FATE_DETAIL, pa.string(), "what the fate rests on, such as the domain or the word found; null if no more"
        ),
        column(EXTRACTOR, pa.string(), "what found the text in the page; null without text, and for plain text"),
    ]
)

PAGE_COLUMNS = pa.schema(
    [
        column(LICENCE, pa.string(), "where the page links its licence, as written; null if nowhere, or without text"),
        column(PUBLISHED, pa.string(), "date of publication as the page writes it; null if it does not"),
        column(TITLE, pa.string(), "the page's title, one line of at most 500 characters; null if it has none"),
    ]
)
"""What documents have only where a recipe asks for it."""


def documents(columns: Sequence[str] = ()) -> pa.Schema:
    """Return the documents table with these columns of `PAGE_COLUMNS` at its end, in their order.

    >>> documents(["title"]).names == [*DOCUMENTS.names, "title"]
    True
    """
    return pa.schema([*DOCUMENTS, *(PAGE_COLUMNS.field(name) for name in columns)])


RANGES = pa.schema(
    [
        column(WARC, pa.string(), "path of the WARC file below the place where the crawl lies", nullable=False),
        column(OFFSET, pa.int64(), "where the record begins in that file", nullable=False),
        column(LENGTH, pa.int64(), "bytes that it takes there", nullable=False),
        column(URL, pa.string(), "address as crawled, as the index has it", nullable=False),
    ]
)

LANGUAGE_LAYER = pa.schema(
    [
        column(LANGUAGE, pa.string(), "most likely language as the model labels it; null if there is no text"),
        column(LANGUAGE_SCORE, pa.float64(), "the model's probability of that label; null if there is no text"),
    ]
)

DECISIONS = pa.schema(
    [
        column(KEEP, pa.bool_(), "true exactly when `reasons` is empty", nullable=False),
        column(REASON, pa.string(), "the first reason in the order of the rules; null if kept"),
        column(REASONS, pa.list_(pa.string()), "every reason, in the order of the rules", nullable=False),
    ]
)

DUPLICATES = pa.schema(
    [
        *DECISIONS,
        column(
            DUPLICATE_OF,
            pa.string(),
            "id of the survivor that it duplicates, `<run>:<id>` if an older run has it, `<run>:` if that is known by "
            "64-bit keys or a Bloom filter alone; else null",
        ),
        column(CLUSTER_ID, pa.string(), "id of its cluster's survivor, its own if it survives; null if not compared"),
        column(CLUSTER_SIZE, pa.int64(), "documents of this run in its cluster, itself included; null if not compared"),
    ]
)

NEAR_DUPLICATES = pa.schema(
    [
        *DUPLICATES,
        column(
            SIMILARITY,
            pa.float64(),
            "to the survivor: Jaccard (estimated or exact), or the share of equal bits; null if not dropped",
        ),
        column(
            COMPONENT_SIZE,
            pa.int64(),
            "documents of this run that candidates join to it, in any number of steps; null if it is in no pair",
        ),
    ]
)

CONTAMINATION_LAYER = pa.schema(
    [
        column(CONTAMINATED_NGRAM_COUNT, pa.int64(), "n-grams of the text that a benchmark has; null without text"),
        column(CONTAMINATED_NGRAM_RATIO, pa.float64(), "those / all n-grams of the text; 0.0 if it has none"),
        column(BENCHMARK, pa.string(), "benchmark of the first n-gram found; null if none"),
        column(BENCHMARK_ITEM, pa.string(), "id of the item of the first n-gram found; null if none"),
        column(CONTAMINATED_SHORT_COUNT, pa.int64(), "short items that it has whole"),
        column(CONTAMINATED_ITEM_COUNT, pa.int64(), "items of which it has an n-gram, or a short text as a whole"),
        column(CONTAMINATED_ITEM_RATIO, pa.float64(), "words of an item that it has / words of the item, the highest"),
        column(CONTAMINATED_WORD_COUNT, pa.int64(), "words of the longest match; 0 if there is none"),
        column(CONTAMINATION_ACTION, pa.string(), "the gravest action of the benchmarks found; null if none is"),
    ]
)

EDIT = pa.struct(
    [
        column(START, pa.int64(), "byte of the text that the step read, where the span starts", nullable=False),
        column(END, pa.int64(), "byte after the span", nullable=False),
        column(
            REPLACEMENT, pa.string(), "what stands in the span's place; empty if it is only deleted", nullable=False
        ),
        column(REASON, pa.string(), "why, such as `c4_lines.policy`", nullable=False),
    ]
)

EDITS_LAYER = pa.schema(
    [
        column(EDITS, pa.list_(EDIT), "spans cut or replaced, in order, without overlap; null if there is no text"),
        column(TEXT_BYTES, pa.int64(), "UTF-8 bytes of the text after the edit; null if there is no text"),
    ]
)

CONTAMINATION_CUTS = pa.schema(
    [
        *EDITS_LAYER,
        column(CONTAMINATION_CUT_COUNT, pa.int64(), "spans cut around what is of an item; null without text"),
        column(CHARACTERS_LEFT, pa.int64(), "characters that the cuts leave; null if none is made"),
    ]
)

CUTS_LAYER = pa.schema(
    [
        *EDITS_LAYER,
        column(EDIT_COUNT, pa.int64(), "spans cut; null if it was not compared"),
        column(CUT_BYTE_RATIO, pa.float64(), "bytes cut / bytes before; 0.0 for the empty text; null if not compared"),
    ]
)
"""What a deduplication has that cuts spans; a kind may have more columns."""

FATES = pa.schema(
    [
        column(ID, pa.string(), "document id", nullable=False),
        column(URL, pa.string(), "address as crawled"),
        column(SHARD, pa.string(), "shard of the document", nullable=False),
        column(ROW, pa.int64(), "row in that shard, from 0", nullable=False),
        column(KEPT, pa.bool_(), "true if every stage kept it", nullable=False),
        column(STAGE, pa.string(), "stage that dropped it; null if kept"),
        column(REASON, pa.string(), "first reason of that stage; null if kept"),
        column(REASONS, pa.list_(pa.string()), "every reason of that stage, in the order of the rules", nullable=False),
        column(DUPLICATE_OF, pa.string(), "id of the survivor it duplicates; null if it is no duplicate"),
        column(
            FATE_DETAIL, pa.string(), "what the reason rests on, such as the domain or the word found; null if no more"
        ),
    ]
)


SWEEP = pa.schema(
    [
        column(RULE, pa.string(), "reason code of the rule", nullable=False),
        column(STAGE, pa.string(), "its stage", nullable=False),
        column(BOUND, pa.float64(), "the bound that is tried", nullable=False),
        column(IS_CURRENT, pa.bool_(), "true for the bound that the run has", nullable=False),
        column(DOCUMENTS_IN, pa.int64(), "documents that came into the stage", nullable=False),
        column(DOCUMENTS_KEPT, pa.int64(), "those that the stage would keep", nullable=False),
        column(BYTES_IN, pa.int64(), "UTF-8 bytes of the texts that came in", nullable=False),
        column(BYTES_KEPT, pa.int64(), "those that the stage would keep", nullable=False),
        column(HITS, pa.int64(), "documents that the rule would drop", nullable=False),
        column(ALONE, pa.int64(), "those that no other rule of the stage drops", nullable=False),
        column(ALONE_BYTES, pa.int64(), "UTF-8 bytes of the texts of those", nullable=False),
        column(
            OVERLAP,
            pa.list_(pa.struct([pa.field(RULE, pa.string()), pa.field(HITS, pa.int64())])),
            "other rules of the stage with the documents of `hits` that they drop too, the most first",
            nullable=False,
        ),
    ]
)


def _of_a_run(when: str) -> list[pa.Field]:
    """Return the columns of a comparison that tell of one of the two runs."""
    return [
        column(KEPT + when, pa.bool_(), "true if every stage of that run kept it", nullable=False),
        column(STAGE + when, pa.string(), "stage that dropped it; null if kept"),
        column(REASON + when, pa.string(), "first reason of that stage; null if kept"),
        column(REASONS + when, pa.list_(pa.string()), "every reason of that stage", nullable=False),
        column(TEXT_BYTES + when, pa.int64(), "UTF-8 bytes of its text; null if it has none"),
    ]


CHANGES = pa.schema(
    [
        column(ID, pa.string(), "document id", nullable=False),
        column(URL, pa.string(), "address as crawled"),
        *_of_a_run(BEFORE),
        *_of_a_run(AFTER),
    ]
)

TOKENS_LAYER = pa.schema(
    [
        column(TOKEN_COUNT, pa.int64(), "tokens of the document, the end-of-text token included; null if dropped"),
        column(TEXT_BYTES, pa.int64(), "UTF-8 bytes of the text; null if dropped"),
        column(TOKENS_DIGEST, pa.uint64(), "xxh3_64 of the tokens' little-endian bytes; null if dropped"),
    ]
)


def encoded(token: pa.DataType) -> pa.Schema:
    """Return the table of encoded documents on their way to the packing; ``token`` is uint16 or uint32."""
    return pa.schema(
        [
            column(KEY, pa.uint64(), "place in the global order; documents with the same key are in order of id"),
            column(ID, pa.string(), "document id", nullable=False),
            column(TOKENS, pa.list_(token), "token ids of the whole document, end-of-text token last"),
        ]
    )


def packed(token: pa.DataType) -> pa.Schema:
    """Return the table of a token shard: one row per training sequence; ``token`` is uint16 or uint32."""
    return pa.schema(
        [
            column(TOKENS, pa.list_(token), "token ids; the last sequence of a shard may be shorter", nullable=False),
            column(DOCUMENT_IDS, pa.list_(pa.string()), "documents in the sequence, in order", nullable=False),
            column(DOCUMENT_LENGTHS, pa.list_(pa.int32()), "tokens of each of them in this sequence", nullable=False),
        ]
    )
