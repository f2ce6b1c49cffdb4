"""From a response's bytes to its text: headers, chunks, compression, charsets, nesting."""

import gzip
import json
import zlib

import brotli
import pyarrow as pa
import pytest
import warcs
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gristmill.crawl.extraction.depth import is_too_deep, nesting_depth
from gristmill.crawl.extraction.extractors import clean
from gristmill.crawl.http.charset import decode
from gristmill.crawl.http.encodings import unchunk, unpack
from gristmill.crawl.http.response import looks_like_html, parse_response
from gristmill.crawl.settings import ExtractSettings

LIMIT = 1 << 16


def parse(block, limit=LIMIT):
    return parse_response(block, len(block), limit)


def raw_deflate(body):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def zstd(body):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(body)
    return sink.getvalue().to_pybytes()


def chunked(body, size=7):
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in chunks) + b"0\r\n\r\n"


PACKERS = {
    "gzip": gzip.compress,
    "x-gzip": lambda body: gzip.compress(body[:50]) + gzip.compress(body[50:]),
    "deflate": zlib.compress,
    "DEFLATE": raw_deflate,
    "br": brotli.compress,
    "zstd": zstd,
    "identity": bytes,
    "": bytes,
    "utf-8": bytes,
    "gzip, br": lambda body: brotli.compress(gzip.compress(body)),
}


@pytest.mark.parametrize("coding", PACKERS)
@pytest.mark.parametrize("is_chunked", [True, False])
def test_bodies_are_unpacked(coding, is_chunked):
    body = warcs.page() * 5
    packed = PACKERS[coding](body)
    headers = [f"Content-Encoding: {coding}", "Content-Type: text/html"]
    if is_chunked:
        packed = chunked(packed)
        headers.append("Transfer-Encoding: Chunked")
    found = parse(warcs.http(packed, headers=headers))
    assert (found.status, found.media_type, found.body, found.body_bytes) == (200, "text/html", body, len(body))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, br"])
@pytest.mark.parametrize("is_chunked", [True, False])
def test_a_wrong_label_leaves_the_body_as_it_is(coding, is_chunked):
    body = warcs.page()
    headers = [f"Content-Encoding: {coding}"] + ["Transfer-Encoding: chunked"] * is_chunked
    assert parse(warcs.http(body, headers=headers)).body == body


@pytest.mark.parametrize("coding", ["gzip", "deflate", "DEFLATE", "br", "zstd"])
def test_of_a_body_that_is_cut_off_there_is_what_there_is(coding):
    body = bytes(str(list(range(90000))), "ascii")
    found = unpack(PACKERS[coding](body)[:-2000], coding, 1 << 20)
    assert 1000 < len(found) < len(body)
    assert body.startswith(found)


@pytest.mark.parametrize("coding", [name for name in PACKERS if name not in ("identity", "", "utf-8")])
def test_bombs_are_bounded(coding):
    bomb = PACKERS[coding](b"\0" * (64 << 20))
    found = parse(warcs.http(bomb, headers=[f"Content-Encoding: {coding}"]), 1 << 20)
    assert (found.body, found.body_bytes) == (None, None)


def test_a_body_as_large_as_the_bound_is_not_too_large():
    for size, body_bytes in ((LIMIT, LIMIT), (LIMIT + 1, LIMIT + 1)):
        found = parse(warcs.http(b"x" * size))
        assert (found.body is None, found.body_bytes) == (size > LIMIT, body_bytes)


def test_chunks_that_go_wrong_lose_no_text():
    assert unchunk(b"5\r\nhello\r\n6\r\n world\r\nno chunk") == b"hello worldno chunk"
    assert unchunk(b"5;a=b\r\nhello\r\n0\r\nTrailer: x\r\n\r\n") == b"hello"
    assert unchunk(b"ff\r\nshort") == b"short"
    assert unchunk(b"") == b""


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"HTTP/1.1 200 OK", 200),
        (b"HTTP/1.1 200", 200),
        (b"HTTP/2 404", 404),
        (b"http/1.0  301 Moved", 301),
        (b"ICY 200 OK", 200),
        (b"HTTP/1.1 2000", None),
        (b"HTTP/1.1 OK", None),
        (b"<html>200 </html>", None),
        (b"", None),
    ],
)
def test_status_lines(line, status):
    assert parse(line + b"\r\nContent-Type: text/html\r\n\r\nbody").status == status


