"""Signals of opting out, where a record carries them: which count, for whom, and where they are not looked for."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import characters

from gristmill.crawl.extraction.protocol import Page
from gristmill.crawl.http.response import parse_response
from gristmill.crawl.settings import ExtractSettings
from gristmill.crawl.urls.gate import open_gate
from gristmill.crawl.urls.opt_out import SCANNED_BYTES, OptOutFinder

USUAL = {"signals": ["noai", "tdm"]}


def found(page=b"", headers=(), **settings):
    finder = OptOutFinder(ExtractSettings(opt_out=settings or USUAL).opt_out)
    block = "\r\n".join(["HTTP/1.1 200 OK", *headers, "", ""]).encode()
    return finder.find(parse_response(block, len(block), 100).fields, page)


def head(*lines):
    return f"<!DOCTYPE html><html><head>{''.join(lines)}</head><body>text</body></html>".encode()


HEADERS = [
    (["X-Robots-Tag: noai"], "X-Robots-Tag: noai"),
    (["x-robots-tag: NOINDEX, NoAI"], "X-Robots-Tag: noai"),
    (["X-Robots-Tag: noindex", "X-Robots-Tag: noarchive, noai"], "X-Robots-Tag: noai"),
    (["X-Robots-Tag: CCBot: noai, noimageai"], "X-Robots-Tag: ccbot: noai"),
    (["X-Robots-Tag: ccbot: noindex, noai"], "X-Robots-Tag: ccbot: noai"),
    (["X-Robots-Tag: *: noai"], "X-Robots-Tag: *: noai"),
    (["X-Robots-Tag: otherbot: noai"], None),
    (["X-Robots-Tag: otherbot: noai, ccbot: noindex"], None),
    (["X-Robots-Tag: noindex, nofollow, none"], None),
    (["X-Robots-Tag: noaifoo"], None),
    (["X-Robots-Tag: max-snippet: 5, noai"], "X-Robots-Tag: noai"),
    (["X-Robots-Tag: unavailable_after: 25 Jun 2010 15:00:00 PST, noai"], "X-Robots-Tag: noai"),
    (["X-Robots-Tag: "], None),
    (["X-Robots: noai"], None),
    (["tdm-reservation: 1"], "tdm-reservation: 1"),
    (["TDM-Reservation: 0"], None),
    (["TDM-Policy: https://example.com/policy.json"], None),
]


@pytest.mark.parametrize(("headers", "signal"), HEADERS)
def test_headers(headers, signal):
    assert found(headers=headers) == signal


METAS = [
    ('<meta name="robots" content="noai, noimageai">', "<meta name=robots content=noai>"),
    ("<META CONTENT='NOAI' NAME=Robots>", "<meta name=robots content=noai>"),
    ("<meta name=robots content=noai>", "<meta name=robots content=noai>"),
    ("<meta name=robots content=noai/>", "<meta name=robots content=noai>"),
    ('<meta\nname = "ccbot"\n\tcontent = "noindex noai" />', "<meta name=ccbot content=noai>"),
    ('<meta name="robots" content="no&#97;i">', None),  # no trace of the word in the page: not worth a parse
    ('<meta name="robots" content="noai&comma; noindex">', "<meta name=robots content=noai>"),
    ('<meta name="otherbot" content="noai">', None),
    ('<meta name="description" content="what noai means">', None),
    ('<meta property="robots" content="noai">', None),
    ('<meta name="robots" content="noindex">', None),
    ('<meta name="a" name="robots" content="noai">', None),
    ('<meta name="tdm-reservation" content="1">', "<meta name=tdm-reservation content=1>"),
    ('<meta name="tdm-reservation" content="0">', None),
    ('<meta name="x" content="a>b"><meta name="robots" content="noai">', "<meta name=robots content=noai>"),
    ('<meta name="x" content="</head>"><meta name="robots" content="noai">', "<meta name=robots content=noai>"),
    ('<!-- <meta name="robots" content="noai"> -->', None),
    ('<!-- <meta name="robots" content="noai">', None),
    ("""<script>x = '<meta name="robots" content="noai">'</script>""", None),
    ("""<style>/* <meta name="robots" content="noai"> */</style>""", None),
    ("""<script>1</script><meta name="robots" content="noai">""", "<meta name=robots content=noai>"),
    ('<noscript><meta name="robots" content="noai"></noscript>', "<meta name=robots content=noai>"),
    ('<metadata name="robots" content="noai">', None),
    ('<meta name="robots" content="noai', "<meta name=robots content=noai>"),
    ('<meta name="x" content=""" ><meta name="robots" content="noai">', "<meta name=robots content=noai>"),
    ("<meta><meta/><meta name><meta name=robots content=noai>", "<meta name=robots content=noai>"),
]


