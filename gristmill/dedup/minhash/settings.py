"""What a recipe says about near-duplicates."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ExactJaccard(BaseModel):
    """Verification by the texts' sets of shingles instead of their signatures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    exact: float = Field(gt=0, le=1, description="Least Jaccard similarity of the sets of shingles.")


class MinHashSettings(BaseModel):
    """How near-duplicates are found, and which candidates count."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ngram: int = Field(default=5, ge=1, le=100, description="Words, or characters, in a shingle.")
    shingles: Literal["words", "characters"] = Field(
        default="words", description="Of what shingles are made: lower-cased `words` or `characters`."
    )
    bands: int | None = Field(
        default=None, ge=1, le=256, description="Bands of a signature; 14, unless `threshold` says."
    )
    rows: int | None = Field(default=None, ge=1, le=64, description="Values in a band; 8, unless `threshold` says.")
    threshold: float | None = Field(
        default=None, gt=0, lt=1, description="Similarity that bands and rows are chosen for, instead of given."
    )
    permutations: int = Field(
        default=128, ge=2, le=1024, description="Values of a signature that `threshold` may use at most."
    )
    verify: Literal["none"] | float | ExactJaccard | None = Field(
        default=None,
        description="Least similarity of a document to its survivor: as the signatures estimate it, or, with `{exact: "
        "0.75}`, exactly. `none`: whatever shares a band is a copy. By default the `threshold`, or else 0.75.",
    )
    scheme: Literal["affine32", "affine64", "legacy", "fineweb", "datatrove"] = Field(
        default="affine32",
        description="Whose signatures: datasketch's by name; `fineweb` and `datatrove` have datatrove's words, which "
        "are spaCy's, with SHA-1 and with XXH64.",
    )
    seed: int = Field(default=1, ge=0, lt=2**32, description="Draws the permutations.")

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        """Raise ValueError for settings that exclude each other."""
        if self.threshold is not None and (self.bands is not None or self.rows is not None):
            raise ValueError("give `bands` and `rows`, or the `threshold` that they are chosen for, not both")
        if self.scheme in ("fineweb", "datatrove") and self.shingles != "words":
            raise ValueError(f"scheme `{self.scheme}` has shingles of words")
        if isinstance(self.verify, float) and not 0 < self.verify <= 1:
            raise ValueError("`verify` is a similarity above 0, of at most 1")
        return self

    @property
    def kind_of_shingles(self) -> str:
        """The name of the shingles, as `shingles.shingles` has it."""
        return self.scheme if self.scheme in ("fineweb", "datatrove") else self.shingles

    @property
    def is_exact(self) -> bool:
        """Whether candidates are verified by their shingles."""
        return isinstance(self.verify, ExactJaccard)

    @property
    def least_similarity(self) -> float | None:
        """The similarity to its survivor that a document must have; None if any will do."""
        if self.verify == "none":
            return None
        if isinstance(self.verify, ExactJaccard):
            return self.verify.exact
        return self.verify if self.verify is not None else (self.threshold or 0.75)
