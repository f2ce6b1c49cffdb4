"""What a recipe says about repeated substrings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SubstringsSettings(BaseModel):
    """Which runs of words count as copies of each other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tokens: int = Field(
        default=50,
        ge=4,
        le=1000,
        description="How many words in a row must be equal: those of the `unicode` segmentation, punctuation among "
        "them, as they are written; the white space between them does not count.",
    )
