"""A page of the sample: the response to be written, and the fate that is planned for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from gristmill.sample.draw import choose, draw
from gristmill.sample.prose import Article, articles, load_prose
from gristmill.sample.sites import SITES, Site, article_url, page_html, sites_of

Damage = Literal["truncated", "smashed header", "smashed body"]
Supply = dict[str, Iterator[Article]]


@dataclass(frozen=True)
class Fate:
    """Where a page ends: kept, or dropped by a stage for one of these reasons (others may come with it)."""

    stage: str | None = None
    reasons_any: tuple[str, ...] = ()


KEPT = Fate()


@dataclass(frozen=True)
class Page:
    """One response and what is to become of it.

    ``text`` is what extraction should find, None where only the fate is known. ``contains`` is a string that the text
    has at least. Pages of one ``family`` were made from one article. ``same_second`` puts a page into the second of
    the page before it in its chain.
    """

    case: str
    site: Site
    url: str
    body: bytes
    fate: Fate = KEPT
    status: str = "200 OK"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html; charset=utf-8"),)
    language: str | None = None
    text: str | None = None
    contains: str | None = None
    family: str | None = None
    damage: Damage | None = None
    same_second: bool = False


Chain = tuple[Page, ...]
"""Pages that are crawled in this order, with others between them."""


def supply(seed: int) -> Supply:
    """Return the articles of every language that a site writes in, none taken yet."""
    return {language: articles(language, seed) for language in dict.fromkeys(site.language for site in SITES)}


def home(article: Article) -> Site:
    """Return the site that an article belongs on: mostly that of its subject."""
    sites = sites_of(article.language)
    names = [subject.name for subject in load_prose(article.language).subjects]
    key = (article.language, article.number)
    if draw(3, *key, "elsewhere") == 0:
        return choose(sites, *key, "site")
    return sites[names.index(article.subject) % len(sites)]


def other_sites(site: Site) -> tuple[Site, ...]:
    """Return the sites of the same language, without this one, those of another template first."""
    others = (other for other in sites_of(site.language) if other != site)
    return tuple(sorted(others, key=lambda other: other.template == site.template))


def article_page(article: Article, case: str = "article", site: Site | None = None) -> Page:
    """Return an article's page on a site, its own if none is given: UTF-8, plain, and kept."""
    site = site or home(article)
    url = article_url(article, site)
    return Page(
        case,
        site,
        url,
        page_html(article, site, url).encode(),
        language=article.language,
        text=article.text,
        contains=last_sentence(article),
    )


def ordinary(supplied: Supply, counts: dict[str, int]) -> list[Chain]:
    """Return as many ordinary pages of each language as ``counts`` says, each a chain of its own."""
    return [(article_page(next(supplied[language])),) for language, count in counts.items() for _ in range(count)]


def last_sentence(article: Article) -> str:
    """Return the last sentence of an article that is not plain ASCII, or its last sentence if all are."""
    found = sentences("\n".join(article.paragraphs))
    return next((sentence for sentence in reversed(found) if not sentence.isascii()), found[-1])


def sentences(text: str) -> list[str]:
    """Return the sentences of a text; they end in a full stop, a question mark or their wide forms.

    >>> sentences("One. Two? Three")
    ['One.', 'Two?', 'Three']
    """
    return [part for part in re.split(r"(?<=[.?!])\s+|(?<=[。？！])|\n", text) if part]


def dropped(page: Page, stage: str, *reasons: str) -> Page:
    """Return the page with another fate: dropped by a stage for one of the reasons."""
    return replace(page, fate=Fate(stage, reasons))
