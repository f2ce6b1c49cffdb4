"""tokenize: what every stage kept becomes token shards, in a global order that no worker can change.

tokenizer   the tokenizer.json that is named, or one trained on a hash-chosen sample of the kept documents
encode      shard        -> its documents' tokens, split among partitions by the hash that orders them
pack        token shard  -> its range of that order, cut into training sequences
index       index.json and tokenizer.json beside the token shards
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.errors import MissingError, ShardError
from gristmill.pipeline import shards
from gristmill.pipeline.exchange import KeyFiles
from gristmill.pipeline.phases import Phase, shard_phase, whole_phase, write_layer
from gristmill.pipeline.plan import Shard, Step, digest_of
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.recipe import RecipeStage
from gristmill.pipeline.run import Run
from gristmill.tokenize.encode import Encoder, load_tokenizer, versions
from gristmill.tokenize.order import order_keys
from gristmill.tokenize.pack import pack, tokens_digests
from gristmill.tokenize.settings import TokenizeSettings
from gristmill.tokenize.shards import ShardFacts, index, key_range, shard_count, shard_names
from gristmill.tokenize.train import chosen, train_tokenizer

TOKENS = "tokens"
INDEX = f"{TOKENS}/index.json"
SPLIT = "train"


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that makes token shards of what every stage kept.

    Raises MissingError and UsageError for a tokenizer that is not there or cannot be used.
    """
    settings = stage.settings
    assert isinstance(settings, TokenizeSettings)
    known = dict(versions())
    if settings.tokenizer is not None:
        known["tokenizer"] = Encoder(load_tokenizer(settings.tokenizer), settings.end_of_text).digest
    name = planning.name_for("tokenize")
    return [
        Step(
            name=name,
            stage=name,
            kind="tokenize",
            settings=settings.model_dump(mode="json"),
            places=("tokenizer",),
            inputs=planning.inputs_of_kept_texts(),
            versions=known,
            scope="corpus",
        )
    ]


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the four phases."""
    work = Tokenization(run, step)
    return (
        whole_phase("tokenizer", lambda: ["tokenizer"], work.has_tokenizer, work.make_tokenizer),
        shard_phase(run, step, work.encode),
        whole_phase("pack", work.token_shards, work.is_packed, work.pack),
        whole_phase("index", lambda: ["index"], work.is_indexed, work.write_index),
    )


@dataclass(frozen=True)
class Tokenization:
    """The work of one tokenize step."""

    run: Run
    step: Step

    @cached_property
    def settings(self) -> TokenizeSettings:
        """The recipe's settings."""
        return TokenizeSettings.model_validate(dict(self.step.settings))

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of the run's tokenizer. Raises MissingError before it is made."""
        return Encoder(self.run.folder.read_bytes(self._tokenizer), self.settings.end_of_text)

    @cached_property
    def keys(self) -> KeyFiles:
        """Where encoded documents lie between the encode and the pack phase."""
        return KeyFiles(self.run, self.step, schema.encoded(self.encoder.token_type), corpus=True)

    @cached_property
    def total(self) -> int:
        """Tokens of all shards. Raises MissingError before they are encoded."""
        return sum(self.run.footer(self.step, shard).counts[schema.TOKEN_COUNT] for shard in self.run.plan.shards)

    def has_tokenizer(self, _: str) -> bool:
        """Return whether the tokenizer is there as it was made, from what the plan names."""
        return self._holds(self._tokenizer, self._made_from, {"digest": self.run.corpus_digest(self.step)})

    def make_tokenizer(self, _: str, progress: Progress) -> None:
        """Copy the tokenizer that is named, or train one."""
        folder = self.run.folder
        folder.remove(self._made_from)
        if self.settings.tokenizer is not None:
            folder.write_bytes(self._tokenizer, load_tokenizer(self.settings.tokenizer))
        else:
            folder.write_bytes(self._tokenizer, train_tokenizer(self._training_texts(progress), self.settings))
        made = hashlib.sha256(folder.read_bytes(self._tokenizer)).hexdigest()
        folder.write_json(self._made_from, {"digest": self.run.corpus_digest(self.step), "sha256": made})

    def encode(self, shard: Shard, progress: Progress) -> None:
        """Write a shard's encoded documents, then the layer that counts them."""
        layer: list[pa.RecordBatch] = []
        self.keys.write(shard, self._encoded(shard, layer, progress))
        counted = pa.Table.from_batches(layer, schema.TOKENS_LAYER)
        sums = {name: pc.sum(counted.column(name)).as_py() or 0 for name in (schema.TOKEN_COUNT, schema.TEXT_BYTES)}
        write_layer(self.run, self.step, shard, layer, columns=schema.TOKENS_LAYER, counts=sums)

    def token_shards(self) -> list[str]:
        """Return the names of the token shards that the tokens fill."""
        return list(shard_names(SPLIT, shard_count(self.total, self.settings)))

    def is_packed(self, name: str) -> bool:
        """Return whether a token shard is there and current, and so are its facts."""
        folder, digest = self.run.folder, self.packed_digest(name)
        current = shards.is_current(folder, f"{TOKENS}/{name}.parquet", digest)
        return current and folder.says(self._facts(name), {"digest": digest})

    def packed_digest(self, name: str) -> str:
        """Return the digest of what a token shard is computed from."""
        return digest_of("pack", self.run.corpus_digest(self.step), name)

    def pack(self, name: str, progress: Progress) -> None:
        """Write one token shard: the documents in its range of the global order."""
        names = self.token_shards()
        documents = self._documents_in(*key_range(names.index(name), len(names)))
        token_type = self.encoder.token_type
        with self.run.folder.writing(f"{TOKENS}/{name}.parquet") as sink:
            writer = shards.ShardWriter(sink, schema.packed(token_type), self.packed_digest(name))
            for batch in pack(documents.to_batches(), self.settings.sequence_length):
                writer.write(batch)
            writer.close()
        facts = ShardFacts(
            file=f"{name}.parquet",
            sequences=writer.rows,
            tokens=pc.sum(pc.list_value_length(documents.column(schema.TOKENS))).as_py() or 0,
            documents=documents.num_rows,
            bytes=writer.bytes,
            sha256=writer.sha256,
        )
        self.run.folder.write_json(self._facts(name), {"digest": self.packed_digest(name), "facts": asdict(facts)})
        progress.update(documents.num_rows, 1.0)

    def is_indexed(self, _: str) -> bool:
        """Return whether index.json says just what is to be said of the token shards, and tokenizer.json is its."""
        try:
            described = self.described()
        except (ShardError, MissingError):
            return False
        told = self.run.folder.says(INDEX, described)
        return told and self._holds(f"{TOKENS}/tokenizer.json", self._made_from, {})

    def write_index(self, _: str, progress: Progress) -> None:
        """Write tokenizer.json and index.json, after removing token shards of earlier settings."""
        folder, names = self.run.folder, self.token_shards()
        folder.remove(INDEX)
        for stale in set(folder.names(TOKENS, ".parquet")) - {f"{name}.parquet" for name in names}:
            folder.remove(f"{TOKENS}/{stale}")
        folder.write_bytes(f"{TOKENS}/tokenizer.json", folder.read_bytes(self._tokenizer))
        folder.write_json(INDEX, self.described())
        progress.update(0, 1.0)

    def described(self) -> dict[str, Any]:
        """Return what index.json must say. Raises MissingError and ShardError before the token shards are written."""
        facts = [ShardFacts(**self.run.folder.read_json(self._facts(name))["facts"]) for name in self.token_shards()]
        text_bytes = sum(self.run.footer(self.step, s).counts[schema.TEXT_BYTES] for s in self.run.plan.shards)
        described = index(facts, self.encoder, self.settings, text_bytes)
        return described | {"computed_from": self.run.corpus_digest(self.step)}

    def _holds(self, name: str, facts: str, expected: dict[str, str]) -> bool:
        """Return whether a file has the SHA-256 that its facts tell, and they hold what is expected."""
        folder = self.run.folder
        if not folder.exists(name):
            return False
        return folder.says(facts, expected | {"sha256": hashlib.sha256(folder.read_bytes(name)).hexdigest()})

    @property
    def _tokenizer(self) -> str:
        return f"{self.step.folder}/tokenizer.json"

    def _facts(self, name: str) -> str:
        return f"{self.step.folder}/packed/{name}.json"

    @property
    def _made_from(self) -> str:
        return f"{self.step.folder}/tokenizer.made_from.json"

    def _kept_texts(self, shard: Shard, columns: list[str]) -> Iterator[tuple[pa.Table, pa.Array]]:
        """Yield a shard's documents batch by batch, each with one boolean a row: whether every stage kept it."""
        kept = self.run.kept(self.run.plan.deciders_before(self.step), shard)
        row = 0
        for table in self.run.texts(self.step, shard, columns):
            yield table, kept.slice(row, table.num_rows).combine_chunks()
            row += table.num_rows

    def _training_texts(self, progress: Progress) -> Iterator[pa.Array]:
        """Yield the kept texts that a hash of seed and id chooses, shards in order, about `training_bytes` in all."""
        share = min(1.0, self.settings.training_bytes / max(1, self._kept_bytes()))
        for number, shard in enumerate(self.run.plan.shards):
            for table, kept in self._kept_texts(shard, [schema.ID, schema.TEXT]):
                ids = table.column(schema.ID).combine_chunks()
                wanted = pc.and_(kept, chosen(ids, self.settings.seed, share))
                yield table.column(schema.TEXT).combine_chunks().filter(wanted)
                progress.update(table.num_rows, number / len(self.run.plan.shards))

    def _kept_bytes(self) -> int:
        """Return the UTF-8 bytes of all kept texts, without reading them."""
        total = 0
        for shard in self.run.plan.shards:
            for table, kept in self._kept_texts(shard, [schema.TEXT_BYTES]):
                total += pc.sum(table.column(schema.TEXT_BYTES).filter(kept)).as_py() or 0
        return total

    def _encoded(self, shard: Shard, layer: list[pa.RecordBatch], progress: Progress) -> Iterator[pa.Table]:
        """Yield a shard's encoded documents with their place in the global order; append their counts to ``layer``."""
        rows = self.run.footer(self.run.plan.text_step, shard).rows
        done = 0
        for table, kept in self._kept_texts(shard, [schema.ID, schema.TEXT, schema.TEXT_BYTES]):
            texts = table.column(schema.TEXT).combine_chunks()
            tokens = self.encoder.encode(pc.if_else(kept, texts, pa.scalar(None, texts.type)))
            text_bytes = table.column(schema.TEXT_BYTES).combine_chunks()
            counts = pc.list_value_length(tokens).cast(pa.int64())
            text_bytes = pc.if_else(kept, text_bytes, pa.scalar(None, pa.int64()))
            layer.append(pa.record_batch([counts, text_bytes, tokens_digests(tokens)], schema=schema.TOKENS_LAYER))
            ids = table.column(schema.ID).combine_chunks()
            columns = [order_keys(ids, self.settings.seed), ids, tokens]
            yield pa.table(columns, schema=self.keys.columns).filter(kept)
            done += table.num_rows
            progress.update(table.num_rows, done / max(rows, 1))

    def _documents_in(self, low: int, high: int) -> pa.Table:
        """Return the encoded documents whose key is in [low, high), sorted by key, then id."""
        width = 1 << (64 - (self.keys.partitions.bit_length() - 1))
        tables = [self.keys.columns.empty_table()]
        for partition in range(low // width, -(-high // width)):
            for table in self.keys.read(partition):
                keys = table.column(schema.KEY)
                inside = pc.greater_equal(keys, pa.scalar(low, pa.uint64()))
                if high < 1 << 64:
                    inside = pc.and_(inside, pc.less(keys, pa.scalar(high, pa.uint64())))
                tables.append(table.filter(inside))
        return pa.concat_tables(tables).sort_by([(schema.KEY, "ascending"), (schema.ID, "ascending")])
