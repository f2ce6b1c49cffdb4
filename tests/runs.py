"""Finished runs written by hand, with the pipeline's own plan and writers: what a report must say of them is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from gristmill import schema
from gristmill.filters.rules.evaluate import Rule, evaluate
from gristmill.pipeline.manifest import write_manifest
from gristmill.pipeline.phases import as_batch, write_layer
from gristmill.pipeline.plan import Plan, Shard, Step, plan_to_json, with_digest
from gristmill.pipeline.run import PLAN_FILE, RECIPE_FILE, Run
from gristmill.pipeline.shards import ShardWriter
from gristmill.pipeline.stages.rules import deciding_step, rule_columns, step_rules
from gristmill.pipeline.storage import Folder

START = datetime(2024, 4, 21, 6, 24, 15, tzinfo=UTC)
RECIPE = "name: mill\nsource: {warc: crawl/*.warc.gz}\nstages: []\n"
SIGNALS = pa.schema(
    [schema.column("word_count", pa.int64(), "words"), schema.column("mean_word_length", pa.float64(), "characters")]
)
BYTES_PER_TOKEN = 4


@dataclass(frozen=True)
class Page:
    """A record and what is measured on it; a page with a ``fate`` has no text."""

    url: str | None = "http://example.org/"
    text: str | None = "a page of words"
    fate: str | None = None
    status: int | None = 200
    mime: str | None = "text/html"
    charset: str | None = "utf-8"
    language: str = "en"
    score: float = 0.9
    word_count: int = 100
    mean_word_length: float = 5.0
    duplicate_of: str | None = None
    cluster_size: int = 1
    benchmark: str | None = None
    item: str | None = None


PAGES = {
    "one": [
        Page("http://example.org/kept", "kept and counted", cluster_size=2),
        Page("http://example.org/short", "few words", word_count=20),
        Page("http://www.example.org/odd", "odd words", word_count=20, mean_word_length=2.0),
        Page("http://example.org/copy", "kept and counted", duplicate_of="one/0", cluster_size=2),
        Page("http://example.net/404", fate="extract.status", status=404),
        Page("http://example.net/bild.pdf", fate="extract.media_type", mime="application/pdf", charset=None),
    ],
    "two": [
        Page("http://example.de/seite", "eine Seite mit Worten", language="de", score=0.55),
        Page("http://example.fr/page", "une page", language="fr"),
        Page("http://example.org/kept", "kept at another time", score=0.7),
        Page("http://example.org/quoted", "what Natalia sold", benchmark="gsm8k", item="test-1"),
        Page(None, "without address", mean_word_length=4.5),
        Page("http://example.org/unsure", "hm", score=0.3),
    ],
}

HOSTILE = [
    "http://<script>alert(1)<",
    'http://"><img src=x onerror=alert(1)>',
    "http://a' onmouseover='x",
    "http://x[link](javascript",
    "http://`code`|cell|",
    "http://\n---\nlicense: evil\n",
    "http://\x1b[31mred\x07\u202e",
    "http://[bold red]markup[/bold red]:smile:",
    "http://**bold**_it_~~x~~<b>",
    "javascript:alert(1)",
    "http://&amp;&lt;b&gt;",
]


QUALITY = (
    Rule("gopher_quality", "word_count", "min", 50),
    Rule("gopher_quality", "word_count", "max", 100_000),
    Rule("gopher_quality", "mean_word_length", "min", 3),
    Rule("gopher_quality", "mean_word_length", "max", 10),
)


def plan_of(shards, name="mill", rules=QUALITY, warn=True):
    """Return a plan of every kind of stage over shards of these names, whose filter has these rules."""
    steps = []
    for step in _steps(rules, warn):
        steps.append(with_digest(step, steps))
    return Plan(name, tuple(Shard(s, f"crawl/{s}.warc.gz", "0" * 32) for s in shards), tuple(steps))


def build_run(folder, pages, until="tokenize", rules=QUALITY, warn=True):
    """Write the run of ``pages``, lists of `Page` by shard, up to a stage; return it."""
    run = Run(Folder(str(folder)), plan_of(pages, rules=rules, warn=warn))
    run.folder.write_bytes(RECIPE_FILE, RECIPE.encode())
    run.folder.write_json(PLAN_FILE, plan_to_json(run.plan))
    stages = run.plan.stages()
    for step in run.plan.steps:
        if stages.index(step.stage) <= stages.index(until):
            for shard in run.plan.shards:
                WRITERS[step.kind](run, step, shard, pages[shard.name])
    if until == "tokenize":
        _write_index(run)
    write_manifest(run)
    return run


def _steps(rules, warn):
    deciders = ("extract", "language.keep", "filter", "dedup", "decontaminate.keep")
    language = (
        Rule("language", schema.LANGUAGE, "in", ("en", "de")),
        Rule("language", schema.LANGUAGE_SCORE, "min", 0.65, where=(schema.LANGUAGE, ("en",))),
        Rule("language", schema.LANGUAGE_SCORE, "min", 0.5, where=(schema.LANGUAGE, ("de",))),
    )
    contamination = (Rule("decontaminate", schema.CONTAMINATED_NGRAM_COUNT, "max", 0),)
    text = ("extract",)
    benchmarks = {"benchmarks": [{"path": "gsm8k.jsonl", "name": "gsm8k"}], "ngram": 13}
    found = tuple(schema.CONTAMINATION_LAYER.names)
    return [
        Step("extract", "extract", "extract", {"extractor": "trafilatura"}, decides=True),
        Step("language", "language", "language", {"model": "lid176"}, text, columns=tuple(schema.LANGUAGE_LAYER.names)),
        deciding_step("language.keep", "language", language, ("language",)),
        Step("signals", "signals", "signals", {"families": ["gopher_quality"]}, text, columns=tuple(SIGNALS.names)),
        deciding_step("filter", "filter", rules, ("language", "signals"), warn=warn),
        Step("dedup", "dedup", "dedup", {"exact": "text"}, deciders[:3], decides=True, scope="corpus"),
        Step("decontaminate", "decontaminate", "contamination", benchmarks, text, columns=found),
        deciding_step("decontaminate.keep", "decontaminate", contamination, ("decontaminate",)),
        Step("tokenize", "tokenize", "tokenize", {"sequence_length": 2048}, deciders, scope="corpus"),
    ]


def _write_documents(run, step, shard, pages):
    columns = {
        schema.ID: [f"{shard.name}/{1000 * row}" for row in range(len(pages))],
        schema.URL: [page.url for page in pages],
        schema.DATE: [START + timedelta(hours=row) for row in range(len(pages))],
        schema.WARC: [f"{shard.name}.warc.gz" for _ in pages],
        schema.OFFSET: [1000 * row for row in range(len(pages))],
        schema.STATUS: [page.status for page in pages],
        schema.MIME: [page.mime for page in pages],
        schema.CHARSET: [page.charset for page in pages],
        schema.BODY_BYTES: [2048 for _ in pages],
        schema.TEXT: [_text(page) for page in pages],
        schema.TEXT_BYTES: [_size(page) for page in pages],
        schema.FATE: [page.fate for page in pages],
    }
    with run.folder.writing(run.file(step, shard)) as sink:
        writer = ShardWriter(sink, schema.DOCUMENTS, run.digest(step, shard))
        all_columns = {name: columns.get(name, [None] * len(pages)) for name in schema.DOCUMENTS.names}
        writer.write(as_batch(pa.table(all_columns, schema=schema.DOCUMENTS)))
        writer.counts = {"records": {"warcinfo": 1, "request": len(pages), "response": len(pages)}}
        writer.close()


def _write_language(run, step, shard, pages):
    columns = {
        schema.LANGUAGE: [None if page.fate else page.language for page in pages],
        schema.LANGUAGE_SCORE: [None if page.fate else page.score for page in pages],
    }
    _write(run, step, shard, columns, schema.LANGUAGE_LAYER)


def _write_signals(run, step, shard, pages):
    columns = {name: [None if page.fate else getattr(page, name) for page in pages] for name in SIGNALS.names}
    _write(run, step, shard, columns, SIGNALS)


def _write_rules(run, step, shard, pages):
    batch = evaluate(step_rules(step), rule_columns(run, step, shard), len(pages))
    write_layer(run, step, shard, [batch], columns=schema.DECISIONS)


def _write_duplicates(run, step, shard, pages):
    compared = run.kept(run.plan.deciders_before(step), shard).to_pylist()
    ids = run.read(run.plan.text_step, shard, [schema.ID]).column(0).to_pylist()
    clusters = [page.duplicate_of or i if c else None for page, i, c in zip(pages, ids, compared, strict=True)]
    columns = {
        schema.KEEP: [page.duplicate_of is None for page in pages],
        schema.REASON: [page.duplicate_of and "dedup.exact" for page in pages],
        schema.REASONS: [["dedup.exact"] if page.duplicate_of else [] for page in pages],
        schema.DUPLICATE_OF: [page.duplicate_of for page in pages],
        schema.CLUSTER_ID: clusters,
        schema.CLUSTER_SIZE: [page.cluster_size if c else None for page, c in zip(pages, compared, strict=True)],
    }
    _write(run, step, shard, columns, schema.DUPLICATES)


def _write_contamination(run, step, shard, pages):
    found = [None if page.fate else int(page.benchmark is not None) for page in pages]
    none = [None if page.fate else 0 for page in pages]
    columns = {
        schema.CONTAMINATED_NGRAM_COUNT: found,
        schema.CONTAMINATED_NGRAM_RATIO: [None if count is None else float(count) for count in found],
        schema.BENCHMARK: [page.benchmark for page in pages],
        schema.BENCHMARK_ITEM: [page.item for page in pages],
        schema.CONTAMINATED_SHORT_COUNT: none,
        schema.CONTAMINATED_ITEM_COUNT: found,
        schema.CONTAMINATED_ITEM_RATIO: [None if count is None else 0.5 * count for count in found],
        schema.CONTAMINATED_WORD_COUNT: [None if count is None else 13 * count for count in found],
        schema.CONTAMINATION_ACTION: [page.benchmark and "drop_document" for page in pages],
    }
    _write(run, step, shard, columns, schema.CONTAMINATION_LAYER)


def _write_tokens(run, step, shard, pages):
    kept = run.kept(run.plan.deciders_before(step), shard).to_pylist()
    sizes = [_size(page) if k else None for page, k in zip(pages, kept, strict=True)]
    columns = {
        schema.TOKEN_COUNT: [None if size is None else size // BYTES_PER_TOKEN for size in sizes],
        schema.TEXT_BYTES: sizes,
        schema.TOKENS_DIGEST: [None if size is None else 0 for size in sizes],
    }
    _write(run, step, shard, columns, schema.TOKENS_LAYER)


def _write_index(run):
    step = run.plan.step("tokenize")
    rows = [row for shard in run.plan.shards for row in run.read(step, shard).to_pylist()]
    tokens = sum(row[schema.TOKEN_COUNT] or 0 for row in rows)
    text_bytes = sum(row[schema.TEXT_BYTES] or 0 for row in rows)
    index = {
        "format": 1,
        "sequence_length": 2048,
        "token_type": "uint16",
        "vocabulary_size": 300,
        "tokenizer": {"file": "tokenizer.json", "sha256": "0" * 64},
        "order": "documents by xxh3_64 of their id, seed 0",
        "documents": sum(row[schema.TOKEN_COUNT] is not None for row in rows),
        "tokens": tokens,
        "text_bytes": text_bytes,
        "bytes_per_token": round(text_bytes / tokens, 4) if tokens else None,
        "shards": [{"file": "train-00000-of-00001.parquet", "tokens": tokens}],
        "computed_from": run.corpus_digest(step),
    }
    run.folder.write_json("tokens/index.json", index)


def _write(run, step, shard, columns, layer):
    write_layer(run, step, shard, [as_batch(pa.table(columns, schema=layer))], columns=layer)


def _text(page):
    return None if page.fate else page.text


def _size(page):
    return None if page.fate else len(page.text.encode())


WRITERS = {
    "extract": _write_documents,
    "language": _write_language,
    "signals": _write_signals,
    "rules": _write_rules,
    "dedup": _write_duplicates,
    "contamination": _write_contamination,
    "tokenize": _write_tokens,
}
