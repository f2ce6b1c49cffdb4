"""What finds the main text of a page. Each is a function from HTML and settings to text, in the dict at the end.

They run in the extraction process, which can be killed, since each of them hangs or crashes on some page. None of them
may keep state from one page to the next: trafilatura's own deduplication does, and is never used.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from gristmill.crawl.extraction.paragraphs import justext_text

if TYPE_CHECKING:
    from gristmill.crawl.settings import ExtractSettings

Extractor = Callable[[str, "ExtractSettings"], str | None]

_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANK_LINES = re.compile(r"\n\s*\n")


CASCADE = "cascade"
CHEAP, DEAR = "resiliparse", "trafilatura"
"""What the cascade takes first, and what it takes for the pages that can survive."""


def extractor_name(settings: ExtractSettings, *, is_cheap: bool = False) -> str:
    """Return the name in `EXTRACTORS` of what extracts a page; a cascade has two.

    >>> from gristmill.crawl.settings import ExtractSettings
    >>> extractor_name(ExtractSettings(extractor="cascade"), is_cheap=True)
    'resiliparse'
    """
    if settings.extractor != CASCADE:
        return settings.extractor
    return CHEAP if is_cheap else DEAR


def trafilatura_text(html: str, settings: ExtractSettings) -> str | None:
    """Return what trafilatura takes for the main text, tables included, comments not; None if it finds none.

    Source: Barbaresi 2021, https://aclanthology.org/2021.acl-demo.15.
    """
    import trafilatura

    text: str | None = trafilatura.extract(
        html,
        fast=settings.mode == "fast",
        favor_precision=settings.mode == "precision",
        favor_recall=settings.mode == "recall",
        include_comments=False,
        include_tables=True,
        deduplicate=False,
    )
    return text


def resiliparse_text(html: str, settings: ExtractSettings) -> str | None:
    """Return what resiliparse takes for the main content, without alternative texts, comments and forms.

    Source: Bevendorff et al. 2018, https://doi.org/10.1007/978-3-319-76941-7_83.
    """
    from resiliparse.extract.html2text import extract_plain_text

    text: str = extract_plain_text(html, main_content=True, alt_texts=False, comments=False)
    return text


def without_blank_lines(text: str) -> str:
    r"""Return a text without empty lines, as trafilatura writes them all: what a cascade compares is written alike.

    >>> without_blank_lines("a\n\n \nb\nc")
    'a\nb\nc'
    """
    return _BLANK_LINES.sub("\n", text)


def clean(text: str | None) -> str | None:
    r"""Return a text as it is stored: lines end in LF, no NUL, no lone surrogate, no space around; None if it is empty.

    >>> clean(" a\r\nb\x00 "), clean(" ")
    ('a\nb', None)
    """
    text = (text or "").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()
    return (text if text.isascii() else _SURROGATE.sub("\ufffd", text)) or None


EXTRACTORS: dict[str, Extractor] = {
    "trafilatura": trafilatura_text,
    "resiliparse": resiliparse_text,
    "justext": justext_text,
}