@pytest.mark.parametrize(
    ("headers", "media_type", "charset"),
    [
        (["Content-Type: Text/HTML; Charset=UTF-8"], "text/html", "utf-8"),
        (["content-type:text/html;charset='koi8-r'"], "text/html", "koi8-r"),
        (["Content-Type: text/plain", "Content-Type: text/html; charset=big5"], "text/html", "big5"),
        (["Content-Type: text/html; charset=big5", "Content-Type: text/plain"], "text/plain", None),
        (["Content-Type: text/html, text/html"], "text/html", None),
        (["Content-Type: ; charset=utf-8"], None, "utf-8"),
        (["Content-Type: html"], None, None),
        (["Content-Type:", " text/html"], "text/html", None),
        (["Content-Type: text/html; charset=\udcff\udcfe"], "text/html", None),
        (["X: " + "y" * 70000, "Content-Type: text/html"], "text/html", None),
        (["no colon here"], None, None),
        ([], None, None),
    ],
)
def test_content_types(headers, media_type, charset):
    found = parse(warcs.http(b"body", headers=headers))
    assert (found.media_type, found.charset) == (media_type, charset)


def test_heads_without_an_end_have_no_body():
    found = parse(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + b"x" * 300000)
    assert (found.status, found.body, found.body_bytes) == (200, b"", 0)
    assert parse(b"HTTP/1.1 200 OK\nContent-Type: text/html\n\nbody").body == b"body"


def test_html_is_recognized_without_a_media_type():
    assert looks_like_html(b"\xef\xbb\xbf\n <!DOCTYPE html><p>")
    assert looks_like_html(b"<!-- x --><p>")
    assert not looks_like_html(b"%PDF-1.4 <html>")
    assert not looks_like_html(b"")


RUSSIAN = "Мельник открыл шлюз до рассвета, и колесо начало вращаться. Зерно побежало из ковша в глаз камня. " * 3
JAPANESE = "粉屋は夜明け前に水門を開け、水が上がると車輪が回り始めた。穀物はホッパーから石の目に流れ込んだ。" * 3


@pytest.mark.parametrize(
    ("body", "label", "text", "charset", "source"),
    [
        (b"caf\xc3\xa9", "utf-8", "café", "utf-8", "http"),
        (b"caf\xe9", "iso-8859-1", "café", "windows-1252", "http"),
        (b"\x93caf\xe9\x94", "latin1", "“café”", "windows-1252", "http"),
        (b"caf\xc3\xa9", "iso-8859-1", "café", "utf-8", "bytes"),
        (RUSSIAN.encode("cp1251"), "utf-8", RUSSIAN, "windows-1251", "detected"),
        (b"na\xc3\xafve caf\xc3\xa9 \xe9", "utf-8", "naïve café \ufffd", "utf-8", "http"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "koi8-r", "café", "utf-8", "bom"),
        ("\ufeff<p>é".encode("utf-16-le"), None, "<p>é", "utf-16le", "bom"),
        ("<p>é".encode("utf-16-be"), None, "<p>é", "utf-16be", "bytes"),
        (b'<meta charset="windows-1251">\xcf', None, '<meta charset="windows-1251">П', "windows-1251", "meta"),
        (b"<meta http-equiv=c content='text/html;charset=gb2312'>\xc4\xe3", None, ..., "gbk", "meta"),
        (b"<!-- <meta charset=koi8-r> --><meta charset=utf-16>\xc3\xa9", None, ..., "utf-8", "meta"),
        (b"<?xml version='1.0' encoding='ISO-8859-2'?>\xb1", None, ..., "iso-8859-2", "meta"),
        (b"<meta charset=koi8-r>\xcf", "nonsense", "<meta charset=koi8-r>о", "koi8-r", "meta"),
        (RUSSIAN.encode("cp1251"), None, RUSSIAN, "windows-1251", "detected"),
        (RUSSIAN.encode(), None, RUSSIAN, "utf-8", "bytes"),
        (JAPANESE.encode("cp932"), "Shift_JIS", JAPANESE, "shift_jis", "http"),
        (JAPANESE.encode("iso2022_jp"), None, JAPANESE, "iso-2022-jp", "detected"),
        (JAPANESE.encode("euc_jp"), "x-euc-jp", JAPANESE, "euc-jp", "http"),
        ("똠방각하".encode("cp949"), "euc-kr", "똠방각하", "euc-kr", "http"),
        (b"a\0b", "utf-8", "ab", "utf-8", "http"),
        (b"", None, "", "utf-8", "bytes"),
    ],
)
def test_charsets(body, label, text, charset, source):
    found = decode(body, label)
    assert (found.charset, found.source) == (charset, source)
    assert text in (..., found.text)


