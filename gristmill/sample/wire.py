"""Planted responses that are odd before any text is read: statuses, media types, charsets, codings, nesting, damage."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from gristmill.sample.pages import Chain, Damage, Page, Supply, article_page, dropped
from gristmill.sample.prose import Article
from gristmill.sample.sites import article_html, page_html, set_page, sites_of
from gristmill.sample.warc import gzip_member

NESTED = 20_000

_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
)
_PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n" + (
    b"2 0 obj << /Type /Pages /Kids [] /Count 0 >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
)


def odd_responses(supplied: Supply) -> list[Chain]:
    """Return every planted page that is odd as a response."""
    pages = (
        *other_media(),
        *other_statuses(),
        *legacy_charsets(supplied),
        *wrong_charsets(supplied),
        *codings(supplied),
        *empties(),
        *deep_nesting(supplied),
        *nul_bytes(supplied),
        *damaged(supplied),
    )
    return [*((page,) for page in pages), refound(supplied)]


def other_media() -> list[Page]:
    """Return PDF, JSON and image responses: dropped for their media type."""
    kinds = {
        "pdf": ("application/pdf", _PDF),
        "json": ("application/json", json.dumps({"tides": [{"day": 1, "high": "04:12"}], "unit": "m"}).encode()),
        "image": ("image/png", _PNG),
    }
    pages = []
    for number, site in enumerate((*sites_of("en")[:8], sites_of("de")[0])):
        case, (media_type, body) = list(kinds.items())[number % 3]
        page = Page(case, site, f"https://{site.host}/files/{number}.{case}", body)
        page = replace(page, headers=(("Content-Type", media_type),))
        pages.append(dropped(page, "extract", "extract.mime"))
    return pages


def other_statuses() -> list[Page]:
    """Return answers that say there is no page here: dropped for their status."""
    kinds = (
        (
            "status_404",
            "404 Not Found",
            "The page that you asked for is not here. It may have moved, or never have been.",
        ),
        ("redirect", "301 Moved Permanently", "This page has moved. Your browser should take you there by itself."),
        ("status_404", "404 Not Found", "Nothing was found at this address. Try the list of all subjects instead."),
        ("status_500", "500 Internal Server Error", "Something went wrong on our side. Please try again in an hour."),
    )
    pages = []
    for number, site in enumerate((*sites_of("en")[1:9], sites_of("fr")[0])):
        case, status, text = kinds[number % 4]
        url = f"https://{site.host}/old/{number}"
        page = Page(case, site, url, set_page(site, url, status, article_html(status, [text])).encode(), status=status)
        if case == "redirect":
            page = replace(page, body=b"", headers=(*page.headers, ("Location", f"https://{site.host}/")))
        pages.append(dropped(page, "extract", "extract.status"))
    return pages


def refound(supplied: Supply) -> Chain:
    """Return an article that is served under status 404 first and properly later: only the second can be kept."""
    article = next(supplied["en"])
    first = replace(article_page(article, "status_404"), status="404 Not Found", family="refound")
    return dropped(first, "extract", "extract.status"), replace(article_page(article, "refound"), family="refound")


def legacy_charsets(supplied: Supply) -> list[Page]:
    """Return pages in windows-1252, ISO-8859-15 and Shift_JIS, declared in the header or in the page alone."""
    kinds = (
        ("windows_1252", "windows-1252", "de"),
        ("iso_8859_15", "iso-8859-15", "fr"),
        ("iso_8859_15", "iso-8859-15", "es"),
    )
    pages = [
        _encoded(next(supplied[language]), case, charset, in_header)
        for case, charset, language in kinds
        for in_header in (True, False)
    ]
    japanese = [_encoded(next(supplied["ja"]), "shift_jis", "shift_jis", in_header) for in_header in (True, False)]
    return pages + [dropped(page, "language", "language.language.in") for page in japanese]


def _encoded(article: Article, case: str, charset: str, in_header: bool) -> Page:
    page = article_page(article, case)
    body = page_html(article, page.site, page.url, charset).encode(charset)
    content_type = f"text/html; charset={charset}" if in_header else "text/html"
    return replace(page, body=body, headers=(("Content-Type", content_type),))


def wrong_charsets(supplied: Supply) -> list[Page]:
    """Return UTF-8 pages whose header or page names another charset, or one that does not exist.

    They are kept whether the label is believed or not; `contains` is plain ASCII and holds either way.
    """
    labels = (("de", "iso-8859-1", "utf-8"), ("fr", "windows-1252", "windows-1252"), ("es", "utf8mb4", "utf8mb4"))
    pages = []
    for language, header, meta in labels:
        article = next(supplied[language])
        page = article_page(article, "wrong_charset")
        plain = re.findall(r"[ -~]+", "\n".join(article.paragraphs))
        page = replace(
            page,
            body=page_html(article, page.site, page.url, meta).encode(),
            headers=(("Content-Type", f"text/html; charset={header}"),),
            text=None,
            contains=max(plain, key=len),
        )
        pages.append(page)
    return pages


def codings(supplied: Supply) -> list[Page]:
    """Return pages whose bodies are gzip-encoded, sent in chunks, or both."""
    gzip_header, chunked_header = ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")
    pages = []
    for number in range(5):
        page = article_page(next(supplied["en"]), ("gzip_encoded", "chunked", "gzip_chunked")[number % 3])
        if number % 3 != 1:
            page = replace(page, body=gzip_member(page.body), headers=(*page.headers, gzip_header))
        if number % 3 != 0:
            page = replace(page, body=chunked(page.body), headers=(*page.headers, chunked_header))
        pages.append(page)
    return pages


def chunked(body: bytes, size: int = 1000) -> bytes:
    r"""Return a body in chunks of ``size`` bytes (RFC 9112, section 7.1).

    >>> chunked(b"abc", 2)
    b'2\r\nab\r\n1\r\nc\r\n0\r\n\r\n'
    """
    parts = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def empties() -> list[Page]:
    """Return responses without a body, and pages whose body has nothing in it."""
    blank = b"<!DOCTYPE html><html><head><title>Soon</title></head><body></body></html>"
    pages = []
    for number, site in enumerate(sites_of("en")[6:10]):
        case, body = (("empty_body", b""), ("empty_page", blank))[number % 2]
        page = Page(case, site, f"https://{site.host}/soon/{number}", body)
        pages.append(dropped(page, "extract", "extract.empty"))
    return pages


def deep_nesting(supplied: Supply) -> list[Page]:
    """Return an article inside 20,000 elements, once with their end tags and once without."""
    pages = []
    for end in ("</div>", ""):
        article = next(supplied["en"])
        page = article_page(article, "deep_nesting")
        body = "<div>" * NESTED + article_html(article.title, article.paragraphs) + end * NESTED
        page = replace(page, body=set_page(page.site, page.url, article.title, body).encode(), text=None, contains=None)
        pages.append(dropped(page, "extract", "extract.too_deep"))
    return pages


def nul_bytes(supplied: Supply) -> list[Page]:
    """Return articles with NUL bytes between their words and between their tags."""
    pages = []
    for old, new in ((b" the ", b" \x00the "), (b"<p>", b"\x00<p>")):
        page = article_page(next(supplied["en"]), "nul_bytes")
        pages.append(replace(page, body=page.body.replace(old, new), text=None, contains=None))
    return pages


def damaged(supplied: Supply) -> list[Page]:
    """Return pages whose gzip members will be broken: at their start, in the middle, or cut off at the file's end."""
    kinds: tuple[tuple[str, Damage], ...] = (
        ("corrupt", "smashed header"),
        ("corrupt", "smashed body"),
        ("truncated", "truncated"),
    )
    pages = []
    for case, damage in kinds:
        page = article_page(next(supplied["en"]), case)
        page = replace(page, damage=damage, text=None, contains=None)
        pages.append(dropped(page, "extract", "extract.damaged"))
    return pages
