"""The sample's hosts and how they set a page: whole HTML documents around an article."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template

from gristmill.sample.draw import digest, draw
from gristmill.sample.prose import Article, load_prose


@dataclass(frozen=True)
class Site:
    """A host under a name reserved for examples (RFC 2606), the language it writes in, and its template."""

    host: str
    name: str
    language: str
    template: str

    @property
    def address(self) -> str:
        """An IPv4 address from the blocks reserved for documentation (RFC 5737)."""
        block = ("192.0.2", "198.51.100", "203.0.113")[draw(3, self.host, "block")]
        return f"{block}.{1 + draw(254, self.host, 'address')}"


SITES: tuple[Site, ...] = (
    Site("www.arches.example", "Arches and Rivers", "en", "journal"),
    Site("plainkitchen.example.com", "The Plain Kitchen", "en", "bulletin"),
    Site("plots.example.org", "Plots and Hedges", "en", "notebook"),
    Site("shoreline.example.net", "Shoreline", "en", "classic"),
    Site("slowwheels.test", "Slow Wheels", "en", "bulletin"),
    Site("stacks.example.org", "The Stacks", "en", "journal"),
    Site("weatherdiary.example", "Weather Diary", "en", "notebook"),
    Site("bench.example.com", "At the Bench", "en", "classic"),
    Site("sheetlines.test", "Sheet Lines", "en", "journal"),
    Site("hivenotes.example.net", "Hive Notes", "en", "bulletin"),
    Site("www.bruecken.example", "Brücken und Bögen", "de", "journal"),
    Site("gartenheft.example.org", "Das Gartenheft", "de", "bulletin"),
    Site("werkbank.test", "Werkbank", "de", "classic"),
    Site("cuisine.example", "Cuisine de semaine", "fr", "bulletin"),
    Site("rivages.example.org", "Rivages", "fr", "notebook"),
    Site("carnets.test", "Carnets", "fr", "journal"),
    Site("ruedas.example", "Ruedas", "es", "notebook"),
    Site("nubes.example.net", "Cuaderno de nubes", "es", "journal"),
    Site("plaza.test", "La plaza", "es", "bulletin"),
    Site("orto.example", "Orto", "it", "journal"),
    Site("mosty.example", "Mosty", "pl", "bulletin"),
    Site("hatake.example", "畑の便り", "ja", "journal"),
    Site("guqiao.example", "古桥", "zh", "notebook"),
)


def sites_of(language: str) -> tuple[Site, ...]:
    """Return the hosts that write in a language."""
    return tuple(site for site in SITES if site.language == language)


def slug(title: str) -> str:
    """Return a title as it stands in a URL: ASCII letters, digits and hyphens; empty for a title without any.

    >>> slug("Was der Fluß übrigläßt")
    'was-der-flu-ubriglat'
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def article_url(article: Article, site: Site) -> str:
    """Return the address of an article on a site; each template has its own habit."""
    name = "-".join(part for part in (slug(article.title), str(article.number)) if part)
    paths = {
        "journal": f"https://{site.host}/{article.subject}/{name}.html",
        "bulletin": f"https://{site.host}/archive/{name}/",
        "notebook": f"https://{site.host}/{article.subject}-{name}",
        "classic": f"http://{site.host}/{article.subject}{article.number}.htm",
    }
    return paths[site.template]


def page_html(article: Article, site: Site, url: str, charset: str = "utf-8") -> str:
    """Return the page on which a site shows an article, with its menu, notices, scripts and links."""
    return set_page(site, url, article.title, article_html(article.title, article.paragraphs), charset)


def article_html(title: str, paragraphs: Sequence[str]) -> str:
    """Return a heading and paragraphs as HTML, a line each, with their text escaped."""
    lines = (f"<p>{html.escape(text, quote=False)}</p>" for text in paragraphs)
    return "\n".join((f"<h1>{html.escape(title, quote=False)}</h1>", *lines))


def set_page(site: Site, url: str, title: str, body: str, charset: str = "utf-8") -> str:
    """Return a site's page around ``body``, which is HTML; the title is plain text."""
    prose = load_prose(site.language)
    phrases = {key: html.escape(values[0]) for key, values in prose.phrases.items()}
    subjects = [subject for subject in prose.subjects for _ in range(2)]
    related = [subject.titles[place % 2] for place, subject in enumerate(subjects)][:6]
    phrases |= {
        "menu": _links(prose.phrases["menu"]),
        "related": _links(tuple(related)),
        "description": html.escape(", ".join(subject.topic for subject in prose.subjects[:3])),
        "build": digest(site.host).hex()[:8],
        "language": site.language,
        "charset": charset,
        "site": html.escape(site.name),
        "title": html.escape(title),
        "url": html.escape(url),
        "body": body,
    }
    return _template(site.template).substitute(phrases)


def _links(names: tuple[str, ...]) -> str:
    return "\n".join(
        f'<li><a href="/{slug(name) or place}">{html.escape(name)}</a></li>' for place, name in enumerate(names)
    )


@cache
def _template(name: str) -> Template:
    return Template(files("gristmill.sample").joinpath("templates", f"{name}.html").read_text(encoding="utf-8"))
