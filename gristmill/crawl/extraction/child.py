"""The extraction process: reads pages, writes what became of them. Started by `pool` as ``python -m``.

It bounds itself. The kernel ends it when a page has used its CPU time (``ITIMER_PROF``, counted on this process's own
clock, so a busy machine changes nothing, and with the default action, which no C code can hold up), when its parent
ends, or when it asks for more memory than it may and cannot go on. It says nothing about a page that ends it: the
parent sees how it died.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from gristmill.crawl import fates
from gristmill.crawl.extraction.columns import column_values
from gristmill.crawl.extraction.depth import is_too_deep
from gristmill.crawl.extraction.extractors import Extractor, clean, extractor_name, without_blank_lines
from gristmill.crawl.extraction.mojibake import repair
from gristmill.crawl.extraction.protocol import (
    PAGE_HEAD_BYTES,
    READY,
    Answer,
    Page,
    pack_answer,
    unpack_page_head,
)
from gristmill.crawl.http.charset import HTTP, WARC, Decoded, decode
from gristmill.crawl.settings import ExtractSettings

Extractors = Mapping[str, Extractor]

_PR_SET_PDEATHSIG = 1
_WARM_UP = "<html><body><article><p>One sentence, to load what is loaded late.</p></article></body></html>"
_STREAM_BYTES = 1 << 20
_TEXT_BYTES = 4
"""A text may have so many times ``max_body``. A charset accounts for three; indented lists make pages grow more."""
_STATM = Path("/proc/self/statm")
_PAGE_BYTES = resource.getpagesize()


def main() -> None:
    """Serve pages from standard input until it ends. Arguments: parent's process id, settings, module, memory bytes."""
    parent, settings_json, module, memory_bytes = sys.argv[1:]
    _end_with(int(parent))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory_bytes), int(memory_bytes)))
    logging.disable(logging.CRITICAL)
    settings = ExtractSettings.model_validate(json.loads(settings_json))
    extractors: Extractors = importlib.import_module(module).EXTRACTORS
    extractors[extractor_name(settings)](_WARM_UP, settings)
    pages, answers = _take_standard_streams()
    answers.write(READY)
    answers.flush()
    while (page := read_page(pages)) is not None:
        answers.write(pack_answer(_bounded_answer(page, extractors, settings)))
        answers.flush()


def read_page(stream: BinaryIO) -> Page | None:
    """Return the next page of a stream; None at its end."""
    head = stream.read(PAGE_HEAD_BYTES)
    if len(head) < PAGE_HEAD_BYTES:
        return None
    body_bytes, label_bytes, *facts = unpack_page_head(head)
    label = stream.read(label_bytes).decode("ascii")
    body = stream.read(body_bytes)
    return Page(body, label or None, *facts) if len(body) == body_bytes else None


def answer_page(page: Page, extractors: Extractors, settings: ExtractSettings) -> Answer:
    """Return what becomes of a page. Raises MemoryError only."""
    charset: tuple[str | None, str | None] = (None, None)
    name = None if page.is_plain else extractor_name(settings, is_cheap=page.is_cheap)
    columns: tuple[str | None, ...] = ()
    try:
        body = bytes(page.body)
        decoded = decode(body, page.label, WARC if page.is_label_of_warc else HTTP)
        charset = (decoded.charset, decoded.source)
        if name is None:
            text = _stored(decoded.text, settings)
        elif not page.is_again and is_too_deep(_tags(body, decoded), settings.max_depth):
            return Answer(None, fates.TOO_DEEP, *charset)
        else:
            text = _stored(extractors[name](decoded.text, settings), settings)
            text = without_blank_lines(text) if page.is_cheap and text else text
            if text and settings.columns and not page.is_again:
                columns = column_values(decoded.text, settings.columns)
    except MemoryError:
        raise
    except BaseException:  # a panic of a Rust library is no Exception
        return Answer(None, fates.ERROR, *charset)
    if not text:
        return Answer(None, fates.EMPTY, *charset)
    encoded = text.encode()
    if len(encoded) > _TEXT_BYTES * settings.max_body:
        return Answer(None, fates.TOO_LARGE, *charset)
    return Answer(encoded, None, *charset, extractor=name, columns=columns)


def _tags(body: bytes, decoded: Decoded) -> bytes:
    """Return a page as bytes with the same tags as its text: the body if it is UTF-8, which spares encoding it again.

    Bytes that are no UTF-8 make no difference, since they end before what is ASCII; a NUL can hide a tag.
    """
    is_utf8 = decoded.charset == "utf-8" and b"\0" not in body
    return body if is_utf8 else decoded.text.encode("utf-8", "replace")


def _stored(text: str | None, settings: ExtractSettings) -> str | None:
    """Return a text as it is stored, repaired if that is asked for."""
    return clean(repair(text) if settings.repair_mojibake else text)


def _bounded_answer(page: Page, extractors: Extractors, settings: ExtractSettings) -> Answer:
    """Return what becomes of a page, which may use ``timeout`` seconds of this process's CPU time."""
    signal.setitimer(signal.ITIMER_PROF, settings.timeout)
    try:
        answer = answer_page(page, extractors, settings)
    except MemoryError:
        answer = Answer(None, fates.CRASHED)
    signal.setitimer(signal.ITIMER_PROF, 0)
    return answer._replace(resident_bytes=_resident_bytes())


def _resident_bytes() -> int:
    return int(_STATM.read_bytes().split()[1]) * _PAGE_BYTES


def _end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends; end now if it has ended already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


def _take_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Return the streams of pages and answers, out of the reach of libraries that print."""
    pages, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    return os.fdopen(pages, "rb", _STREAM_BYTES), os.fdopen(answers, "wb", _STREAM_BYTES)


if __name__ == "__main__":
    main()
