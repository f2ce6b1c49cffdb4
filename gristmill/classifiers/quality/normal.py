r"""A text as the one line that fastText reads, made the same way in training and in scoring.

fastText reads a line; words are parted by space, tab, VT, FF, CR and NUL. Two words have a meaning of their own there,
which a crawled page must not use: at the word ``</s>`` it stops reading, and a word that begins with ``__label__`` is a
label, in a training file even the page's own. Both are taken apart: ``< /s>``, ``_ _label__``.

The forms:

    lines       white space at both ends goes, each end of a line becomes a space: Python's
                ``" ".join(text.strip().splitlines())``, as in DCLM's ``classify_fasttext_hq_prob`` and RedPajama's
    lowercase   that, in lower case
    words       that, with punctuation and symbols as words of their own: for models of few documents

No loop goes over documents: Arrow's own functions do the work.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from gristmill.columns import text_column
from gristmill.errors import UsageError

VERSION: Final = "1"
DEFAULT: Final = "lines"
LABEL_PREFIX: Final = "__label__"

_LINE_END: Final = "\r\n|[\n-\r\x1c-\x1e\x85\u2028\u2029]"
_WHITE_SPACE: Final = "".join(c for c in map(chr, range(0x3001)) if c.isspace())
_RESERVED: Final = r"(^|[\x00\t-\r ])(<|_)(/s>|_label__)"
_PUNCTUATION: Final = r"([\pP\pS])"


def training_lines(texts: pa.Array | pa.ChunkedArray, form: str = DEFAULT) -> pa.LargeStringArray:
    """Return each text as the line that a model of that form is trained on and asked with: large_string, no null.

    No line has a line feed. A null and a text of white space alone are empty. Raises UsageError for an unknown form.
    """
    check_form(form)
    lines = pc.utf8_trim(_present(texts), _WHITE_SPACE)
    lines = pc.replace_substring_regex(lines, _LINE_END, " ")
    return _without_reserved(FORMS[form](lines))


def check_form(form: str) -> None:
    """Raise UsageError unless there is such a form, naming the nearest."""
    if form not in FORMS:
        near = difflib.get_close_matches(form, FORMS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(FORMS)}"
        raise UsageError(f"there is no normalization '{form}'; {hint}")


def _present(texts: pa.Array | pa.ChunkedArray) -> pa.LargeStringArray:
    array = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    return pc.fill_null(array.cast(pa.large_string()), "")


def _without_reserved(lines: pa.LargeStringArray) -> pa.LargeStringArray:
    """Return lines in which no word ends the reading or is a label; those without any, which is nearly all, as is."""
    data, offsets = text_column(lines)
    read = data[offsets[0] : offsets[-1]].tobytes()
    if b"</s>" not in read and LABEL_PREFIX.encode() not in read:
        return lines
    return pc.replace_substring_regex(lines, _RESERVED, r"\1\2 \3")


def _words(lines: Any) -> Any:
    return pc.replace_substring_regex(pc.utf8_lower(lines), _PUNCTUATION, r" \1 ")


FORMS: Final = MappingProxyType[str, Callable[[Any], Any]](
    {"lines": lambda lines: lines, "lowercase": pc.utf8_lower, "words": _words}
)
