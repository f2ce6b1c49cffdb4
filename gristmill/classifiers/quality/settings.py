"""What a recipe says about fastText classifiers and the scores that they give."""

from __future__ import annotations

import difflib
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from gristmill.bounds import Number, Sides
from gristmill.classifiers.quality.presets import PRESETS

ONLY_ONE = "fasttext_quality"
"""What a classifier is called that the recipe gives no name."""

Normalize = Literal["plain", "lines", "lowercase", "words"]
_RESERVED = frozenset({"keep", "language"})


class ClassifierSettings(BaseModel):
    """A fastText model, and how it is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(description="A fastText model: a name from the registry, a path or an fsspec URL.")
    label: str | dict[str, Number] | None = Field(
        default=None,
        min_length=1,
        description="The label whose probability is the score, with `__label__` or without; or several, whose "
        "probabilities are added up, each times a number: `{high: 1, mid: 0.5}`. By default the one that "
        "the model's own file of settings, the preset or the labels themselves tell.",
    )
    normalize: Normalize | None = Field(
        default=None,
        description="How a text becomes the line that fastText reads: `plain` (line feeds become spaces), or `lines`, "
        "`lowercase` or `words` as in training. By default as the model's own file or the preset says, else `plain`.",
    )
    first_characters: int | None = Field(
        default=None, ge=1, description="Read only this many characters of a text. By default as the stage says."
    )
    buckets: tuple[Number, ...] | None = Field(
        default=None,
        min_length=1,
        description="Ascending scores: `<name>_bucket` is how many of them the score reaches, from 0.",
    )

    @model_validator(mode="after")
    def _ascends(self) -> Self:
        """Raise ValueError for bounds of buckets that do not ascend."""
        if any(low >= high for low, high in pairwise(self.buckets or ())):
            raise ValueError(f"buckets: {list(self.buckets or ())} does not ascend")
        return self


def _with_model(value: Any) -> Any:
    return {"model": value} if isinstance(value, str) else value


def _with_name(value: Any) -> Any:
    return {ONLY_ONE: value} if isinstance(value, str) else value


def _free(name: str) -> str:
    """Return a classifier's name. Raises ValueError for one that other columns or steps have."""
    if name in _RESERVED:
        raise ValueError(f"a classifier cannot be called '{name}': that is taken")
    return name


def _known(name: str) -> str:
    """Return a preset's name. Raises ValueError for what is none."""
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=1, cutoff=0.6)
        hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(PRESETS)}"
        raise ValueError(f"there is no preset '{name}' of a classifier; {hint}")
    return name


def _describe(schema: dict[str, Any]) -> None:
    """Offer the short forms and the presets to editors."""
    written = schema["properties"]["fasttext"]
    ((names, classifier),) = written["patternProperties"].items()
    several = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": names},
        "additionalProperties": {"anyOf": [{"type": "string"}, classifier]},
    }
    schema["properties"]["fasttext"] = {
        "anyOf": [{"type": "string"}, several],
        "description": written["description"],
    }
    schema["properties"]["use"]["items"] = {"enum": list(PRESETS)}


_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,60}$"), AfterValidator(_free)]


class QualitySettings(BaseModel):
    """Scores of fastText classifiers, and which documents stay by them.

    ``fasttext: models/quality.bin`` is one classifier, whose column is `fasttext_quality_score`;
    ``fasttext: {dclm: models/dclm.bin, wiki: {model: models/wiki.bin, label: wiki}}`` are several, each with a name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_describe)

    fasttext: Annotated[
        dict[_Name, Annotated[ClassifierSettings, BeforeValidator(_with_model)]], BeforeValidator(_with_name)
    ] = Field(min_length=1, description="A model; or several by name. The score of `dclm` is the column `dclm_score`.")
    use: tuple[Annotated[str, AfterValidator(_known)], ...] = Field(
        default=(),
        description="Published presets: label, normalization and bound of the classifier that bears the preset's name.",
    )
    first_characters: int | None = Field(
        default=None,
        ge=1,
        description="Read only this many characters of a text: faster. By default the whole text is read.",
    )
    keep: dict[str, Sides] = Field(
        default_factory=dict,
        description="Bounds on the columns of this stage, beside those of the presets or instead of them: "
        "`{fasttext_quality_score: {min: 0.018}}`. null switches one of a preset off.",
    )

    @model_validator(mode="before")
    @classmethod
    def _asks_fasttext(cls, value: Any) -> Any:
        """Raise ValueError for a model of perplexity, which is asked in a stage of its own."""
        if isinstance(value, dict) and "kenlm" in value:
            raise ValueError(f"perplexity is a stage of its own: write - perplexity: {{model: {value['kenlm']}}}")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Raise ValueError for presets that contradict each other, or whose classifier is not there."""
        wanted: dict[str, str] = {}
        for name in self.use:
            classifier = PRESETS[name].classifier
            if classifier in wanted:
                raise ValueError(f"use: '{wanted[classifier]}' and '{name}' are both for the classifier '{classifier}'")
            wanted[classifier] = name
            if classifier not in self.fasttext:
                given = next(iter(self.fasttext.values())).model
                raise ValueError(
                    f"preset '{name}' is for a classifier called '{classifier}': write "
                    f"fasttext: {{{classifier}: {{model: {given if len(self.fasttext) == 1 else '…'}}}}}"
                )
        return self
