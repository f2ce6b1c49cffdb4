"""Where the files of a benchmark lie, and what is in them: on this machine, at an address, on the Hub."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from gristmill import cache
from gristmill.access.policy import Fault
from gristmill.access.settings import AccessSettings
from gristmill.access.source import read_source
from gristmill.dedup.benchmarks.hub import CONVERTED, hub_address
from gristmill.dedup.benchmarks.items import Kind
from gristmill.dedup.benchmarks.keep import keep
from gristmill.dedup.benchmarks.registry import nearest, registered
from gristmill.dedup.benchmarks.rows import format_of
from gristmill.dedup.benchmarks.settings import BenchmarkSettings, FieldSettings
from gristmill.errors import AccessError, MissingError

ACCESS: Final = AccessSettings.model_validate({"tries": 5, "first_wait": 1.0, "timeout": 30.0})
_HUB_SCHEME: Final = "hf://datasets/"
_VERSION: Final = "1"  # of what is read out of the files


@dataclass(frozen=True)
class File:
    """A file of a benchmark. ``address``: as messages call it; ``kept``: where its copy is kept; None if none is.

    ``prefix``: what ids of its items begin with.
    """

    address: str
    kept: Path | None = None
    prefix: str = ""


@dataclass(frozen=True)
class Definition:
    """What a benchmark is, once the registry was asked.

    ``fields``: None for every text; ``id``: the field of the ids, None for the default one.
    """

    files: tuple[File, ...]
    fields: tuple[FieldSettings, ...] | None
    kind: Kind
    id: str | None


def definition(benchmark: BenchmarkSettings) -> Definition:
    """Return where a benchmark's files are and what an item is. Raises MissingError for an unknown name."""
    if benchmark.path is None:
        return _registered(benchmark)
    files = (File(_https(benchmark.path)),)
    if benchmark.like is None:
        return Definition(files, benchmark.fields, benchmark.kind, benchmark.id)
    like = registered(benchmark.like)
    return Definition(files, like.fields, like.kind, benchmark.id or like.id)


def _registered(benchmark: BenchmarkSettings) -> Definition:
    try:
        found = registered(benchmark.name)
    except MissingError as error:
        raise MissingError(
            f"benchmark {benchmark.name!r} is no name in the registry; {nearest(benchmark.name)} A file is named with "
            f"its suffix, or as {{path: {benchmark.name}}}"
        ) from error
    several = len(found.configs) > 1
    files = tuple(
        File(address, kept_at(address), f"{config}/" if several else "")
        for address, config in zip(found.addresses, found.configs, strict=True)
    )
    return Definition(files, benchmark.fields or found.fields, found.kind, benchmark.id or found.id)


def kept_at(address: str) -> Path:
    """Return where the copy of a file of the Hub is kept in the cache."""
    return cache.cache_folder("benchmarks") / f"{hashlib.sha256(address.encode()).hexdigest()[:24]}.parquet"


def content(file: File, name: str) -> bytes:
    """Return the bytes of a benchmark's file, fetched if it is kept in the cache and not there.

    Raises MissingError, or AccessError where a server that is there does not give the file.
    """
    if file.kept is None:
        return _read(file, name)
    if not file.kept.is_file():
        keep(file.kept, lambda: _read(file, name))
    return file.kept.read_bytes()


def benchmark_files(benchmarks: Iterable[BenchmarkSettings]) -> Iterator[dict[str, str]]:
    """Yield for each file of the benchmarks its benchmark, address and sha256. Raises what ``content`` raises."""
    for benchmark in benchmarks:
        for file in definition(benchmark).files:
            digest = hashlib.sha256(content(file, benchmark.name)).hexdigest()
            yield {"benchmark": benchmark.name, "address": file.address, "sha256": digest}


def benchmarks_digest(benchmarks: Sequence[BenchmarkSettings]) -> str:
    """Return a digest of all that makes the items: names, fields, and the bytes of the files, wherever they lie."""
    parts: list[object] = [_VERSION]
    digests = [found["sha256"] for found in benchmark_files(benchmarks)]
    for benchmark in benchmarks:
        said = definition(benchmark)
        fields = None if said.fields is None else [field.model_dump() for field in said.fields]
        own = benchmark.model_dump(mode="json", exclude={"path", "fields", "like"})
        files = [[file.prefix, benchmark.format or format_of(file.address)] for file in said.files]
        parts.append([own, fields, said.kind, said.id, files])
    return hashlib.blake2b(json.dumps([parts, digests]).encode(), digest_size=16).hexdigest()


def _read(file: File, name: str) -> bytes:
    try:
        return _elsewhere(file.address) if "://" in file.address else read_source(file.address, ACCESS)
    except (MissingError, AccessError, OSError) as error:
        kind = AccessError if isinstance(error, AccessError) else MissingError
        raise kind(f"benchmark {name!r}: {file.address} {_why(error)}{_way_out(file, name)}") from error


@lru_cache(maxsize=64)
def _elsewhere(address: str) -> bytes:
    """Return the bytes of a file that lies elsewhere: asked for once in a process, so that all see the same."""
    return read_source(address, ACCESS)


def _why(error: Exception) -> str:
    if isinstance(error.__cause__, FileNotFoundError | IsADirectoryError | NotADirectoryError):
        return "does not exist"
    cause = error.__cause__
    reason = str(cause) if isinstance(cause, Fault) else str(error).removesuffix("; check the recipe's source")
    return f"cannot be read: {reason}"


def _way_out(file: File, name: str) -> str:
    if file.kept is None:
        return ""
    return (
        f". Do one of:\n  - try again when there is a network: `gristmill benchmarks pull {name}`\n"
        f"  - fetch that address elsewhere, and put the file at {file.kept}\n"
        f"  - name a copy in the recipe: {{name: {name}, path: FILE, like: {name}}}; if it has other fields than the "
        f"Hub's, with its own, such as {{name: {name}, path: FILE, fields: [question, answer]}}"
    )


def _https(path: str) -> str:
    """Return the address of what a URL of the Hub's own kind names; anything else as it is.

    >>> _https("hf://datasets/openai/gsm8k@~parquet/main/test/0000.parquet")
    'https://huggingface.co/datasets/openai/gsm8k/resolve/refs%2Fconvert%2Fparquet/main/test/0000.parquet'
    """
    if not path.startswith(_HUB_SCHEME):
        return path
    owner, name, inner = (*path.removeprefix(_HUB_SCHEME).split("/", 2), "", "")[:3]
    name, _, revision = name.partition("@")
    revision = {"": "main", "~parquet": CONVERTED}.get(revision, revision)
    if not inner:
        raise MissingError(f"{path} names no file: hf://datasets/OWNER/NAME[@REVISION]/FILE")
    return hub_address(f"{owner}/{name}", revision, inner)