@pytest.mark.parametrize(("line", "signal"), METAS)
def test_metas(line, signal):
    assert found(head(line)) == signal


def test_a_header_counts_before_a_meta():
    assert found(head("<meta name=robots content=noai>"), ["tdm-reservation: 1"]) == "tdm-reservation: 1"


def test_which_signals_and_agents_count_is_the_recipes():
    page = head('<meta name="robots" content="none, noimageai">', '<meta name="gptbot" content="noai">')
    assert found(page) is None
    assert found(page, signals="noimageai") == "<meta name=robots content=noimageai>"
    assert found(page, signals=["noindex"]) == "<meta name=robots content=none>"
    assert found(page, signals=["noai"], agents=["GPTBot"]) == "<meta name=gptbot content=noai>"
    assert found(head("<meta name=ccbot content=noai>"), signals=["noai"], agents=[]) is None
    assert found(headers=["tdm-reservation: 1"], signals=["noai"]) is None


def test_pages_in_utf16_are_read_too():
    page = head('<meta name="robots" content="noai">').decode()
    for charset in ("utf-16", "utf-16-le", "utf-16-be"):
        assert found(page.encode(charset)) == "<meta name=robots content=noai>"


def test_metas_are_looked_for_at_the_start_only():
    meta = b'<meta name="robots" content="noai">'
    assert found(b" " * (SCANNED_BYTES - len(meta)) + meta) is not None
    assert found(b" " * SCANNED_BYTES + meta) is None


def test_plain_text_has_no_metas():
    gate = open_gate(ExtractSettings(opt_out=["noai"]))
    response = parse_response(b"HTTP/1.1 200 OK\r\n\r\n", 19, 100)
    body = b"<meta name=robots content=noai>"
    assert gate.for_page(response, Page(body, None, True)) is None
    assert gate.for_page(response, Page(body, None)).detail == "<meta name=robots content=noai>"


PIECES = (
    "<meta", "<meta ", "name=", "content=", "robots", '"robots"', "noai", '"', "'", ">", "/>", "<!--", "-->",
    "<script>", "</script", "<title", "=", " ", "\n", "\0", "tdm-reservation", "1", "&", "&#x", "<",
)  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(PIECES), characters()), max_size=40).map("".join))
def test_any_page_can_be_scanned(text):
    signal = found(text.encode("utf-8", "replace"))
    assert signal in (None, "<meta name=robots content=noai>", "<meta name=tdm-reservation content=1>")


@given(st.lists(st.one_of(st.sampled_from([*PIECES, ",", ":", "ccbot"]), characters()), max_size=20).map("".join))
@example("ccbot:" * 1000)
def test_any_header_can_be_read(text):
    line = "".join(character for character in text if character.isprintable() and character.isascii())
    signal = found(headers=[f"X-Robots-Tag: {line}"])
    assert signal is None or "noai" in signal


HOSTILE = ("<meta", '<meta "', "<meta '", "<meta name=", '<meta name="', "<!--", "<script>", "<meta a", "<", "<title ")


@pytest.mark.timeout(60)  # what is quadratic takes minutes
@pytest.mark.parametrize("piece", [*HOSTILE, "<meta/", "<meta a=", "<meta a='>", "</script", "<!-- --"])
def test_hostile_pages_cost_no_more_than_their_length(piece):
    found(b"noai" + piece.encode() * (SCANNED_BYTES // len(piece)))


@pytest.mark.data
def test_real_pages_that_speak_of_opting_out_are_not_taken_for_it(data):
    from gristmill.access.source import open_source
    from gristmill.crawl.warc.reader import WarcReader

    finder = OptOutFinder(ExtractSettings(opt_out=["noai", "noimageai", "tdm"]).opt_out)
    signals = []
    for path in sorted((data / "warc").glob("*.warc.gz"))[:2]:
        file, size = open_source(str(path))
        for record in WarcReader(file, size, 1 << 20):
            if record.type == "response":
                response = parse_response(record.block, record.length, 1 << 20)
                signals.append(finder.find(response.fields, response.body or b""))
        file.close()
    assert len(signals) > 2000
    assert set(signals) <= {None, "<meta name=robots content=noai>"}
