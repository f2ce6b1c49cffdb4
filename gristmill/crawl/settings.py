"""What a recipe says of extraction: which pages, by which extractor, within which bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gristmill.crawl.urls.settings import Blocklists, OptOut, UrlRuleSettings
from gristmill.units import Duration, Size

BASE = "https://data.commoncrawl.org"
"""Where Common Crawl's files lie."""


def _as_sorted(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    return tuple(sorted(set(value))) if isinstance(value, (list, tuple)) else value


MediaType = Literal["text/html", "application/xhtml+xml", "text/plain"]
PageColumn = Literal["title", "published", "licence"]


class ExtractSettings(BaseModel):
    """How text is extracted. Every field can change what is extracted, so all of them are part of a run's hash."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    extractor: Literal["trafilatura", "resiliparse", "justext", "cascade"] = Field(
        "trafilatura",
        description="What finds the main text: trafilatura is best, resiliparse fifteen times faster, justext keeps "
        "paragraphs of prose; cascade asks trafilatura only for pages that the stages after it can keep.",
    )
    mode: Literal["precision", "default", "fast", "recall"] = Field(
        "precision",
        description="What trafilatura favours, in a cascade too; FineWeb took precision. Others have no modes.",
    )
    timeout: Duration = Field(
        10.0,
        ge=0.001,
        le=86400,
        allow_inf_nan=False,
        description="CPU time for one page, in seconds or as 10s, 500ms. A page that needs more has no text.",
    )
    max_body: Size = Field(
        5 << 20,
        gt=0,
        le=1 << 30,
        description="Largest page, in bytes or as 5MiB, compression undone. Common Crawl cuts pages at 5 MiB itself.",
    )
    max_depth: int = Field(
        1000,
        ge=1,
        description="Deepest nesting of elements; parsing takes quadratic time in it. Of 6,801 real pages one has 819.",
    )
    repair_mojibake: bool = Field(
        False,
        description="Repair text that was decoded by a wrong charset before it was crawled, line by line, with ftfy.",
    )
    media_types: Annotated[tuple[MediaType, ...], BeforeValidator(_as_sorted)] = Field(
        ("application/xhtml+xml", "text/html"),
        min_length=1,
        description="Media types that have a text. text/plain, if named, is its own text.",
    )
    url_blocklist: Blocklists = Field(
        (),
        description="Lists of domains and addresses that are not extracted: `default` is FineWeb's, with its words; or "
        "paths and URLs of plain lists, UT1 archives and UT1 folders.",
    )
    url_rules: UrlRuleSettings = Field(
        default_factory=lambda: UrlRuleSettings.model_validate({}),
        description="Further domains, addresses and words, and what is allowed.",
    )
    opt_out: OptOut = Field(
        None, description="Signals of opting out that drop a page, such as `[noai, tdm]`; by default none does."
    )
    columns: Annotated[tuple[PageColumn, ...], BeforeValidator(_as_sorted)] = Field(
        (),
        description="What else to take from a page that has a text, as the page states it: its title, when it was "
        "published, and the link to its licence.",
    )
