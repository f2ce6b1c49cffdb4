"""A run's folder: where each file lies, what it must have been computed from, and reading it with both checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.errors import MissingError, UsageError
from gristmill.pipeline import shards
from gristmill.pipeline.plan import Plan, Shard, Step, digest_of, plan_from_json
from gristmill.pipeline.shards import Footer
from gristmill.pipeline.storage import Folder
from gristmill.pipeline.texts import beside, edited

PLAN_FILE = "plan.json"
RECIPE_FILE = "recipe.yaml"
MANIFEST_FILE = "manifest.json"

_FOOTERS_KEPT = 256
# columns of an edit's layer, and the document's columns that they change
_EDITS_READ = {schema.EDITS: schema.TEXT, schema.TEXT_BYTES: schema.TEXT_BYTES}


class Run:
    """A plan and the folder it is carried out in."""

    def __init__(self, folder: Folder, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan
        self._footers: dict[str, Footer] = {}

    @classmethod
    def open(cls, url: str) -> Run:
        """Return the run in a folder. Raises MissingError if there is none, CorruptError for a foreign plan."""
        folder = Folder(url)
        if not folder.exists(PLAN_FILE):
            raise MissingError(f"{url} holds no run (it has no {PLAN_FILE}); `gristmill run RECIPE` makes one")
        return cls(folder, plan_from_json(folder.read_json(PLAN_FILE), folder.path(PLAN_FILE)))

    def file(self, step: Step, shard: Shard) -> str:
        """Return the name of a step's file for a shard."""
        return f"{step.folder}/{shard.name}.parquet"

    def digest(self, step: Step, shard: Shard) -> str:
        """Return the digest of all that a step's file for a shard is computed from."""
        if step.kind == "extract":
            return digest_of(step.digest, shard.name, shard.fingerprint)
        if step.scope == "corpus":
            return digest_of(self.corpus_digest(step), shard.name)
        return digest_of(step.digest, [self.digest(self.plan.step(name), shard) for name in step.inputs])

    def corpus_digest(self, step: Step) -> str:
        """Return the digest of all that an exchange of a step is computed from: its inputs on every shard."""
        if step.name not in self._corpus_digests:
            inputs = [self.plan.step(name) for name in step.inputs]
            whole = [[self.digest(other, shard) for other in inputs] for shard in self.plan.shards]
            self._corpus_digests[step.name] = digest_of(step.digest, whole)
        return self._corpus_digests[step.name]

    @cached_property
    def _corpus_digests(self) -> dict[str, str]:
        return {}

    def is_done(self, step: Step, shard: Shard) -> bool:
        """Return whether a step's file for a shard is there and current."""
        return shards.is_current(self.folder, self.file(step, shard), self.digest(step, shard))

    def footer(self, step: Step, shard: Shard) -> Footer:
        """Return what a file says of itself, checked to be current and aligned.

        Raises MissingError, CorruptError, StaleError, MisalignedError.
        """
        name = self.file(step, shard)
        if name not in self._footers:
            footer = shards.read_footer(self.folder, name)
            shards.check(footer, self.folder.path(name), self.digest(step, shard))
            if step != self.plan.text_step:
                shards.check_aligned(footer, self.folder.path(name), self.footer(self.plan.text_step, shard))
            if len(self._footers) >= _FOOTERS_KEPT:
                self._footers.clear()
            self._footers[name] = footer
        return self._footers[name]

    def read(self, step: Step, shard: Shard, columns: list[str] | None = None) -> pa.Table:
        """Return columns of a step's file for a shard, whole. Raises as `footer` does."""
        self.footer(step, shard)
        return shards.read_table(self.folder, self.file(step, shard), columns, self.digest(step, shard))

    def documents(self, shard: Shard, columns: list[str]) -> Iterator[pa.Table]:
        """Yield columns of a shard's documents, one bounded row group at a time."""
        yield from self.iterate(self.plan.text_step, shard, columns)

    def iterate(self, step: Step, shard: Shard, columns: list[str]) -> Iterator[pa.Table]:
        """Yield columns of a step's file for a shard, one bounded row group at a time. Raises as `footer` does."""
        self.footer(step, shard)
        yield from shards.iterate(self.folder, self.file(step, shard), columns, self.digest(step, shard))

    def texts(self, step: Step, shard: Shard, columns: list[str]) -> Iterator[pa.Table]:
        """Yield columns of a shard's documents as a step reads them, one bounded row group at a time.

        TEXT and TEXT_BYTES are those of the text that the step reads: the editing steps among its inputs are applied.
        What documents do not have is read from the latest of the step's inputs that has it.
        """
        wanted = [name for name, read in _EDITS_READ.items() if read in columns]
        layers = [self.iterate(edit, shard, wanted) for edit in self.plan.edits_before(step)] if wanted else []
        own = [name for name in columns if name in self.footer(self.plan.text_step, shard).schema.names]
        tables = edited(self.documents(shard, own), layers)
        for provider, names in self._providers(step, [name for name in columns if name not in own]).items():
            other = self.plan.step(provider)
            columns_of = self.footer(other, shard).schema
            empty = pa.schema([columns_of.field(name) for name in names]).empty_table()
            tables = beside(tables, self.iterate(other, shard, names), empty)
        yield from tables

    def _providers(self, step: Step, columns: Sequence[str]) -> dict[str, list[str]]:
        """Return which of the step's inputs has each column, the latest that does. Raises UsageError if none does."""
        found: dict[str, list[str]] = {}
        for column in columns:
            having = [name for name in step.inputs if column in self.plan.step(name).columns]
            if not having:
                raise UsageError(f"step '{step.name}' reads column '{column}', which none of its inputs has")
            found.setdefault(having[-1], []).append(column)
        return found

    def text_bytes(self, edits: tuple[Step, ...], shard: Shard) -> pa.ChunkedArray:
        """Return the UTF-8 bytes of each text after editing steps, in order; 0 where there is none."""
        last = edits[-1] if edits else self.plan.text_step
        return pc.fill_null(self.read(last, shard, [schema.TEXT_BYTES]).column(schema.TEXT_BYTES), 0)

    def keep(self, step: Step, shard: Shard) -> pa.ChunkedArray:
        """Return one boolean a row: whether a deciding step keeps it, whatever the others do."""
        if step == self.plan.text_step:
            return pc.is_null(self.read(step, shard, [schema.FATE]).column(schema.FATE))
        return self.read(step, shard, [schema.KEEP]).column(schema.KEEP)

    def kept(self, deciders: tuple[Step, ...], shard: Shard) -> pa.ChunkedArray:
        """Return one boolean a row: whether all of the deciding steps keep it."""
        first, *rest = deciders
        kept = self.keep(first, shard)
        for step in rest:
            kept = pc.and_(kept, self.keep(step, shard))
        return kept


def is_run(name: str) -> bool:
    """Return whether there is a run in a folder, or of that name in ./runs."""
    return any(Folder(url).exists(PLAN_FILE) for url in _folders(name))


def _folders(name: str) -> tuple[str, ...]:
    """Return where a run of that name is looked for; a URL is no name in ./runs."""
    return (name,) if "://" in name else (name, f"runs/{name}")


def open_run(name: str) -> Run:
    """Return the run in a folder, or of that name in ./runs. Raises MissingError saying where was looked."""
    for url in _folders(name):
        if Folder(url).exists(PLAN_FILE):
            return Run.open(url)
    if Path(name).suffix in (".yaml", ".yml"):
        raise UsageError(f"'{name}' is a recipe; this command takes a run's folder, such as runs/{Path(name).stem}")
    there = [f"runs/{run}" for run in Folder("runs").folders() if Folder(f"runs/{run}").exists(PLAN_FILE)]
    hint = f"there are: {', '.join(there)}" if there else "`gristmill run RECIPE` makes one"
    asked = "' nor in '".join(_folders(name))
    raise MissingError(f"there is no run in '{asked}'; {hint}")
