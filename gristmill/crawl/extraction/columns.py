"""What a page says of itself, for the columns that are asked for: title, date of publication, licence.

Each is taken as it stands in the page, as one line of bounded length, and believed in nothing: a page can say what it
likes, and most say nothing. Read from a parse of its own, so that a run that asks for none pays for none.

Not here: guessing. htmldate also reads dates out of addresses and running text, and finds more; but what a date leaves
out it fills in from the day on which it runs ("2017-09" becomes the 25th on a 25th), and no output may depend on that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from resiliparse.parse.html import HTMLTree

_ELEMENTS = 50
_LONGEST_TITLE = 500
_LONGEST_DATE = 64
_LONGEST_LINK = 2000
_UNWANTED = re.compile("[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]+")
_PUBLISHED = (
    "article:published_time",
    "og:article:published_time",
    "datepublished",
    "dc.date.issued",
    "dcterms.issued",
    "citation_publication_date",
    "parsely-pub-date",
    "sailthru.date",
    "publishdate",
    "publish-date",
    "publish_date",
    "publication_date",
    "pubdate",
    "dc.date",
    "dcterms.date",
    "dc.date.created",
    "dcterms.created",
    "date",
)
"""Names under which pages state their date in ``<meta>``, the surest first."""
_RANKS = {name: rank for rank, name in enumerate(_PUBLISHED)}
_DATED = ",".join(f'meta[{key}="{name}" i]' for name in _PUBLISHED for key in ("property", "name", "itemprop"))
_JSON_DATE = re.compile(r'"datePublished"\s*:\s*"([^"\\]{4,64})"')
_COMMONS = re.compile(r"(?:https?:)?//(?:www\.)?creativecommons\.org/(?:licenses|publicdomain)/", re.IGNORECASE)


def column_values(html: str, columns: Sequence[str]) -> tuple[str | None, ...]:
    """Return a page's values of these columns, in their order; None for what it does not say.

    >>> column_values("<title>A  mill</title><a rel=license href=https://example.org/free>", ("licence", "title"))
    ('https://example.org/free', 'A mill')
    """
    tree = HTMLTree.parse(html)
    return tuple(COLUMNS[name](tree) for name in columns)


def title(tree: Any) -> str | None:
    """Return the text of the page's ``<title>``, cut at 500 characters."""
    return (_line(tree.title) or "")[:_LONGEST_TITLE].rstrip() or None


def published(tree: Any) -> str | None:
    """Return the date of publication as the page writes it: in ``<meta>``, JSON-LD, or what is marked as it.

    What is longer than 64 characters is no date.
    """
    return _date(_meta_date(tree)) or _date(_json_date(tree)) or _date(_marked_date(tree))


def licence(tree: Any) -> str | None:
    """Return the first link that the page marks as its licence, or else the first to a Creative Commons licence.

    A link of more than 2,000 characters is none, since cut it would lead elsewhere.
    """
    marked = _first(tree, 'a[rel~="license"],link[rel~="license"],area[rel~="license"]')
    commons = _first(tree, 'a[href*="creativecommons.org/" i],link[href*="creativecommons.org/" i]')
    links = [link for link in map(_link, marked) if link]
    links += [link for link in map(_link, commons) if link and _COMMONS.match(link)]
    return links[0] if links else None


def _first(tree: Any, selector: str) -> Iterator[Any]:
    """Yield the first 50 elements that a selector finds; going through all of them takes quadratic time."""
    return islice(tree.document.query_selector_all(selector), _ELEMENTS)


def _meta_date(tree: Any) -> str | None:
    """Return the content of the ``<meta>`` whose name is the surest; the first of those with the same."""
    best, found = len(_RANKS), None
    for meta in _first(tree, _DATED):
        name = meta.getattr("property") or meta.getattr("name") or meta.getattr("itemprop") or ""
        rank = _RANKS.get(name.lower(), best)
        if rank < best and _date(meta.getattr("content")):
            best, found = rank, meta.getattr("content")
    return found


def _json_date(tree: Any) -> str | None:
    for script in _first(tree, 'script[type="application/ld+json"]'):
        if match := _JSON_DATE.search(script.text):
            return match[1]
    return None


def _marked_date(tree: Any) -> str | None:
    element = tree.document.query_selector('[itemprop~="datePublished"],time[pubdate]')
    return None if element is None else element.getattr("datetime") or element.getattr("content") or element.text


def _date(value: str | None) -> str | None:
    """Return a value that can be a date: it has a digit, and few characters."""
    line = _line(value)
    return line if line and len(line) <= _LONGEST_DATE and any(map(str.isdecimal, line)) else None


def _link(element: Any) -> str | None:
    """Return where an element links to, or None."""
    line = _line(element.getattr("href"))
    return line if line and len(line) <= _LONGEST_LINK else None


def _line(value: str | None) -> str | None:
    """Return a value as one line: no control characters, no lone surrogates, single spaces; None if nothing is left."""
    return _UNWANTED.sub(" ", value or "").strip() or None


COLUMNS: dict[str, Callable[[Any], str | None]] = {"licence": licence, "published": published, "title": title}
