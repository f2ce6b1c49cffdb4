"""What a recipe says about ensembles."""

from __future__ import annotations

from math import gcd
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gristmill import schema
from gristmill.bounds import Sides

_PRECISION: Final = 1_000_000
_LEAST_IS_BEST: Final = (schema.PERPLEXITY, schema.MEDIAN_LINE_PERPLEXITY, schema.MAX_LINE_PERPLEXITY)


class Score(BaseModel):
    """A score of an ensemble: a column of numbers that an earlier stage offers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str = Field(min_length=1, description="The column, such as `dclm_score`.")
    lower_is_better: bool = Field(
        default=False, description="Whether the best documents have the least values, as with a perplexity."
    )
    weight: float = Field(default=1.0, ge=1e-6, le=1e6, description="What it counts for in a `mean`, to six decimals.")

    @model_validator(mode="after")
    def _says_which_end_is_best(self) -> Self:
        """Raise ValueError for a perplexity of which nothing says that the least are best, or that they are not."""
        if self.column in _LEAST_IS_BEST and "lower_is_better" not in self.model_fields_set:
            raise ValueError(
                f"'{self.column}' is best where it is least; write lower_is_better: true beside `column:` (or false, "
                "to rank the unlikeliest texts first)"
            )
        return self


def _as_score(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


class EnsembleSettings(BaseModel):
    """One score made of several, by the rank that each gives a document among those of the run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scores: tuple[Annotated[Score, BeforeValidator(_as_score)], ...] = Field(
        min_length=1,
        description="Columns of earlier stages: `[dclm_score, {column: perplexity, lower_is_better: true}]`.",
    )
    combine: Literal["max", "mean"] = Field(
        default="max",
        description="What the buckets of a document's scores become: the best of them, or their weighted mean, "
        "rounded down.",
    )
    buckets: int = Field(
        default=20, ge=2, le=1000, description="Buckets that each score is cut into, all of the same size: 0 is worst."
    )
    weight: Literal["bytes", "documents"] = Field(
        default="bytes", description="What makes buckets the same size: the bytes of their texts, or their number."
    )
    by: str | None = Field(
        default=None,
        min_length=1,
        description="A column of texts, such as `language`: documents are ranked among those that share its value.",
    )
    name: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9_]{0,40}$",
        description="What its columns' names start with; needed from the second ensemble of the same scores on.",
    )
    keep: dict[str, Sides] | None = Field(
        default=None, min_length=1, description="Bounds on its columns: `{score_bucket: {min: 12}}`."
    )
    warn: bool = Field(
        default=True, description="Warn where the bounds keep next to nothing, or drop nothing of many documents."
    )

    @model_validator(mode="after")
    def _names_each_score_once(self) -> Self:
        """Raise ValueError for a score that stands twice, and for weights where nothing is weighed."""
        columns = [score.column for score in self.scores]
        twice = next((column for column in columns if columns.count(column) > 1), None)
        if twice is not None:
            raise ValueError(f"score '{twice}' stands twice; give it a weight and combine: mean to count it more")
        if self.combine == "max" and any(score.weight != 1.0 for score in self.scores):
            raise ValueError("the best of several buckets has no weights; write combine: mean, or leave weight out")
        return self

    @model_validator(mode="after")
    def _bounds_some_bucket(self) -> Self:
        """Raise ValueError for a bound that no bucket reaches."""
        last = self.buckets - 1
        for column, sides in (self.keep or {}).items():
            least, most = sides.min, sides.max
            for side, bound, drops_all in (("min", least, (least or 0) > last), ("max", most, (most or 0) < 0)):
                if drops_all:
                    raise ValueError(f"keep: '{column}' goes from 0 to {last}, so {side}: {bound} drops every document")
        return self

    @property
    def bucket(self) -> str:
        """Name of the column of the ensemble's bucket."""
        return self._named(schema.SCORE_BUCKET)

    @property
    def mean(self) -> str:
        """Name of the column of the mean before it is rounded down."""
        return self._named(schema.SCORE_BUCKET_MEAN)

    def bucket_of(self, score: Score) -> str:
        """Return the name of the column of a score's own bucket."""
        return self._named(score.column + schema.OF_RANK_BUCKET)

    @property
    def whole_weights(self) -> list[int]:
        """The scores' weights as whole numbers in the same ratios as those that the recipe writes."""
        millionths = [round(score.weight * _PRECISION) for score in self.scores]
        return [number // gcd(*millionths) for number in millionths]

    def _named(self, column: str) -> str:
        return column if self.name is None else f"{self.name}_{column}"
