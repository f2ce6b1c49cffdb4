"""What becomes of a record that has no text: one code for each reason, and what it means."""

from __future__ import annotations

from typing import NamedTuple

DAMAGED = "extract.damaged"
UNSUPPORTED = "extract.unsupported"
REVISIT = "extract.revisit"
URL_DOMAIN = "extract.url_domain"
URL_LISTED = "extract.url_listed"
URL_HARD_WORD = "extract.url_hard_word"
URL_SOFT_WORDS = "extract.url_soft_words"
URL_SUBSTRING = "extract.url_substring"
STATUS = "extract.status"
MIME = "extract.mime"
TOO_LARGE = "extract.too_large"
EMPTY = "extract.empty"
OPT_OUT = "extract.opt_out"
TOO_DEEP = "extract.too_deep"
TIMEOUT = "extract.timeout"
CRASHED = "extract.crashed"
ERROR = "extract.error"

REASONS: dict[str, str] = {
    DAMAGED: "The record is truncated, corrupt or of another length than it says, or these bytes are no record, or not "
    "the one that an index names.",
    UNSUPPORTED: "The file is an archive of a kind that is not read: zip (WACZ among them), 7z, rar or compress.",
    REVISIT: "The record says that the page had not changed since an earlier visit, and holds no page.",
    URL_DOMAIN: "The host, or a domain above it, is on a blocklist.",
    URL_LISTED: "The address is on a blocklist.",
    URL_HARD_WORD: "The address has one of the hard words.",
    URL_SOFT_WORDS: "The address has at least `least_soft_words` different soft words.",
    URL_SUBSTRING: "The address has one of the substrings, other characters than letters and digits left out.",
    STATUS: "The HTTP status is not 200, or the record of a response has none.",
    MIME: "The media type is not among those that are extracted.",
    TOO_LARGE: "The body is larger than `max_body`, compression undone, or the text than four times that.",
    EMPTY: "The body is empty, or the extractor found no text in it.",
    OPT_OUT: "The record carries one of the signals in `opt_out`.",
    TOO_DEEP: "Elements are nested deeper than `max_depth`.",
    TIMEOUT: "The page took more CPU time than `timeout`, or its extraction stood still.",
    CRASHED: "The process that extracted the page died twice, or the page took more memory than it may.",
    ERROR: "The extractor raised an exception.",
}


class Fate(NamedTuple):
    """Why a record has no text: a code of REASONS, with what it rests on, such as the domain or the word found."""

    code: str
    detail: str | None = None
