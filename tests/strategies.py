"""The one home of Hypothesis strategies: hostile text, and Arrow columns in every shape that text comes in."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import strategies as st

# Each character that some rule of segmentation looks at, and some of every length in UTF-8.
SPECIAL = (
    "\0\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2003\u2028\u2029\u202f\u3000"  # white space and line breaks
    "\u200b\u200c\u200d\u00ad\ufeff\u202e\u2060"  # invisible
    "#.…•-–—_'’\"‘“:;,/\\|<>()[]{}&%$@!?*+=~^`"  # punctuation
    "aAzZéßİıſΣςÅK"  # Latin, Greek, and what changes when its case does
    "\u0301\u0308\u20dd\u0e34\u093f\u094d"  # marks, of which none or some letter goes before
    "אב״׳\u05b0"  # Hebrew
    "0१٣٫９½²Ⅷ"  # digits and other numbers
    "中文字日本語かなカナーｶﾞ々〇한글ไทยខ្មែរမြန်"  # scripts without spaces between words
    "🙂👩\u200d👧🇫🇷\U0001f3fd\U0001d538\U00020000\U0010ffff"  # outside the Basic Multilingual Plane
)

PIECES = (
    "the be to of and that have with the The the,",
    "don't",
    "U.S.A.",
    "3.14 12:30 24/7 1,000",
    "https://example.com/a_b?c=d#e",
    "...",
    "......",
    "....",
    "……",
    "\n\n",
    "\n",
    "\r\n",
    "\n \n",
    "- item\n• item\n",
    "read more...\n",
    "read more… \n",
    "one two three four five six seven eight nine ten\n",
    "ab a ba b",
    'צה"ל',
    "Lorem Ipsum",
    "lorem İpsum",
    "[12]",
    "[citation needed]",
    "[edit]",
    "[٣]",
    "Enable JavaScript",
    "we use cooKies.",
    "we use coo\u212aies [1].",
    "{",
    " A line that is kept. ",
    "x" * 40,
    "w" * 1001,
    '."',
)


def characters() -> st.SearchStrategy[str]:
    return st.one_of(st.sampled_from(SPECIAL), st.characters(exclude_categories=["Cs"]))


def small_alphabet_text() -> st.SearchStrategy[str]:
    """Text that repeats itself: few letters, few separators."""
    return st.text(alphabet="ab \n.", max_size=120)


def pieced_text() -> st.SearchStrategy[str]:
    """Text made of pieces that signals look for, over and over."""
    return st.lists(st.one_of(st.sampled_from(PIECES), characters()), max_size=40).map("".join)


def texts() -> st.SearchStrategy[str]:
    """Any text that UTF-8 can hold, much of it made to annoy."""
    return st.one_of(st.text(characters(), max_size=80), small_alphabet_text(), pieced_text(), repeated_text())


@st.composite
def repeated_text(draw: st.DrawFn) -> str:
    """A few chunks, drawn again and again, joined by what may or may not separate them."""
    chunks = draw(st.lists(st.text(characters(), min_size=1, max_size=12), min_size=1, max_size=3))
    order = draw(st.lists(st.sampled_from(chunks), max_size=40))
    return draw(st.sampled_from(["", " ", "\n", "\n\n", "...", "\r\n"])).join(order)


def text_lists(max_size: int = 8) -> st.SearchStrategy[list[str | None]]:
    """Rows of text, some of them null."""
    return st.lists(st.one_of(texts(), st.none()), max_size=max_size)


@st.composite
def text_columns(draw: st.DrawFn) -> tuple[list[str | None], pa.Array]:
    """Rows, and a column that holds them: 32- or 64-bit offsets, whole or a slice of a longer one."""
    rows = draw(text_lists())
    kind = draw(st.sampled_from([pa.string(), pa.large_string()]))
    before, after = draw(text_lists(3)), draw(text_lists(3))
    whole = pa.array([*before, *rows, *after], kind)
    return rows, whole.slice(len(before), len(rows))


@st.composite
def chunked_columns(draw: st.DrawFn) -> tuple[list[str | None], pa.ChunkedArray]:
    """Rows, and a column of several chunks that holds them, some of them empty, some of them slices."""
    parts = draw(st.lists(text_columns(), max_size=3))
    kind = draw(st.sampled_from([pa.string(), pa.large_string()]))
    rows = [row for part, _ in parts for row in part]
    return rows, pa.chunked_array([column.cast(kind) for _, column in parts], kind)
