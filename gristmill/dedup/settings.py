"""What a recipe says about duplicates and about benchmark contamination."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from gristmill.bounds import Sides
from gristmill.dedup.benchmarks.settings import Benchmark, BenchmarkSettings
from gristmill.dedup.bloom.settings import BloomSettings
from gristmill.dedup.lines.settings import LinesSettings, ParagraphsSettings
from gristmill.dedup.minhash.settings import MinHashSettings
from gristmill.dedup.simhash.settings import SimHashSettings
from gristmill.dedup.substrings.settings import SubstringsSettings


class SurvivorSettings(BaseModel):
    """Which document of a cluster stays: the first by what is named here, then by id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Literal["oldest", "newest", "longest"] | None = Field(
        None, description="By the date of the fetch, or by the bytes of the text."
    )
    highest: str | None = Field(None, description="The one with the highest value of this signal or score.")
    lowest: str | None = Field(None, description="The one with the lowest value of this signal or score.")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        """Raise ValueError unless exactly one policy is named."""
        if sum(value is not None for value in (self.by, self.highest, self.lowest)) != 1:
            raise ValueError(f"one of {', '.join(_POLICIES)}, {{highest: SIGNAL}} and {{lowest: SIGNAL}}")
        return self

    @property
    def column(self) -> str | None:
        """The signal or score that decides; None if a date or a length does."""
        return self.highest or self.lowest


_POLICIES = ("oldest", "newest", "longest")


def _from_word(given: Any) -> Any:
    """Return the long form of a policy that is one word.

    >>> SurvivorSettings.model_validate(_from_word("newest")).by
    'newest'
    """
    return {"by": given} if isinstance(given, str) else given


Survivor = Annotated[
    SurvivorSettings, BeforeValidator(_from_word, json_schema_input_type=Literal[_POLICIES] | SurvivorSettings)
]


