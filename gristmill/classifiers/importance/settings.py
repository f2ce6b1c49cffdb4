"""What a recipe says about importance resampling."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gristmill import schema


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class ImportanceSettings(BaseModel):
    """How much likelier each document is in a target than in the run, and how many are drawn by that."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = Field(
        min_length=1,
        description="What the documents should be like: JSONL, Parquet or text files (paths, patterns, URLs), or "
        "finished runs, of which what they kept is read.",
    )
    text_column: str = Field(
        default=schema.TEXT, min_length=1, description="The column of Parquet, or the key of JSONL, with the text."
    )
    ngrams: int = Field(default=2, ge=1, le=5, description="Words of the longest n-grams; shorter ones count too.")
    buckets: int = Field(default=10_000, ge=2, le=1 << 24, description="Buckets that n-grams are hashed into.")
    smoothing: float = Field(
        default=1e-8, gt=0.0, le=1.0, description="What is added to each bucket's share in target and run."
    )
    scale_to: int | None = Field(
        default=None,
        ge=1,
        description="Weigh each document as if it had this many n-grams; 1 gives the mean of its n-grams' log weights. "
        "By default each has its own number, as in the paper, whose texts are all as long: short ones are preferred.",
    )
    min_words: int = Field(
        default=100, ge=0, description="Drop documents with fewer words, as the authors' program does; 0 for none."
    )
    take: int | None = Field(default=None, ge=1, description="How many documents are drawn; the others are dropped.")
    fraction: float | None = Field(
        default=None, gt=0.0, le=1.0, description="The share that is drawn of those with enough words, rounded down."
    )
    noise: bool = Field(
        default=True,
        description="Draw at random, in proportion to the weights. `false` takes those of the largest weights.",
    )
    seed: int = Field(default=0, ge=0, lt=1 << 64, description="Another seed draws other documents.")
    name: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9_]{0,40}$",
        description="What its columns' names start with; needed from the second target on.",
    )

    @model_validator(mode="after")
    def _draws_one_number(self) -> Self:
        """Raise ValueError for two sizes, and for settings of a draw where nothing is drawn."""
        if self.take is not None and self.fraction is not None:
            raise ValueError("name either how many to take or what fraction, not both")
        drawing = {"noise", "seed", "min_words"} & self.model_fields_set
        if not self.draws and drawing:
            named = ", ".join(sorted(drawing))
            raise ValueError(f"nothing is drawn, so {named} changes nothing; add take: 100000 or fraction: 0.1")
        return self

    @property
    def draws(self) -> bool:
        """Whether documents are drawn, or only weighed."""
        return self.take is not None or self.fraction is not None

    @property
    def log_weight(self) -> str:
        """Name of the column of log weights."""
        return self._named(schema.IMPORTANCE_LOG_WEIGHT)

    @property
    def word_count(self) -> str:
        """Name of the column of the numbers of words."""
        return self._named(schema.IMPORTANCE_WORD_COUNT)

    @property
    def key(self) -> str:
        """Name of the column of what documents are drawn by."""
        return self._named(schema.IMPORTANCE_KEY)

    def _named(self, column: str) -> str:
        return column if self.name is None else f"{self.name}_{column}"

    def size(self, documents: int) -> int:
        """Return how many of some documents are drawn; with ``take`` that may be more than there are."""
        if self.take is not None:
            return self.take
        return int(Fraction(repr(self.fraction or 1.0)) * documents)
