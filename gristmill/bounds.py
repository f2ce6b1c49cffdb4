"""Bounds on one number or text, as a recipe writes them. Imports nothing heavy, for the settings of every part."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Side = Literal["min", "max", "in"]
Bound = float | tuple[str, ...]


def _plain(number: float) -> float:
    """Return 50 for 50.0: the same bound, written the same."""
    return int(number) if number.is_integer() else number


Number = Annotated[float, Field(strict=True, allow_inf_nan=False), AfterValidator(_plain)]


class Sides(BaseModel):
    """The sides of a bound. A value on a bound is kept; a document without the value is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min: Number | None = Field(default=None, description="Drop what is less. null switches a bound off.")
    max: Number | None = Field(default=None, description="Drop what is more. null switches a bound off.")
    among: tuple[str, ...] | None = Field(
        default=None, alias="in", min_length=1, description="Drop what is none of these texts, such as [en, fr]."
    )

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        """Raise ValueError if nothing is bounded, or nothing can lie inside."""
        if not self.model_fields_set:
            raise ValueError("a bound needs min, max or in, such as {min: 50}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is more than max {self.max}, so everything would be dropped")
        return self

    def sides(self) -> dict[Side, Bound | None]:
        """Return the sides that were written, in a fixed order; None is a bound switched off."""
        written: dict[Side, tuple[str, Bound | None]] = {
            "min": ("min", self.min),
            "max": ("max", self.max),
            "in": ("among", self.among),
        }
        return {side: bound for side, (field, bound) in written.items() if field in self.model_fields_set}
