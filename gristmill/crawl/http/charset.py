"""From bytes to text: which charset, who says so, and never an error.

In order: a byte order mark; the HTTP header, or the WARC record's where there is none; the page's own ``<meta>`` or XML
declaration; detection. Labels mean what
the WHATWG Encoding Standard says they mean (``iso-8859-1`` is windows-1252). Two labels are not believed: that of a
single-byte charset on a body that is valid UTF-8 and not ASCII (10 of 6,801 real pages, all of them UTF-8), and UTF-8
on a body most of whose non-ASCII is not UTF-8. Bytes that cannot be decoded become U+FFFD; NUL is dropped, as browsers
do.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

BOM, BYTES, HTTP, WARC, META, DETECTED = "bom", "bytes", "http", "warc", "meta", "detected"

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_UTF16_STARTS = ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
_META_BYTES = 1 << 13
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_META = re.compile(rb"<meta\b[^>]*?\bcharset\s*=\s*[\"']?\s*([!-~]{1,64}?)(?=[\"'\s/>;])", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*[\"']([!-~]{1,64}?)[\"']", re.IGNORECASE)
_ESCAPE = b"\x1b"

_SUPERSETS = {
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "iso8859-11": "cp874",
}
"""Codecs of what the standard decodes these as; Python's codecs of the same names know fewer characters."""

_NAMES = {
    "utf-16-le": "utf-16le",
    "utf-16-be": "utf-16be",
    "iso8859-11": "windows-874",
    "cp866": "ibm866",
    "mac-roman": "macintosh",
    "euc_kr": "euc-kr",
    "euc_jp": "euc-jp",
    "iso2022_jp": "iso-2022-jp",
}
_MULTIBYTE = frozenset(
    {"utf-8", "utf-16-le", "utf-16-be", "gbk", "gb18030", "big5", "euc_kr", "euc_jp", "iso2022_jp", "shift_jis"}
)


class Decoded(NamedTuple):
    """A text without NUL, the standard's name of the charset it was in, and what told that charset."""

    text: str
    charset: str
    source: str


def decode(body: bytes, label: str | None, label_source: str = HTTP) -> Decoded:
    r"""Return a body as text; ``label`` is the charset that ``label_source``, HTTP or WARC, names. Nothing is UTF-8.

    >>> decode(b"<p>caf\xe9", "iso-8859-1")
    Decoded(text='<p>café', charset='windows-1252', source='http')
    """
    codec, source, text = _choose(body, label)
    source = label_source if source == HTTP else source
    if text is None:
        text = body.decode(_SUPERSETS.get(codec, codec), "replace").removeprefix("\ufeff")
    if "\0" in text:
        text = text.replace("\0", "")
    return Decoded(text, standard_name(codec), source)


def standard_name(codec: str) -> str:
    """Return the WHATWG name of a Python codec.

    >>> standard_name("cp1252"), standard_name("iso8859-15")
    ('windows-1252', 'iso-8859-15')
    """
    if codec in _NAMES:
        return _NAMES[codec]
    return re.sub(r"^cp(?=125)", "windows-", re.sub(r"^iso8859", "iso-8859", codec))


def _choose(body: bytes, label: str | None) -> tuple[str, str, str | None]:
    """Return the codec of a body, what told it, and the text if it had to be decoded for that."""
    for mark, codec in _BOMS:
        if body.startswith(mark):
            return codec, BOM, None
    declared, source = _declared(body, label)
    if declared is None:
        return _undeclared(body)
    if declared == "utf-8":
        text = _as_utf8(body)
        is_believed = text is not None or _is_mostly_utf8(body)
        return (declared, source, text) if is_believed else (_detected(body), DETECTED, None)
    if declared not in _MULTIBYTE and not body.isascii() and (text := _as_utf8(body)) is not None:
        return "utf-8", BYTES, text
    return declared, source, None


def _declared(body: bytes, label: str | None) -> tuple[str | None, str]:
    """Return the codec that the header, or else the page, names; None if neither names one that is known."""
    if label and (codec := map_encoding_to_html5(label, fallback_utf8=False)):
        return str(codec), HTTP
    head = body[:_META_BYTES]
    if b"<!--" in head:
        head = _COMMENT.sub(b"", head)
    found = _META.search(head) or _XML.match(head)
    codec = found and map_encoding_to_html5(found[1].decode("ascii"), fallback_utf8=False)
    if codec in ("utf-16-le", "utf-16-be"):
        codec = "utf-8"  # it could be read as ASCII, so it is not
    return (str(codec) if codec else None), META


def _undeclared(body: bytes) -> tuple[str, str, str | None]:
    for start, codec in _UTF16_STARTS:
        if body.startswith(start):
            return codec, BYTES, None
    if _ESCAPE not in body and (text := _as_utf8(body)) is not None:
        return "utf-8", BYTES, text
    return _detected(body), DETECTED, None


def _detected(body: bytes) -> str:
    return str(detect_encoding(body) or "utf-8")


def _as_utf8(body: bytes) -> str | None:
    """Return a body as text if it is valid UTF-8, without a mark at its start as it has none."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _is_mostly_utf8(body: bytes) -> bool:
    """Return whether at most half of the non-ASCII characters are replaced when a body is decoded as UTF-8."""
    text = body.decode("utf-8", "replace")
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return text.count("\ufffd") * 2 <= beyond_ascii
