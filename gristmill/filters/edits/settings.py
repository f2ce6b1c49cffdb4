"""What a recipe says about edits. An ``edit`` stage makes one edit; the next one reads what it left."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gristmill.bounds import Sides

PiiType = Literal["email", "ip", "iban", "card", "phone"]


class C4LinesSettings(BaseModel):
    """Lines that C4 leaves out (Raffel et al. 2020), as its reference code or as datatrove has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    meaning: Literal["datatrove", "paper"] = Field(
        "datatrove",
        description="datatrove: a line needs 3 words, citations counted, and may end in an apostrophe; a page needs 5 "
        "sentences. paper: C4's reference code: 5 words, citations not counted, no apostrophe; 3 sentences.",
    )
    terminal_punctuation: bool = Field(
        True, description="Cut lines that do not end in terminal punctuation, or end in `...`. FineWeb has it off."
    )
    ellipses: bool = Field(False, description="Let lines end in `...`, as Dolma does.")
    fewest_words: int | None = Field(None, ge=0, description="Cut lines of fewer words; by default the meaning's.")
    longest_word: int | None = Field(1000, ge=1, description="Cut lines with a word of more characters; null for none.")
    citations: bool = Field(True, description="Cut citation marks such as `[12]` out of the lines.")
    javascript: bool = Field(True, description="Cut lines that have the word javascript.")
    policy: bool = Field(True, description="Cut lines that speak of terms of use, privacy or cookies.")


class RefinedWebLinesSettings(BaseModel):
    """Lines that RefinedWeb leaves out (Penedo et al. 2023, G.2), in DCLM's meaning."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    most_upper_case: float | None = Field(
        0.5, ge=0, le=1, description="Cut lines in which more than this share of the characters is upper case."
    )
    digits: bool = Field(True, description="Cut lines of digits alone.")
    counters: bool = Field(True, description="Cut lines that count something, such as `3 likes`.")
    fewest_words: int = Field(2, ge=0, description="Cut lines of fewer words; empty lines stay.")
    phrases: bool = Field(
        True,
        description="In lines of at most 10 words, cut `items in cart`, a `Read more` before the last three "
        "characters, and a `Sign-in` at the beginning.",
    )


class CitationsSettings(BaseModel):
    """Citation marks: `[12]`, `[]`, `[edit]`, `[citation needed]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RepeatedLinesSettings(BaseModel):
    """Headers and footers: lines that stand in a page several times."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    copies: int = Field(2, ge=2, description="Cut lines that stand in the page at least so many times.")
    where: Literal["ends", "anywhere"] = Field(
        "ends", description="ends: only runs of such lines at the beginning and at the end of the page."
    )
    copies_kept: Literal["none", "first"] = Field("none", description="Whether the first copy of a line stays.")


class SymbolLinesSettings(BaseModel):
    """Lines made of symbols alone, as datatrove's SymbolLinesFormatter cuts them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    symbols: str | None = Field(None, min_length=1, description="The symbols; by default datatrove's punctuation.")
    replacement: str = Field("", description="Stands in place of each run of such lines, as a line of its own.")


class PiiSettings(BaseModel):
    """Personal data, each kind replaced by a text of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    types: tuple[PiiType, ...] = Field(
        ("email", "ip"),
        min_length=1,
        description="What is replaced: email addresses, public IPv4 addresses, IBANs, payment card numbers, phone "
        "numbers with their country code.",
    )
    replacements: dict[PiiType, str] = Field(
        default_factory=dict, description="Other replacements than the default ones, by type."
    )


class UnicodeSettings(BaseModel):
    """Broken encodings repaired by ftfy, and Unicode normalization."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repair: bool = Field(
        True,
        description="Repair mojibake, entities, control characters and terminal escapes as datatrove's FTFYFormatter.",
    )
    normalization: Literal["NFC", "NFD", "NFKC", "NFKD"] | None = Field(
        None, description="Unicode normal form to bring the text into; null for none."
    )

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        """Raise ValueError if there is nothing to do."""
        if not self.repair and self.normalization is None:
            raise ValueError("neither repair nor a normalization: nothing would be edited")
        return self


EDIT_SETTINGS: dict[str, type[BaseModel]] = {
    "c4_lines": C4LinesSettings,
    "refinedweb_lines": RefinedWebLinesSettings,
    "citations": CitationsSettings,
    "repeated_lines": RepeatedLinesSettings,
    "symbol_lines": SymbolLinesSettings,
    "pii": PiiSettings,
    "unicode": UnicodeSettings,
}


class EditSettings(BaseModel):
    """One edit: spans of the text that are cut or replaced, each with its reason. Later stages read what is left.

    A stage makes one edit, such as `- edit: {pii: {}}`; write a stage for each, in the order in which they are to be
    made. The text on disk stays as it was extracted. `keep` bounds what the edit measured of itself: a page that lies
    outside is dropped.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    c4_lines: C4LinesSettings | None = Field(None, description="Lines that C4 leaves out.")
    refinedweb_lines: RefinedWebLinesSettings | None = Field(None, description="Lines that RefinedWeb leaves out.")
    citations: CitationsSettings | None = Field(None, description="Citation marks.")
    repeated_lines: RepeatedLinesSettings | None = Field(None, description="Repeated headers and footers.")
    symbol_lines: SymbolLinesSettings | None = Field(None, description="Lines of symbols alone.")
    pii: PiiSettings | None = Field(None, description="Personal data, masked.")
    unicode: UnicodeSettings | None = Field(None, description="Broken encodings repaired; normalization.")
    keep: dict[str, Sides] = Field(
        default_factory=dict,
        description="Bounds on what the edit measured, beside its published ones or in their place, such as "
        "`{cut_word_ratio: {max: 0.1}}`; null switches one off.",
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        """Raise ValueError unless exactly one edit is named."""
        named = [name for name in EDIT_SETTINGS if name in self.model_fields_set]
        if len(named) != 1:
            said = " and ".join(named) if named else "none"
            raise ValueError(f"a stage makes one edit, named with its settings such as {{pii: {{}}}}; here is {said}")
        return self

    @model_validator(mode="before")
    @classmethod
    def _may_be_bare(cls, value: object) -> object:
        """Take an edit without settings, as in ``{pii: }``, for one with the default ones."""
        if not isinstance(value, dict):
            return value
        return {key: {} if inner is None and key in EDIT_SETTINGS else inner for key, inner in value.items()}

    @property
    def name(self) -> str:
        """The edit's name."""
        return next(name for name in EDIT_SETTINGS if getattr(self, name) is not None)

    @property
    def own(self) -> BaseModel:
        """The edit's own settings."""
        settings: BaseModel = getattr(self, self.name)
        return settings
