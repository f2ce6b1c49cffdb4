"""What a cascade asks once and what twice, and that its pages have the fates that trafilatura alone gives them."""

from pathlib import Path

import extraction_speed as speed
import pyarrow as pa
import pytest
import strategies
import warcs
from extraction_gold import SETS, gold_pages
from hypothesis import example, given
from hypothesis import strategies as st

from gristmill.crawl import fates
from gristmill.crawl.extraction.cascade import Cascade
from gristmill.crawl.extraction.child import _tags
from gristmill.crawl.extraction.depth import nesting_depth
from gristmill.crawl.extraction.extractors import clean, without_blank_lines
from gristmill.crawl.extraction.pool import Pool
from gristmill.crawl.extraction.protocol import Page, pack_page, unpack_page_head
from gristmill.crawl.http.charset import decode
from gristmill.crawl.settings import ExtractSettings

GERMAN = (
    "Der Müller öffnete das Wehr vor dem Morgengrauen, und das Rad begann sich zu drehen, als das Wasser stieg. "
    "Das Korn lief aus dem Trichter in das Auge des Steins, und warmes Mehl fiel in den Kasten, der darunter stand. "
)
BOTH = speed.screen(has_filters=True)


def survives(text):
    return BOTH(pa.array([text], pa.large_string()))[0]


@pytest.mark.parametrize("facts", [(), (True,), (False, True), (False, False, True), (False, False, False, True)])
def test_what_is_known_of_a_page_survives_its_way(facts):
    page = Page(b"<p>", "utf-8", *facts)
    body, label, *known = unpack_page_head(pack_page(page)[: -len("utf-8")])
    assert (body, label, *known) == (3, 5, *page[2:])


def test_columns_and_depth_of_a_page_that_is_asked_about_again_are_those_of_the_first_time(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    settings = ExtractSettings(extractor="cascade", columns=["title"], max_depth=9)
    pages = ["<title>A mill</title> yes", "<title>A race</title> no", "yes", "<b>" * 10 + "yes"]
    pool = Pool(settings, "extractor_doubles")
    with Cascade(pool, lambda texts: ["yes" in text for text in texts.to_pylist()]) as cascade:
        for page in pages:
            cascade.submit(Page(page.encode(), "utf-8"))
        found = [cascade.take() for _ in pages]
    assert [(answer.extractor, answer.columns) for answer in found[:3]] == [
        ("trafilatura", ("A mill",)),
        ("resiliparse", ("A race",)),
        ("trafilatura", (None,)),
    ]
    assert found[3].fate == fates.TOO_DEEP


def test_a_text_that_outgrows_its_page_is_none(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    with Pool(ExtractSettings(max_body=100), "extractor_doubles") as pool:
        for page in (b"grow 201", b"grow 200"):
            pool.submit(Page(page, "utf-8"))
        large, other = pool.take(), pool.take()
    assert (large.text, large.fate, large.charset) == (None, fates.TOO_LARGE, "utf-8")
    assert other.text == "é".encode() * 200


@given(
    st.lists(st.sampled_from([b"<b>", b"</b>", b"<", b"b>", b"/", b"\0", b"\xff", b"\xe2\x82", b"<!--", b"-->", b"x"])),
    st.sampled_from([None, "utf-8", "gbk", "utf-16", "windows-1252", "iso-2022-jp"]),
)
@example([b"<\0b>", b"<b>"], "utf-8")
@example([b"\xef\xbb\xbf<b>"], None)
@example([b"\xe2<b>"], "utf-8")
def test_a_page_is_as_deep_by_its_body_as_by_its_text(parts, label):
    body = b"".join(parts)
    decoded = decode(body, label)
    assert nesting_depth(_tags(body, decoded)) == nesting_depth(decoded.text.encode("utf-8", "replace"))


@given(strategies.texts() | st.text(st.sampled_from("a \n\t\u2028")))
def test_a_text_without_blank_lines_has_its_other_lines(text):
    text = clean(text) or ""
    assert without_blank_lines(text) == "\n".join(line for line in text.split("\n") if not text or line.strip())


@given(st.lists(st.sampled_from([GERMAN, warcs.PROSE, "1 2 3 4 5 6 7 8 ", "xyz\n"]), min_size=1, max_size=30))
def test_a_long_text_that_falls_is_dropped_by_the_stages(parts):
    text = clean("".join(parts))
    (fate,) = speed.fates([text], has_filters=True)
    assert survives(text) or fate != speed.KEPT


@pytest.mark.data
def test_gold_pages_have_the_fates_that_trafilatura_alone_gives_them(data):
    pages = [speed.page_of(page.html) for name in SETS for page in gold_pages(name, data / "gold", subset=True)]
    found = []
    for extractor in ("trafilatura", "cascade"):
        with speed.opened(ExtractSettings(extractor=extractor, mode="fast"), has_filters=True) as pool:
            found.append(speed.fates(speed.texts_of(pool, pages), has_filters=True))
    alone, cascade = found
    differing = [pair for pair in zip(alone, cascade, strict=True) if pair[0] != pair[1]]
    assert len(differing) <= 0.01 * len(pages), differing
    assert not [pair for pair in differing if speed.KEPT in pair]
