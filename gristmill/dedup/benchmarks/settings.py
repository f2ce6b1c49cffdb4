"""What a recipe says about an evaluation set."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from gristmill.dedup.benchmarks.items import Kind, Split

Format = Literal["jsonl", "json", "parquet", "csv", "tsv"]


class _Brief(BaseModel):
    """Settings of which only those are written down that are not the default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_serializer(mode="wrap")
    def _said(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Return what is not the default."""
        fields = type(self).model_fields
        defaults = {name: field.get_default(call_default_factory=True) for name, field in fields.items()}
        return {name: value for name, value in written(self).items() if getattr(self, name) != defaults[name]}


class FieldSettings(_Brief):
    """A text to look for, made of one or several fields of an item."""

    name: str = Field("", description="What reports call it; by default its first field.")
    text: tuple[str, ...] = Field(
        (),
        description="Fields that are joined to one text, such as `[prompt, canonical_solution]`; a dot leads into an "
        "object, as in `choices.text`. One alone may be a list: each of its texts is looked for by itself.",
    )
    join: str = Field(" ", description="What stands between the fields of `text`, and before a choice.")
    choices: tuple[str, ...] = Field(
        (), description="Fields that hold the choices: one that is a list, or one for each, as `[option1, option2]`."
    )
    answer: str | None = Field(
        None,
        description="The field that tells which choice is right: only that one is looked for. A number, a letter, a "
        "label or the choice itself; null, empty or -1 where it is kept secret.",
    )
    labels: str | None = Field(None, description="The field with the choices' labels, one of which is the answer.")
    first: Literal[0, 1] = Field(0, description="The number of the first choice.")
    blank: str | None = Field(
        None, min_length=1, description="What in the text the choice stands for, such as `_`; else it follows the text."
    )
    kind: Kind | None = Field(None, description="`prose` or `code`; by default what the benchmark's `kind` says.")

    @model_validator(mode="before")
    @classmethod
    def _may_be_one(cls, given: Any) -> Any:
        """Take a field's name that stands alone for a list of one."""
        if isinstance(given, dict):
            one = {key: (given[key],) for key in ("text", "choices") if isinstance(given.get(key), str)}
            return given | one
        return given

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        """Raise ValueError for a field without texts, and for what is said of choices that there are not."""
        if not self.text and not self.choices:
            raise ValueError("a field is made of `text`, of `choices`, or of both")
        if not self.choices and (self.answer or self.labels or self.blank):
            raise ValueError("`answer`, `labels` and `blank` are about `choices`, and there are none")
        if self.labels and not self.answer:
            raise ValueError("`labels` are for finding the `answer`, and none is named")
        if self.blank and not self.text:
            raise ValueError("`blank` is a part of `text`, and there is none")
        return self

    @property
    def called(self) -> str:
        """The name, or else that of the first field."""
        return self.name or (self.text or self.choices)[0]


def _from_name(given: Any) -> Any:
    """Return the long form of a field's name that stands alone.

    >>> FieldSettings.model_validate(_from_name("question")).text
    ('question',)
    """
    return {"text": (given,)} if isinstance(given, str) else given


ItemField = Annotated[FieldSettings, BeforeValidator(_from_name, json_schema_input_type=str | FieldSettings)]


class BenchmarkSettings(_Brief):
    """An evaluation set whose items must not be in the corpus."""

    path: str | None = Field(
        None,
        min_length=1,
        description="JSON Lines, JSON, Parquet, CSV or TSV, packed or not: a path or URL, such as "
        "`hf://datasets/OWNER/NAME/FILE`. Without it, the benchmark of this name in the registry.",
    )
    name: str = Field(
        "", description="What reports call it; by default the file's name without its suffixes, or the registry's."
    )
    fields: tuple[ItemField, ...] | None = Field(
        None,
        min_length=1,
        description="Fields that are looked for, by name or at length. By default every text and list of texts, but "
        "for facts such as `id` and `subject`.",
    )
    like: str | None = Field(
        None, min_length=1, description="A benchmark of the registry whose fields and ids the file has."
    )
    id: str | None = Field(None, description="The field with the items' ids; by default `id`, where an item has it.")
    kind: Kind = Field(
        "prose",
        description="What the texts are where a field does not say: `prose`, or `code`, compared token by token.",
    )
    split: Split = Field(
        "test", description="`test`, or `train` for items that are read only to be ignored: they drop no page."
    )
    train: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="In a file of several splits, the items that are `train`: those with one of these values of a "
        "field, as in `{split: [dev, validation]}`.",
    )
    format: Format | None = Field(None, description="By default what the file's name says, or else `jsonl`.")

    @model_validator(mode="before")
    @classmethod
    def _has_a_name(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("path"), str) and not given.get("name"):
            return given | {"name": PurePosixPath(given["path"]).name.split(".")[0]}
        return given

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        """Raise ValueError where neither a file nor a name is given, or the fields are said twice."""
        if self.path is None and not self.name:
            raise ValueError("a benchmark has a `path`, or the `name` of one of the registry")
        if self.like and (self.fields or self.path is None):
            raise ValueError("`like` says what fields a file has, at a `path` and without `fields`")
        return self


def _from_text(given: Any) -> Any:
    """Return the long form of what stands alone: a path if it looks like one, or else a name.

    >>> BenchmarkSettings.model_validate(_from_text("data/gsm8k.jsonl.gz")).name
    'gsm8k'
    >>> BenchmarkSettings.model_validate(_from_text("gsm8k")).path is None
    True
    """
    if not isinstance(given, str):
        return given
    return {"path": given} if any(mark in given for mark in "./\\:") or not given else {"name": given}


Benchmark = Annotated[BenchmarkSettings, BeforeValidator(_from_text, json_schema_input_type=str | BenchmarkSettings)]
