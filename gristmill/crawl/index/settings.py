"""What a recipe asks a crawl's index for."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gristmill.crawl.index.host_lists import with_lists
from gristmill.crawl.index.patterns import Host, UrlPattern

MOST_RECORDS = 500_000
"""Most records of one query: their ranges are sorted in memory, and more of a crawl is better read whole."""

_LANGUAGE = r"^[a-z]{3}$"
_MIME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,127}/[!#$%&'*+.^_`|~0-9a-z-]{1,127}")


def _as_list(value: Any) -> Any:
    return (value,) if isinstance(value, str | int) else value


def _as_set(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(set(values)))


def _host(value: str) -> str:
    return Host.parse(value).written


def _pattern(value: str) -> str:
    return UrlPattern.parse(value).written


def _media_type(value: str) -> str:
    if not _MIME.fullmatch(value.lower()):
        raise ValueError("a media type is written as text/html")
    return value.lower()


_Several = (BeforeValidator(_as_list), AfterValidator(_as_set))
_Hosts = Annotated[
    tuple[Annotated[str, AfterValidator(_host)], ...],
    AfterValidator(_as_set),
    BeforeValidator(with_lists),
    BeforeValidator(_as_list),
]
_Patterns = Annotated[tuple[Annotated[str, AfterValidator(_pattern)], ...], *_Several]
_Languages = Annotated[tuple[Annotated[str, Field(pattern=_LANGUAGE)], ...], *_Several]
_MediaTypes = Annotated[tuple[Annotated[str, AfterValidator(_media_type)], ...], *_Several]
_Statuses = Annotated[tuple[Annotated[int, Field(ge=100, le=999)], ...], *_Several]
_Subsets = Annotated[tuple[Literal["warc", "crawldiagnostics", "robotstxt"], ...], *_Several]


class IndexSettings(BaseModel):
    """Which records of a crawl are read. A record is chosen if it satisfies every condition that is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: _Hosts = Field(
        (),
        description="Hosts: `example.org` is that host alone, `*.example.org` or `.example.org` all below it too; "
        "`@hosts.txt` is a file with a host a line, as `gristmill recall` writes it.",
    )
    url_patterns: _Patterns = Field(
        (),
        description="Whole addresses in which `*` stands for anything: `https://*.example.org/news/*`. "
        "In the host it does not reach beyond it. `*://` stands for both schemes.",
    )
    languages: _Languages = Field(
        (), description="Main languages of pages as the crawler found them, by ISO 639-3 code: `eng`, `deu`."
    )
    mime: _MediaTypes = Field((), description="Media types as the crawler detected them: `text/html`.")
    status: _Statuses = Field((), description="HTTP status codes.")
    since: date | None = Field(None, description="First day of fetching (UTC).")
    until: date | None = Field(None, description="Last day of fetching (UTC), which belongs to it.")
    subsets: _Subsets = Field(
        ("warc",),
        min_length=1,
        description="Parts of the crawl: `warc` are pages that were fetched, `crawldiagnostics` redirects and errors.",
    )
    limit: int | None = Field(
        None, ge=1, le=MOST_RECORDS, description="Most records; if there are more, a hash of the seed chooses."
    )
    seed: int = Field(0, ge=0, description="Another seed chooses other records where there is a limit.")
    via: Literal["columnar", "cdx"] = Field(
        "columnar",
        description="What is asked: the columnar index in Parquet answers everything; the CDX server is quicker for "
        "few hosts, and must be told `hosts` or `url_patterns`.",
    )
    records_per_shard: int = Field(2000, ge=1, le=100_000, description="Most records of one shard.")

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        """Raise ValueError for dates the wrong way round, and for what the CDX server cannot be asked."""
        if self.since and self.until and self.until < self.since:
            raise ValueError(f"until {self.until} is before since {self.since}")
        if self.via == "cdx" and not self.hosts and not self.url_patterns:
            raise ValueError("the CDX server is asked by address: add hosts or url_patterns, or take via: columnar")
        for written in self.url_patterns if self.via == "cdx" and not self.hosts else ():
            domain = UrlPattern.parse(written).domain
            if domain is None or (domain.and_below and "." not in domain.name):
                raise ValueError(f"'{written}' tells no host that the CDX server could be asked for; add hosts")
        return self