class UrlSettings(BaseModel):
    """What makes two URLs the same, beyond scheme, case of the host, default port, fragment and tracking parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cut_www: bool = Field(False, description="Whether `www.example.com` is `example.com`.")
    cut_parameters: tuple[str, ...] = Field(
        (), description="More parameters that change nothing on a page, such as `ref`, in any case."
    )


SPAN_KINDS = ("lines", "paragraphs", "substrings")
"""Kinds that cut spans out of the texts; the others drop documents."""

DEFAULT_SURVIVORS: dict[str, str] = {
    "exact": "oldest",
    "url": "newest",
    "minhash": "longest",
    "simhash": "longest",
    **dict.fromkeys(SPAN_KINDS, "oldest"),
}
"""Each kind of deduplication, with the survivor that it has where a recipe names none."""

_BARE = ("url", "bloom", *SPAN_KINDS)


class DedupSettings(BaseModel):
    """Which documents count as copies of each other, and which of them stays.

    A stage makes one kind of deduplication, such as `- dedup: {exact: text}`; write a stage for each.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    exact: Literal["text", "normalized_text"] | None = Field(
        None,
        description="What must be equal: the `text`, byte for byte, or the `normalized_text`: its letters and numbers "
        "in lower case, without accents, every digit 0.",
    )
    url: UrlSettings | None = Field(None, description="The normalized URL must be equal.")
    minhash: MinHashSettings | None = Field(None, description="Near-duplicates: texts that share most shingles.")
    simhash: SimHashSettings | None = Field(
        None, description="Near-duplicates among long texts: fingerprints that differ in few bits."
    )
    lines: LinesSettings | None = Field(
        None, description="Lines, or sentences in a row, that stand in several places are cut."
    )
    paragraphs: ParagraphsSettings | None = Field(
        None, description="Paragraphs are cut whose n-grams of words mostly stand before them, in any document."
    )
    substrings: SubstringsSettings | None = Field(
        None, description="Runs of words that stand in several places are cut."
    )
    bloom: BloomSettings | None = Field(
        None,
        description="Bloom filters for `exact` or `url`, where the keys of all documents are too many: they tell which "
        "documents may have a copy, and a later run can go against them.",
    )
    keep: dict[str, Sides] = Field(
        default_factory=dict,
        description="Only where spans are cut: bounds on what was measured of it, beside the kind's own or in their "
        "place, such as `{cut_byte_ratio: {max: 0.8}}`; null switches one off.",
    )
    survivor: Survivor | None = Field(
        None,
        description="Which document of a cluster stays: `oldest`, `newest`, `longest`, or `{highest: SIGNAL}` or "
        "`{lowest: SIGNAL}` of what an earlier stage measured. Ties go to the smaller id. By default `oldest`, for "
        "`url` `newest`, for `minhash` and `simhash` `longest`.",
    )
    scope: str = Field(
        "corpus",
        description="Where copies are looked for: in the whole `corpus`, within each `crawl`, within each `host`, or "
        "within each value of a text that an earlier stage found, such as `language`.",
    )
    against: tuple[str, ...] = Field(
        (),
        description="Finished runs, by folder or by name in ./runs, whose documents count as older than all of this "
        "run: a copy of one is dropped. They are compared by their saved keys or signatures.",
    )
    warn: bool = Field(
        True,
        description="Whether to warn if it drops nothing of 10,000 documents, or over 90% of 1,000 or more, or joins "
        "1,000 near-duplicates of which not all are alike.",
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        """Raise ValueError unless exactly one kind is named."""
        named = [name for name in DEFAULT_SURVIVORS if getattr(self, name) is not None]
        if len(named) != 1:
            said = " and ".join(named) if named else "none"
            raise ValueError(f"a stage makes one kind of deduplication, such as {{exact: text}}; here is {said}")
        return self

    @model_validator(mode="after")
    def _compares_what_is_saved(self) -> Self:
        """Raise ValueError where older runs would be compared by more than what they saved."""
        if self.against and self.minhash and (self.minhash.is_exact or self.minhash.least_similarity is None):
            raise ValueError(
                "'minhash' goes 'against' older runs by their signatures, without their texts: give `verify` a "
                "similarity, such as 0.75, instead of `exact` or `none`"
            )
        return self

    @model_validator(mode="after")
    def _bloom_has_keys(self) -> Self:
        """Raise ValueError for Bloom filters where nothing must be equal."""
        if self.bloom is not None and self.exact is None and self.url is None:
            raise ValueError(f"`bloom` is for what must be equal, `exact` or `url`, not for `{self.kind}`")
        return self

    @model_validator(mode="after")
    def _bounds_what_it_measures(self) -> Self:
        """Raise ValueError for bounds on a kind that drops whole documents."""
        if self.keep and not self.cuts_spans:
            raise ValueError(f"'keep' bounds what is measured where spans are cut; '{self.kind}' drops whole documents")
        return self

    @model_validator(mode="before")
    @classmethod
    def _may_be_bare(cls, given: Any) -> Any:
        """Take what is named without settings, as in ``{url: }``, for that with the default ones."""
        if not isinstance(given, dict):
            return given
        return {key: {} if inner is None and key in _BARE else inner for key, inner in given.items()}

    @property
    def kind(self) -> str:
        """The kind's name."""
        return next(name for name in DEFAULT_SURVIVORS if getattr(self, name) is not None)

    @property
    def cuts_spans(self) -> bool:
        """Whether it cuts spans out of the texts."""
        return self.kind in SPAN_KINDS

    @property
    def policy(self) -> SurvivorSettings:
        """The survivor that is named, or else the kind's own."""
        return self.survivor or SurvivorSettings.model_validate({"by": DEFAULT_SURVIVORS[self.kind]})


Action = Literal["report", "cut", "drop_document"]

ACTIONS: Final[tuple[Action, ...]] = ("report", "cut", "drop_document")
"""What becomes of a document that has an item, the gravest last."""


class DecontaminateSettings(BaseModel):
    """Which evaluation sets are looked for in the documents, and what becomes of a document that quotes one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    benchmarks: tuple[Benchmark, ...] = Field(
        min_length=1,
        description="Evaluation sets: names that `gristmill benchmarks list` shows, or files; a path alone stands for "
        "`{path: ...}`.",
    )
    ngram: int = Field(default=13, ge=5, le=100, description="How many words in a row must be equal.")
    short_words: int | None = Field(
        default=8,
        ge=5,
        description="An item without n-gram is found where a text of it stands whole that has so many words; null: it "
        "is not found.",
    )
    most_documents: int | None = Field(
        default=None,
        ge=1,
        description="An n-gram or short item that more documents of the corpus have is passed over, as a common "
        "phrase; null: none is.",
    )
    action: Action = Field(
        default="drop_document",
        description="`drop_document`; `cut` what is found with up to 200 characters on both sides, and drop a document "
        "that is cut more than 10 times or has under 200 characters left; or `report`: keep every document.",
    )
    actions: dict[str, Action] = Field(
        default_factory=dict, description="The action for some benchmarks, by name, as in `{mmlu: report}`."
    )

    @field_validator("benchmarks")
    @classmethod
    def _names_differ(cls, benchmarks: tuple[BenchmarkSettings, ...]) -> tuple[BenchmarkSettings, ...]:
        names = [benchmark.name for benchmark in benchmarks]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{names.count(name)} benchmarks are called {name!r}: give each its own `name`")
        return benchmarks

    @model_validator(mode="after")
    def _actions_are_of_benchmarks(self) -> Self:
        names = [benchmark.name for benchmark in self.benchmarks]
        for name in self.actions:
            if name not in names:
                raise ValueError(f"`actions` names {name!r}, which is no benchmark of the stage: {', '.join(names)}")
        return self

    @property
    def action_of(self) -> dict[str, Action]:
        """The action for each benchmark."""
        return {benchmark.name: self.actions.get(benchmark.name, self.action) for benchmark in self.benchmarks}

    @property
    def cutting(self) -> tuple[str, ...]:
        """The benchmarks that are cut out of pages."""
        return tuple(name for name, action in self.action_of.items() if action == "cut")
