"""Planted pages in languages that the quickstart recipe does not keep, hostile pages, and pages with an address."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from gristmill.sample.pages import Chain, Page, Supply, article_page, dropped, home, last_sentence
from gristmill.sample.sites import page_html

_RAW = "<>\"'()[]{}=;:!*$|`/+,"
_COUNTS = {"it": 4, "pl": 4, "ja": 5, "zh": 5}
CONTACTS = (
    "Write to the editor at letters@{host} if you know more about it.",
    "The old server answered at 9.9.9.9 for many years, and the new one is at 192.168.0.20 in the cellar.",
    "Our secretary reads what comes to anna.miller+archive@{host}, or to the box of 1.1.1.1 at night.",
)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</title></textarea><svg onload=alert(3)>",
    "=HYPERLINK(1) | `rm` $(id) {{7*7}} \u202egnp.exe",
)


def strange(supplied: Supply) -> list[Chain]:
    """Return every planted page in another language, every hostile one, and every one with an address."""
    return [(page,) for page in (*other_languages(supplied), *hostile(supplied), *contacts(supplied))]


def other_languages(supplied: Supply) -> list[Page]:
    """Return articles in languages other than the four that the quickstart recipe keeps."""
    return [
        dropped(article_page(next(supplied[language]), "other_language"), "language", "language.language.in")
        for language, count in _COUNTS.items()
        for _ in range(count)
    ]


def hostile(supplied: Supply) -> list[Page]:
    """Return kept articles with markup, formulas and control characters as text: in title, paragraph and address."""
    pages = []
    for number, attack in enumerate(HOSTILE):
        article = next(supplied["en"])
        first, *rest = article.paragraphs
        line = f"A reader sent us this line and asked what it does: {attack} and we do not know."
        attacking = replace(article, title=f"{article.title} {attack}", paragraphs=(first, line, *rest))
        page = article_page(attacking, "hostile")
        url = f"https://{page.site.host}/thread?q={quote(attack, safe=_RAW)}&page={number}"
        body = page_html(attacking, page.site, url).encode()
        pages.append(replace(page, url=url, body=body, text=None, contains=last_sentence(article)))
    return pages


def contacts(supplied: Supply) -> list[Page]:
    """Return kept articles with e-mail addresses and IP addresses, which the quickstart recipe replaces."""
    pages = []
    for line in CONTACTS:
        article = next(supplied["en"])
        site = home(article)
        first, *rest = article.paragraphs
        told = replace(article, paragraphs=(first, line.format(host=site.host), *rest))
        pages.append(replace(article_page(told, "contact", site), contains=last_sentence(article)))
    return pages
