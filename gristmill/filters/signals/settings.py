"""What a recipe says about signals."""

from __future__ import annotations

from collections import Counter
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Family = Literal[
    "gopher_repetition",
    "gopher_quality",
    "fineweb",
    "c4",
    "mc4",
    "gopher_repetition_dolma",
    "gopher_quality_dolma",
    "stop_words",
    "url",
    "bad_words",
    "host_category",
    "pii",
    "scripts",
    "code",
    "gopher_repetition_dclm",
    "gopher_quality_dclm",
    "refinedweb",
    "redpajama_v2",
    "redpajama_v2_lists",
]
WordKind = Literal["unicode", "whitespace", "spacy"]


class ListSettings(BaseModel):
    """Where published lists lie. Each is a folder or a tar archive, as a path or an fsspec URL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stop_words: str | None = Field(
        default=None,
        min_length=1,
        description="Stop words by language: FineWeb-2's `configs`, or files such as fr.txt with a word a line, or one "
        "JSON file of `{language: [words]}`.",
    )
    bad_words: str | None = Field(
        default=None,
        min_length=1,
        description="Obscene words by language: LDNOOBW's folder, or one of the forms of `stop_words`.",
    )
    ut1: str | None = Field(
        default=None,
        min_length=1,
        description="Domains by category: UT1's folder or archive, with a folder for each category.",
    )
    labels: dict[str, str] = Field(
        default_factory=dict,
        description="What the `language` stage calls a language of the lists of words, where it is none of the names "
        "that they have for it: `{fra_Latn: french}`.",
    )

    @model_validator(mode="after")
    def _are_labels_of_one_language(self) -> Self:
        """Raise ValueError for a label that would stand for two languages."""
        twice = [label for label, count in Counter(self.labels.values()).items() if count > 1]
        if twice:
            raise ValueError(f"labels: '{twice[0]}' is given to two languages")
        return self


LISTS: Final = tuple(name for name in ListSettings.model_fields if name != "labels")
"""The lists that signals can need, by their key in a recipe."""


class SignalsSettings(BaseModel):
    """Which signals are measured, and on which words. Measuring costs time; rules on what was measured cost none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    families: tuple[Family, ...] = Field(
        default=("gopher_repetition", "gopher_quality"),
        min_length=1,
        description="Families of signals to measure. A rule can only bound a signal that is measured before it.",
    )
    words: WordKind = Field(
        default="unicode",
        description="What a word is. unicode: letters and digits that stand together (UAX 29), a run of symbols, or "
        "one ideograph, kana or Thai letter. whitespace: whatever stands between white space. "
        "spacy: as spaCy's English tokenizer has it, which is what datatrove uses (needs the extra `spacy`).",
    )
    lists: ListSettings = Field(
        default=ListSettings(), description="Where the lists lie that some families read; gristmill holds none."
    )
