"""What a recipe says about near-duplicates among long texts."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SimHashSettings(BaseModel):
    """How long texts are compared, and how far from its survivor a copy may be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    distance: int = Field(
        default=3,
        ge=0,
        description="Most bits in which the fingerprints of a copy and of its survivor differ; at most an eighth of "
        "`bits`.",
    )
    bits: Literal[64, 128] = Field(default=64, description="Bits of a fingerprint.")
    ngram: int = Field(
        default=3,
        ge=1,
        le=100,
        description="Words, or characters, in a shingle. Single words make most texts of a language alike.",
    )
    shingles: Literal["words", "characters"] = Field(
        default="words", description="Of what shingles are made: lower-cased `words` or `characters`."
    )
    min_ngrams: int = Field(
        default=100, ge=1, description="Shingles, repeated ones too, below which a text is compared with nothing."
    )

    @model_validator(mode="after")
    def _is_near(self) -> Self:
        """Raise ValueError for a distance at which unlike texts meet by chance."""
        if self.distance > self.bits // 8:
            most = self.bits // 8
            raise ValueError(f"`distance` is at most {most} of {self.bits} bits: unlike texts meet by chance beyond it")
        return self
