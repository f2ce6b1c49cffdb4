"""What a recipe says about language identification."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]


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
    keep: dict[str, Share] | None = Field(
        default=None,
        min_length=1,
        description="Languages that stay, each with the least score: `{en: 0.65}`. By default every document stays.",
    )
