"""Bounds as a recipe writes them: on one signal, by language, and in choices."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gristmill.bounds import Bound, Side, Sides


class SignalBound(Sides):
    """The bounds on one signal, and other bounds for documents of some languages."""

    languages: dict[str, Sides] | None = Field(
        default=None,
        min_length=1,
        description="Other bounds for single languages, as an earlier `language` stage labels them: "
        "`{zh: {min: 20}, th: {min: null}}`. A side that a language does not name is as for all others.",
    )

    def by_language(self, side: Side) -> dict[Bound | None, tuple[str, ...]]:
        """Return the bounds of a side that some languages have of their own, each with those languages."""
        apart: dict[Bound | None, tuple[str, ...]] = {}
        for label, sides in (self.languages or {}).items():
            if side in sides.sides():
                bound = sides.sides()[side]
                apart[bound] = (*apart.get(bound, ()), label)
        return apart

    def all_sides(self) -> tuple[Side, ...]:
        """Return the sides that are written for all or for one language, in the order written."""
        apart = (side for sides in (self.languages or {}).values() for side in sides.sides())
        return tuple(dict.fromkeys((*self.sides(), *apart)))


class RuleSet(BaseModel):
    """Bounds on signals, each a rule of its own; and choices.

    ``any: [A, B]`` is one rule, which keeps what lies inside all bounds of A, or inside all bounds of B.
    ``all: [A, B]`` is the same as writing the bounds of A and of B one by one: so a set can hold several choices.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, SignalBound]

    any_of: tuple[RuleSet, ...] | None = Field(
        default=None, alias="any", min_length=2, description="Keep what lies inside one of these sets of bounds."
    )
    all_of: tuple[RuleSet, ...] | None = Field(
        default=None, alias="all", min_length=1, description="Keep what lies inside all of these sets of bounds."
    )

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        """Raise ValueError for a set without a rule."""
        if not self.bounds and not self.any_of and not self.all_of:
            raise ValueError("a set of bounds is empty; write one, such as {word_count: {min: 50}}")
        return self

    @property
    def bounds(self) -> dict[str, SignalBound]:
        """The bounds by signal, in the order written."""
        return dict(self.__pydantic_extra__)
