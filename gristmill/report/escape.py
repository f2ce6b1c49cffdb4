r"""Crawled text made safe to show: on a terminal, in HTML, in Markdown.

A page can hold terminal escapes, right-to-left overrides, markup of any kind. Nothing crawled reaches a reader but
through one of these functions. Zero-width joiners stay, since Persian, Hindi and emoji need them.
"""

from __future__ import annotations

import html
import re

from rich.text import Text

_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: what terminals obey
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional marks, embeddings, overrides, isolates
    "\u2028\u2029\ufeff\ud800-\udfff\U000e0000-\U000e007f]"  # separators, byte order mark, surrogates, tags
)
_NAME = re.compile(r"[^\W_](?:[\w.-]*[^\W_])?")
_PLAIN = re.compile(r"[A-Za-z0-9≥≤][A-Za-z0-9≥≤_.,;:() +-]*")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


def visible(text: str, keep: str = "") -> str:
    r"""Return text with every control character written out, but those in ``keep``.

    >>> visible("\x1b[31mred\u202e")
    '\\x1b[31mred\\u202e'
    >>> visible("a\nb\tc", keep="\n")
    'a\nb\\x09c'
    """
    return _CONTROLS.sub(lambda match: match[0] if match[0] in keep else _written_out(match[0]), text)


def for_terminal(text: str, style: str = "", keep: str = "") -> Text:
    """Return text that Rich prints as it is: no markup, no emoji codes, no terminal escapes."""
    return Text(visible(text, keep), style=style)


def for_html(text: str) -> str:
    """Return text that HTML shows as it is, in an element or in a quoted attribute.

    >>> for_html('"><img onerror=x>')
    '&quot;&gt;&lt;img onerror=x&gt;'
    """
    return html.escape(visible(text), quote=True)


def for_markdown(text: str) -> str:
    """Return text that Markdown shows as it is, on one line, in a paragraph or a table's cell.

    All ASCII punctuation becomes numeric entities, which Markdown shows and never obeys; a plain host or name stays
    readable as code, where nothing is obeyed either.

    >>> for_markdown("www.example.org"), for_markdown("[a](b)")
    ('`www.example.org`', '&#91;a&#93;&#40;b&#41;')
    """
    if _NAME.fullmatch(text):
        return f"`{text}`"
    return _PUNCTUATION.sub(lambda match: f"&#{ord(match[0])};", visible(text))


def for_text(text: str) -> str:
    """Return text of the recipe's or the project's own for Markdown: escaped only if it holds what Markdown may obey.

    >>> for_text("BPE, 32768 tokens"), for_text("a*b*")
    ('BPE, 32768 tokens', 'a&#42;b&#42;')
    """
    return text if _PLAIN.fullmatch(text) else for_markdown(text)


def as_code(text: str) -> str:
    """Return text as Markdown code within a line, but not within a table, where a ``|`` would end the cell.

    >>> as_code("<|end|>"), as_code("a`b")
    ('`<|end|>`', '`` a`b ``')
    """
    fence = "`" * (_longest_run(text) + 1)
    space = " " if "`" in text or not text.strip() else ""
    return f"{fence}{space}{visible(text)}{space}{fence}"


def fenced(text: str, language: str = "") -> str:
    """Return text as a Markdown code block, whose fence is longer than any run of backticks in it."""
    fence = "`" * max(3, _longest_run(text) + 1)
    body = visible(text, keep="\n\t").rstrip()
    return f"{fence}{language}\n{body}\n{fence}\n"


def _longest_run(text: str) -> int:
    """Return the length of the longest run of backticks."""
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _written_out(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