@given(
    st.binary(max_size=300), st.sampled_from([None, "utf-8", "gbk", "utf-16", "iso-2022-jp", "big5", "x-mac-roman", ""])
)
def test_any_bytes_decode(body, label):
    found = decode(body, label)
    assert "\0" not in found.text
    found.text.encode()


def test_nesting_counts_what_parsers_nest():
    assert nesting_depth(b"<div>" * 5 + b"</div>" * 5 + b"<div>" * 2) == 5
    assert nesting_depth(b"<P>" * 50 + b"<br>" * 50 + b"<li>" * 50 + b"<Div>") == 1
    assert nesting_depth(b"<script>document.write('<div><div>')</script><!-- <b><b> --><b>") == 1
    assert nesting_depth(b"</b></b><b></i><b>") == 2
    assert nesting_depth(b"no tags, 1 < 2") == 0
    assert nesting_depth(b"") == 0
    assert is_too_deep(b"<div>" * 20000, 1000)
    assert not is_too_deep(b"<div></div>" * 20000, 1000)
    assert not is_too_deep(b"<p><br>" * 20000, 1000)
    assert not is_too_deep(b"", 1)


@given(
    st.binary(max_size=200) | st.lists(st.sampled_from([b"<b>", b"</b>", b"<p>", b"<!--", b"-->", b"<"])).map(b"".join)
)
def test_any_page_has_a_depth(page):
    assert 0 <= nesting_depth(page) <= page.count(b"<")


def test_texts_are_stored_clean():
    assert clean("\r\n a\rb\0\ud800 \n") == "a\nb\ufffd"
    assert clean(None) is clean(" \n") is None


@pytest.mark.parametrize(("value", "seconds"), [("10s", 10), ("500ms", 0.5), (3, 3), ("2m", 120), ("1.5", 1.5)])
def test_durations(value, seconds):
    assert ExtractSettings(timeout=value).timeout == seconds


@pytest.mark.parametrize(("value", "size"), [("5MiB", 5 << 20), ("1_000_000", 10**6), ("2 MB", 2 * 10**6), (7, 7)])
def test_sizes(value, size):
    assert ExtractSettings(max_body=value).max_body == size


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": "ten"},
        {"timeout": 0},
        {"timeout": "inf"},
        {"max_body": "5 potatoes"},
        {"max_body": -1},
        {"media_types": []},
        {"media_types": ["image/png"]},
        {"extracter": "trafilatura"},
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        ExtractSettings.model_validate(wrong)


def test_equal_settings_have_one_form():
    one = ExtractSettings(timeout="10s", max_body="5MiB", media_types=["text/html", "application/xhtml+xml"])
    assert one.model_dump(mode="json") == ExtractSettings().model_dump(mode="json")
    assert ExtractSettings.model_validate(json.loads(one.model_dump_json())) == one
