"""From a record to a row: what is known of it before extraction, and its fate if that is settled already."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from gristmill import schema
from gristmill.crawl import fates
from gristmill.crawl.extraction.protocol import Answer, Page
from gristmill.crawl.fates import Fate
from gristmill.crawl.http.dates import warc_milliseconds
from gristmill.crawl.http.response import (
    Response,
    looks_like_html,
    parse_response,
    read_content_type,
)
from gristmill.crawl.records import Origin
from gristmill.crawl.settings import ExtractSettings
from gristmill.crawl.urls.gate import Gate
from gristmill.crawl.warc.record import (
    CONVERSION,
    DAMAGE,
    DATE,
    MEDIA_TYPE,
    RESPONSE,
    REVISIT,
    TYPES_WITH_BLOCKS,
    UNSUPPORTED,
    URL,
    Record,
)

FATES_BY_TYPE = {DAMAGE: fates.DAMAGED, UNSUPPORTED: fates.UNSUPPORTED, REVISIT: fates.REVISIT}
"""Fates of what has no block and yet has a row."""

TYPES_WITH_ROWS = TYPES_WITH_BLOCKS | FATES_BY_TYPE.keys()

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_BATCH_ROWS = 512
_BATCH_BYTES = 16 << 20
_HTML, _PLAIN = "text/html", "text/plain"
_UTF_8 = "utf-8"
_OK = 200


class Draft(NamedTuple):
    """What is known of a row before extraction; ``detail`` is what its fate rests on, if it has one by then."""

    origin: Origin
    offset: int
    url: str | None
    date: int | None
    response: Response
    detail: str | None = None


_NO_RESPONSE = Response(None, None, None, None, None, None)


def draft(origin: Origin, record: Record, settings: ExtractSettings, gate: Gate) -> tuple[Draft, Page | str]:
    """Return what is known of a record's row, with the page to extract or the fate that spares it."""
    url, date = url_of(record.fields), warc_milliseconds(record.fields.get(DATE))
    if record.type in FATES_BY_TYPE:
        return Draft(origin, record.offset, url, date, _NO_RESPONSE), FATES_BY_TYPE[record.type]
    response = _response(record, settings)
    outcome = gate.for_url(url) or _page_or_fate(record.type, response, settings)
    if isinstance(outcome, Page):
        outcome = gate.for_page(response, outcome) or outcome
    status, media_type, charset, http_date, _, body_bytes, _ = response
    row = Response(status, media_type, charset, http_date, None, body_bytes)
    if isinstance(outcome, Page):
        return Draft(origin, record.offset, url, date, row), outcome
    return Draft(origin, record.offset, url, date, row, outcome.detail), outcome.code


def _response(record: Record, settings: ExtractSettings) -> Response:
    """Return what was recorded; a text that was extracted before, and a bare resource, are a body without HTTP."""
    if record.type == RESPONSE:
        return parse_response(record.block, record.length, settings.max_body)
    media_type, charset = read_content_type(record.fields.get(MEDIA_TYPE, b""))
    body = record.block if record.length <= settings.max_body else None
    return Response(None, media_type, charset, None, body, record.length)


def _page_or_fate(kind: str, response: Response, settings: ExtractSettings) -> Page | Fate:
    """Return a page, or why it is none. An earlier text is taken whatever media types are asked for, and is UTF-8."""
    if kind == RESPONSE and response.status != _OK:
        return Fate(fates.STATUS)
    media_type, charset, is_text = response.media_type, response.charset, kind == CONVERSION
    if is_text:
        media_type, charset = media_type or _PLAIN, charset or _UTF_8
    elif media_type is None and looks_like_html(response.body or b""):
        media_type = _HTML
    if media_type != _PLAIN if is_text else media_type not in settings.media_types:
        return Fate(fates.MIME)
    if response.body is None:
        return Fate(fates.TOO_LARGE)
    page = Page(response.body, charset, media_type == _PLAIN, is_label_of_warc=kind != RESPONSE)
    return page if response.body else Fate(fates.EMPTY)


def url_of(fields: Mapping[bytes, bytes]) -> str | None:
    """Return the address in a record's header, without control characters; None if there is none."""
    value = fields.get(URL, b"").strip(b"<> \t").decode("utf-8", "replace")
    return (value if value.isprintable() else _CONTROL.sub("", value)) or None


class Batch:
    """Rows on their way into a record batch: at most 512, or 16 MiB of text."""

    def __init__(self, columns: Sequence[str] = ()) -> None:
        """``columns``: those of `schema.PAGE_COLUMNS` that the settings ask for."""
        self._columns = columns
        self._rows: list[tuple[Draft, Answer]] = []
        self._bytes = 0

    def is_full(self, answer: Answer) -> bool:
        """Return whether a row with this answer belongs into the next batch."""
        size = self._bytes + len(answer.text or b"")
        return len(self._rows) >= _BATCH_ROWS or (size > _BATCH_BYTES and bool(self._rows))

    def add(self, row: Draft, answer: Answer) -> None:
        """Add a row."""
        self._rows.append((row, answer))
        self._bytes += len(answer.text or b"")

    def take(self) -> pa.RecordBatch:
        """Return the rows as a batch of `schema.documents`, and start anew."""
        rows, self._rows, self._bytes = self._rows, [], 0
        drafts, answers = [row for row, _ in rows], [answer for _, answer in rows]
        columns = {
            schema.ID: [f"{row.origin.shard}/{row.offset}" for row in drafts],
            schema.URL: [row.url for row in drafts],
            schema.DATE: [row.date for row in drafts],
            schema.HTTP_DATE: [row.response.date for row in drafts],
            schema.WARC: [row.origin.warc for row in drafts],
            schema.OFFSET: [row.offset for row in drafts],
            schema.STATUS: [row.response.status for row in drafts],
            schema.MIME: [row.response.media_type for row in drafts],
            schema.CHARSET: [answer.charset for answer in answers],
            schema.CHARSET_SOURCE: [answer.charset_source for answer in answers],
            schema.BODY_BYTES: [row.response.body_bytes for row in drafts],
            schema.TEXT: [answer.text for answer in answers],
            schema.TEXT_BYTES: [None if answer.text is None else len(answer.text) for answer in answers],
            schema.FATE: [answer.fate for answer in answers],
            schema.FATE_DETAIL: [row.detail for row in drafts],
            schema.EXTRACTOR: [answer.extractor for answer in answers],
        }
        for index, name in enumerate(self._columns):
            columns[name] = [answer.columns[index] if answer.columns else None for answer in answers]
        table = schema.documents(self._columns)
        return pa.RecordBatch.from_arrays([pa.array(columns[field.name], field.type) for field in table], schema=table)

    def __len__(self) -> int:
        """Return the number of rows in it."""
        return len(self._rows)
