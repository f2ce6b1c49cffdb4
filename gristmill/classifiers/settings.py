"""What a recipe says about language identification."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
LabelScheme = Literal["model", "iso639-1", "iso639-3", "iso639-3_script"]
MOST_LABELS = 10


class LanguageLinesSettings(BaseModel):
    """Which lines are judged when their languages are compared with the document's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    least_letters: int = Field(
        default=40, ge=1, description="A line with fewer letters is not judged: too little to tell its language by."
    )
    least_score: Share = Field(
        default=0.5, description="A line whose language is less sure than this is not judged either."
    )


def _as_lines(value: Any) -> Any:
    """Return the settings that ``true`` and ``false`` stand for."""
    return {True: {}, False: None}[value] if isinstance(value, bool) else value


class LanguageSettings(BaseModel):
    """Which language each document is in, and which languages stay."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(
        default="lid176", description="A fastText model: a name from the registry, a path or an fsspec URL."
    )
    first_characters: int | None = Field(
        default=None,
        ge=1,
        description="Read only this many characters of a text: faster. By default the whole text is read.",
    )
    labels: LabelScheme = Field(
        default="model",
        description="How languages are called: as the model labels them, by ISO 639-1 where a language or its "
        "macrolanguage has a code (else 639-3), by ISO 639-3, or by that and the script, as in `eng_Latn`.",
    )
    top: int = Field(
        default=1,
        ge=1,
        le=MOST_LABELS,
        description="How many languages of each text are kept as columns: `language`, `language_2`, `language_3`, … "
        "with `language_score`, `language_2_score`, …",
    )
    least_score: Share | None = Field(
        default=None,
        description="A text whose most likely language is less sure than this is `und`; its score stays.",
    )
    lines: Annotated[LanguageLinesSettings | None, BeforeValidator(_as_lines)] = Field(
        default=None,
        description="`true`: identify each line too, for the columns `mixed_language_ratio` (bytes of judged lines "
        "in another language than the document / bytes of judged lines) and `judged_line_ratio` (bytes of judged "
        "lines / bytes of the text); or which lines are judged.",
    )
    keep: dict[str, Share] | None = Field(
        default=None,
        min_length=1,
        description="Languages that stay, each with the least score: `{en: 0.65}`. They are named as `labels` has "
        "them. By default every document stays.",
    )
