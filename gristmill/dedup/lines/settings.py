"""What a recipe says about lines, sentences and paragraphs that stand in several places."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

Equal = Literal["text", "lower_case", "ccnet", "normalized_text"]
Copies = Literal["none", "first"]


class Meaning(NamedTuple):
    """What a published pipeline compares, and what it cuts."""

    unit: Literal["line", "sentence"]
    span: int
    equal: Equal
    most: int
    copies_kept: Copies
    bucket_documents: int | None = None


MEANINGS: dict[str, Meaning] = {
    "ccnet": Meaning("line", 1, "ccnet", 1, "first"),
    "c4": Meaning("sentence", 3, "text", 1, "first"),
    "c4_code": Meaning("line", 1, "lower_case", 1, "first"),
    "llama3": Meaning("line", 1, "text", 6, "none", 30_000_000),
}
"""The meanings by name; docs/dedup-lines.md says where each was published."""


class LinesSettings(BaseModel):
    """Which lines, or sentences, count as copies of each other, how often one may stand, and whether a copy stays.

    What is not given is the meaning's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    meaning: Literal["ccnet", "c4", "c4_code", "llama3"] = Field(
        "ccnet",
        description="ccnet: all copies of a line but the first are cut, whatever its case, digits and typographic "
        "punctuation. c4: of each three sentences in a row all copies but the first. c4_code: lines, in any case. "
        "llama3: every copy of a line that stands more than 6 times in a bucket of 30 million documents.",
    )
    unit: Literal["line", "sentence"] | None = Field(None, description="What is compared.")
    span: int | None = Field(None, ge=1, le=100, description="How many units in a row are compared as one.")
    equal: Equal | None = Field(
        None,
        description="What makes units equal, without the white space at their ends: `text`, byte for byte; "
        "`lower_case`; `ccnet`; `normalized_text`, as `exact` has it: letters and numbers alone.",
    )
    most: int | None = Field(None, ge=1, description="Cut what stands more often than this.")
    copies_kept: Copies | None = Field(
        None, description="Whether the first copy stays: that of the document that survives."
    )
    bucket_documents: int | None = Field(
        None, ge=1, description="Count in buckets of so many documents, chosen by a hash of their ids."
    )
    words: Literal["unicode", "spacy"] = Field(
        "unicode", description="The words that sentences are found by; spaCy's are slower."
    )

    @property
    def meant(self) -> Meaning:
        """The meaning, with what is given in place of its own."""
        given = {name: getattr(self, name) for name in Meaning._fields if getattr(self, name) is not None}
        return MEANINGS[self.meaning]._replace(**given)


class ParagraphsSettings(BaseModel):
    """Paragraphs most of whose n-grams of words stand before them, in any document, as BFF finds them for DCLM.

    A paragraph is a line. A page most of whose n-grams were seen is dropped by the same share.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ngram: int = Field(13, ge=1, le=100, description="Words in an n-gram.")
    fewest_words: int = Field(
        13,
        ge=1,
        description="Paragraphs of fewer words are left alone. One of fewer than `ngram` is one n-gram, all of it.",
    )
    most_seen: float = Field(
        0.8, ge=0, le=1, description="Cut a paragraph, or drop a page, of which a larger share was seen."
    )
