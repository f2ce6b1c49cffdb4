"""What a recipe says about duplicates and about benchmark contamination."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator


class DedupSettings(BaseModel):
    """Which documents count as copies of each other; of each cluster, the earliest stays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    exact: Literal["text"] = Field(description="What must be equal, byte for byte: the `text`.")


class BenchmarkSettings(BaseModel):
    """An evaluation set whose items must not be in the corpus."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(
        min_length=1,
        description="JSON Lines, one item a line: a path or an fsspec URL; `.gz` and its like are unpacked.",
    )
    name: str = Field(default="", description="What reports call it; by default the file's name without its suffixes.")
    fields: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="Fields that are looked for; by default every text and list of texts but `id` and `benchmark`.",
    )

    @model_validator(mode="before")
    @classmethod
    def _named_after_its_file(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("path"), str) and not given.get("name"):
            return given | {"name": PurePosixPath(given["path"]).name.split(".")[0]}
        return given


def _from_path(given: Any) -> Any:
    """Return the long form of a path that stands alone.

    >>> BenchmarkSettings.model_validate(_from_path("data/gsm8k.jsonl.gz")).name
    'gsm8k'
    """
    return {"path": given} if isinstance(given, str) else given


Benchmark = Annotated[BenchmarkSettings, BeforeValidator(_from_path, json_schema_input_type=str | BenchmarkSettings)]


class DecontaminateSettings(BaseModel):
    """Which evaluation sets are looked for in the documents, and what becomes of a document that quotes one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    benchmarks: tuple[Benchmark, ...] = Field(
        min_length=1, description="Evaluation sets. A path alone stands for `{path: ...}`."
    )
    ngram: int = Field(
        default=13, ge=5, le=100, description="How many words in a row must be equal. Shorter items are not found."
    )
    action: Literal["drop_document", "report"] = Field(
        default="drop_document", description="`drop_document`, or `report`: measure, and keep every document."
    )

    @field_validator("benchmarks")
    @classmethod
    def _names_differ(cls, benchmarks: tuple[BenchmarkSettings, ...]) -> tuple[BenchmarkSettings, ...]:
        names = [benchmark.name for benchmark in benchmarks]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{names.count(name)} benchmarks are called {name!r}: give each its own `name`")
        return benchmarks
