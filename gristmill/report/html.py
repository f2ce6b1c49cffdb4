"""The report's page: one HTML file that loads nothing, runs nothing, and shows crawled text as text.

No script, no link that leaves the page, and a Content-Security-Policy that allows exactly its own style sheet.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from gristmill.report import figures
from gristmill.report.markup import Markup, element, literal
from gristmill.report.sections import SECTIONS

Stats = Mapping[str, Any]
Section = Callable[[Stats], Markup | None]


def render_html(stats: Stats) -> str:
    """Return the whole page for what `stats.collect` gathered."""
    style = files("gristmill.report").joinpath("report.css").read_text(encoding="utf-8")
    sections = {title: made for title, section in SECTIONS.items() if (made := section(stats)) is not None}
    head = element(
        "head",
        None,
        element("meta", {"charset": "utf-8"}),
        element("meta", {"http-equiv": "Content-Security-Policy", "content": _policy(style)}),
        element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("meta", {"name": "referrer", "content": "no-referrer"}),
        element("title", None, f"{stats['name']} · gristmill report"),
        element("style", None, literal(style)),
    )
    main = element("main", None, *(_section(title, made) for title, made in sections.items()))
    body = element("body", None, _header(stats, list(sections)), main, _footer(stats))
    return f"<!doctype html>\n{element('html', {'lang': 'en'}, head, body)}\n"


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _header(stats: Stats, titles: list[str]) -> Markup:
    links = (element("a", {"href": f"#{_anchor(title)}"}, title) for title in titles)
    return element(
        "header",
        None,
        element("p", {"class": "eyebrow"}, "gristmill report"),
        element("h1", None, stats["name"]),
        element("p", {"class": "lede"}, _sentence(stats)),
        *([] if stats["complete"] else [_notice(stats)]),
        _key_figures(stats),
        element("nav", {"aria-label": "Sections"}, *links),
    )


def _sentence(stats: Stats) -> str:
    """Return what the run is, in one sentence."""
    first, last = (str(stats["dates"][end] or "")[:10] for end in ("first", "last"))
    when = "" if not first else f", fetched on {first}" if first == last else f", fetched from {first} to {last}"
    count = stats["shards"]["count"]
    return f"What became of every record of {figures.count(count)} WARC file{'s' * (count != 1)}{when}."


def _notice(stats: Stats) -> Markup:
    waiting = [row for row in stats["funnel"] if row["role"] == "unfinished"]
    names = ", ".join(f"{row['stage']} ({row['shards_done']} of {row['shards']} shards)" for row in waiting)
    return element("p", {"class": "notice"}, f"This run is not finished. Not done yet, and not counted: {names}.")


def _key_figures(stats: Stats) -> Markup:
    """Return the few numbers that are asked for first."""
    decided = [row for row in stats["funnel"] if row["role"] == "decides"]
    if not decided:
        return Markup()
    first, last = decided[0], decided[-1]
    shown = {
        "records with a fate": figures.count(first["documents_in"]),
        "documents kept": figures.count(last["documents_kept"]),
        "of the records": figures.share(last["documents_kept"], first["documents_in"]),
        "text kept": figures.size(last["bytes_kept"]),
    }
    tokens = next((row["tokens"] for row in stats["funnel"] if row["role"] == "tokens"), None)
    if tokens:
        shown |= {"tokens": figures.count(tokens), "bytes per token": f"{last['bytes_kept'] / tokens:.2f}"}
    pairs = (element("div", None, element("dt", None, k), element("dd", None, v)) for k, v in shown.items())
    return element("dl", {"class": "figures"}, *pairs)


def _section(title: str, content: Markup) -> Markup:
    return element("section", {"id": _anchor(title)}, element("h2", None, title), content)


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _footer(stats: Stats) -> Markup:
    facts = f"Written by gristmill {stats['gristmill']} for plan "
    same = ". The numbers are in stats.json beside this file; the same run gives the same bytes."
    return element("footer", None, element("p", None, facts, element("code", None, stats["plan"]), same))
