"""What a recipe says about Bloom filters."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt


class BloomSettings(BaseModel):
    """How large the filters are, and whether what an older run's filters claim to have is verified."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    false_positives: float = Field(
        default=0.01, ge=1e-9, le=0.5, description="Share of new keys that a filter claims to have when it is full."
    )
    capacity: Literal["auto"] | PositiveInt = Field(
        default="auto",
        description="Documents that the filters of the whole run are made for; `auto`: as many as are compared.",
    )
    passes: Literal["two", "one"] = Field(
        default="two",
        description="`two`: 8 bytes of each document go out, then the keys of candidates alone, which are verified, "
        "against older runs too. `one`: texts are read once; what an older run's filters claim to have is dropped.",
    )


NEEDED: dict[tuple[str, str], tuple[str, ...]] = {
    ("none", "none"): ("keys",),
    ("none", "one"): ("keys",),
    ("two", "none"): ("keys",),
    ("two", "one"): ("keys", "filters"),
    ("two", "two"): ("short", "filters"),
    ("one", "one"): ("filters",),
    ("one", "two"): ("filters",),
}
"""What must be left of an older run, by the passes of the run that goes against it and by its own; else it cannot."""


def passes_of(settings: BloomSettings | None) -> str:
    """Return how many passes there are; `none` without filters."""
    return "none" if settings is None else settings.passes
