"""What a recipe says about perplexity. Imports nothing heavy."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from gristmill.bounds import Number, Sides

Percentile = Annotated[Number, Field(ge=0, le=100)]
Cuts = tuple[Number, Number]
EVERY = "*"
"""The key of what is for all documents, which no language has for a label."""
PERPLEXITY_COLUMNS = ("perplexity", "median_line_perplexity", "max_line_perplexity", "perplexity_bucket")


def _as_sides(value: Any) -> Any:
    return {"in": value} if isinstance(value, list | tuple) else value


class BucketSettings(BaseModel):
    """Where head, middle and tail are cut: at percentiles of the run's own documents, or at given perplexities."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    head: Percentile = Field(
        30, description="Percentile up to which perplexity is `head`, within the document's language; CCNet has 30."
    )
    middle: Percentile = Field(60, description="Percentile up to which it is `middle`; all above is `tail`.")
    given: dict[str, Cuts] | None = Field(
        None,
        min_length=1,
        description="The two perplexities themselves, by language, in place of percentiles: `{en: [340, 520]}`. "
        "Documents in other languages are in no bucket. `{'*': [340, 520]}` is for all, whatever their language.",
    )

    @field_validator("given", mode="before")
    @classmethod
    def _are_two(cls, given: Any) -> Any:
        """Raise ValueError for cuts that are not two."""
        for language, cuts in given.items() if isinstance(given, dict) else ():
            if not isinstance(cuts, list | tuple) or len(cuts) != 2:
                raise ValueError(
                    f"{language}: two perplexities, the most of head and the most of middle, such as [340, 520], "
                    f"got {cuts}"
                )
        return given

    @model_validator(mode="after")
    def _rises(self) -> Self:
        """Raise ValueError for a tail that begins before the head ends, and for cuts of two kinds."""
        if self.given is not None and self.model_fields_set & {"head", "middle"}:
            raise ValueError("head and middle are percentiles of the run, and given replaces them: write one of them")
        if self.given is not None and EVERY in self.given and len(self.given) > 1:
            raise ValueError(f"given: '{EVERY}' is for all documents, so no language can stand beside it")
        if self.head > self.middle:
            raise ValueError(f"head ends at percentile {self.head}, which is above middle's {self.middle}")
        for language, (head, middle) in (self.given or {}).items():
            if not 0 <= head <= middle:
                raise ValueError(f"given: {language}: [{head}, {middle}]: head's end comes first, and may not be above")
        return self


class PerplexitySettings(BaseModel):
    """How likely each text is by an n-gram model of KenLM's, and which documents stay by that.

    `gristmill train perplexity` makes such models; CCNet publishes one for each of 48 languages.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | dict[str, str] = Field(
        min_length=1,
        description="An ARPA file or one of KenLM's binary format: a path, an fsspec URL or a name from the registry; "
        "or one for each language of the `language` stage, `{en: models/en.arpa.bin}`. Documents in other languages "
        "have no perplexity.",
    )
    normalize: Literal["ccnet", "ccnet_by_line", "none"] | None = Field(
        None,
        description="`ccnet`: as CCNet's code, each text as one sentence; `ccnet_by_line`: without its two quirks, "
        "each line a sentence; `none`: each line as it is. By default as the file beside the model tells.",
    )
    pieces: str | dict[str, str] | None = Field(
        None,
        min_length=1,
        description="`words`, or a SentencePiece model or a tokenizer.json: a path or URL, or one for each language. "
        "By default what the file beside the model tells.",
    )
    lines: bool = Field(
        False, description="Tell of each line too: `line_perplexities`, and their median and maximum for rules."
    )
    buckets: BucketSettings | None = Field(
        None, description="Sort documents into `head`, `middle` and `tail`: the column `perplexity_bucket`."
    )
    keep: dict[str, Annotated[Sides, BeforeValidator(_as_sides)]] = Field(
        default_factory=dict,
        description="What stays: `{perplexity_bucket: [head, middle]}`, `{perplexity: {max: 1000}}`. A document "
        "without the value stays. By default every document does.",
    )
    warn: bool = Field(True, description="Warn where `keep` keeps next to nothing, or drops nothing of many documents.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Raise ValueError for pieces of other languages than the models', and for bounds on what is not measured."""
        if isinstance(self.pieces, dict):
            labels = sorted(self.model) if isinstance(self.model, dict) else []
            if sorted(self.pieces) != labels:
                raise ValueError(f"pieces are for {', '.join(sorted(self.pieces))}, and models for {_listed(labels)}")
        there = self.columns()
        for column, sides in self.keep.items():
            if column not in there:
                raise ValueError(f"keep: '{column}' is not measured here; there are: {', '.join(there)}")
            is_text = column == "perplexity_bucket"
            for side, bound in sides.sides().items():
                if bound is not None and (side == "in") != is_text:
                    takes = "texts: [head, middle]" if is_text else "numbers: {min: ...} or {max: ...}"
                    raise ValueError(f"keep: '{column}' is bounded by {takes}")
                if isinstance(bound, tuple) and not set(bound) <= {"head", "middle", "tail"}:
                    raise ValueError(f"keep: buckets are head, middle and tail, not {', '.join(bound)}")
        return self

    def columns(self) -> tuple[str, ...]:
        """Return the columns that rules can bound."""
        lines = PERPLEXITY_COLUMNS[1:3] if self.lines else ()
        return (PERPLEXITY_COLUMNS[0], *lines, *(PERPLEXITY_COLUMNS[3:] if self.buckets else ()))


def _listed(labels: list[str]) -> str:
    return ", ".join(labels) or "all languages at once"
