"""What an index query means: patterns, pruning, the two ways of asking, limits, and records read by range."""

import io
import json
import re
from datetime import date, datetime, timedelta
from itertools import pairwise
from urllib.parse import parse_qs

import cc_index
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import warcs
from cc_index import Capture, surt
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gristmill import schema
from gristmill.crawl import fates
from gristmill.crawl.extract import Extraction
from gristmill.crawl.index import answer, cdx
from gristmill.crawl.index.answer import Answer
from gristmill.crawl.index.columnar import IndexFile, as_ranges
from gristmill.crawl.index.conditions import conditions
from gristmill.crawl.index.patterns import Host, UrlPattern
from gristmill.crawl.index.settings import IndexSettings
from gristmill.crawl.ranges import Range, Ranges, Reader, record_of, requests
from gristmill.crawl.records import Origin, WholeFile
from gristmill.crawl.settings import ExtractSettings
from gristmill.crawl.warc.record import DAMAGE, RESPONSE
from gristmill.errors import CorruptError, UsageError

FAST = ExtractSettings(extractor="resiliparse")
LABELS = st.sampled_from(["www", "www2", "a", "news", "example", "org", "x-y", "7"])
HOSTS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
SEGMENTS = st.text("aB1-_.%;(=*", max_size=6)
URLS = st.builds(
    lambda scheme, host, port, path, query: f"{scheme}://{host}{port}/{path}{query}",
    st.sampled_from(["http", "https"]),
    HOSTS,
    st.sampled_from(["", ":8080"]),
    st.lists(SEGMENTS.map(lambda text: text.replace("*", "")), max_size=3).map("/".join),
    st.sampled_from(["", "?b=1&a=2"]),
)


@st.composite
def patterns_of(draw, url):
    """A pattern made of an address by putting stars over stretches of it; mostly it matches that address."""
    scheme, rest = url.split("://")
    host, _, path = rest.partition("/")
    start = draw(st.integers(0, len(host)))
    host = draw(st.sampled_from([host, "*" + host[start:], "*." + host.partition(".")[2] if "." in host else host]))
    cuts = sorted(draw(st.lists(st.integers(0, len(path)), min_size=2, max_size=2)))
    path = draw(st.sampled_from([path, path[: cuts[0]] + "*" + path[cuts[1] :], path[: cuts[0]] + "*"]))
    return f"{draw(st.sampled_from([scheme, '*']))}://{host}/{path}"


def globbed(pattern, url):
    """The obvious, slow meaning of a pattern."""
    scheme, rest = pattern.split("://")
    host, _, path = rest.partition("/")
    own_scheme, own_rest = url.split("://")
    own_host, _, own_path = own_rest.partition("/")
    return scheme in ("*", own_scheme) and starred(host, own_host) and starred(path, own_path)


def starred(pattern, text):
    head, *rest = pattern.split("*", 1)
    if not rest:
        return pattern == text
    return text.startswith(head) and any(starred(rest[0], text[i:]) for i in range(len(head), len(text) + 1))


@given(st.data(), URLS, URLS)
def test_a_pattern_means_what_its_stars_say(data, url, other):
    pattern = data.draw(patterns_of(url))
    try:
        parsed = UrlPattern.parse(pattern)
    except ValueError:
        return
    found = pc.match_substring_regex(pa.array([url, other, None]), parsed.regex).to_pylist()
    assert found == [globbed(pattern, url), globbed(pattern, other), None]


@given(st.data(), URLS)
def test_the_stretches_of_a_pattern_hold_the_keys_of_what_it_matches(data, url):
    pattern = data.draw(patterns_of(url))
    try:
        parsed = UrlPattern.parse(pattern)
    except ValueError:
        return
    if globbed(pattern, url):
        key, spans = surt(url).encode(), parsed.spans()
        assert spans is None or any(span.start <= key < span.end for span in spans)


@given(HOSTS, HOSTS, st.booleans())
def test_the_stretches_of_a_host_hold_its_keys(name, other, and_below):
    host = Host.parse(f"*.{name}" if and_below else name)
    matches = other == name or (and_below and other.endswith(f".{name}"))
    for url in (f"http://{other}/A/b", f"https://{other}:8443/"):
        key = surt(url).encode()
        assert not matches or any(span.start <= key < span.end for span in host.spans())
    assert next(c for c in conditions(settings(hosts=host.written))).holds(pa.array([other]))[0] == matches


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hosts": ["exa mple.org"]}, "is no host"),
        ({"hosts": ["bücher.de"]}, "in its ASCII form, xn--"),
        ({"hosts": ["*.*"]}, "is no host"),
        ({"url_patterns": ["example.org/*"]}, "write all of it, such as https://"),
        ({"url_patterns": ["https://example.org"]}, "write all of it"),
        ({"url_patterns": ["https://example.org/a b"]}, "write all of it"),
        ({"languages": ["en"]}, "should match pattern"),
        ({"mime": ["html"]}, "written as text/html"),
        ({"status": [99]}, "greater than or equal to 100"),
        ({"since": "2024-12-02", "until": "2024-12-01"}, "until 2024-12-01 is before since 2024-12-02"),
        ({"via": "cdx"}, "asked by address: add hosts or url_patterns"),
        ({"via": "cdx", "url_patterns": ["*://*.org/x"]}, "tells no host"),
        ({"limit": 3_000_000}, "less than or equal to 500000"),
        ({"subsets": []}, "at least 1 item"),
    ],
)
def test_what_cannot_be_asked_is_said(changes, message):
    with pytest.raises(ValidationError, match=re.escape(message)):
        settings(**changes)


def test_a_question_has_one_form():
    one = settings(hosts=[".B.org", "a.org", "a.org"], mime="Text/HTML", status=200)
    assert one == settings(hosts=["a.org", "*.b.org"], mime=["text/html"], status=[200, 200])


def test_hostile_patterns_take_linear_time():
    pattern = UrlPattern.parse(f"https://{'*' * 50}.org/{'*a' * 400}b")
    found = pc.match_substring_regex(pa.array([f"https://x.org/{'a' * 5000}"] * 50), pattern.regex)
    assert not any(found.to_pylist())
    literal = UrlPattern.parse(r"https://example.org/.*\E(?i)[a]{2}$|^")
    assert pc.match_substring_regex(pa.array([r"https://example.org/.x\E(?i)[a]{2}$|^"]), literal.regex)[0].as_py()


def settings(**values):
    return IndexSettings.model_validate(values)


# --- reading Parquet -------------------------------------------------------------------------------------------------

TIMES = st.integers(0, 15 * 24).map(lambda hours: datetime(2024, 12, 1) + timedelta(hours=hours))
CAPTURES = st.lists(
    st.builds(
        Capture,
        URLS,
        TIMES,
        st.sampled_from([200, 301, 404]),
        st.sampled_from(["text/html", "application/pdf", None]),
        st.sampled_from(["eng", "eng,deu", "deu,eng", "enga", None]),
        st.sampled_from(["crawl-data/a.warc.gz", "crawl-data/b.warc.gz"]),
    ),
    min_size=1,
    max_size=40,
).map(lambda found: [Capture(**vars(c) | {"offset": 1000 * n, "length": 10 + n}) for n, c in enumerate(found)])


@st.composite
def queries_of(draw, found):
    """Settings whose conditions are mostly true of some captures."""
    one = draw(st.sampled_from(found))
    host = one.host
    known = {
        "hosts": [[host], [f".{host}"], [f"*.{host.partition('.')[2] or host}"]],
        "languages": [["eng"], ["deu", "eng"]],
        "mime": [["text/html"], ["application/pdf"]],
        "status": [[200], [301, 404]],
        "since": [one.time.date()],
        "until": [one.time.date()],
    }
    chosen = draw(st.lists(st.sampled_from(sorted(known)), unique=True, max_size=3))
    values = {name: draw(st.sampled_from(known[name])) for name in chosen}
    if draw(st.booleans()):
        values["url_patterns"] = [draw(patterns_of(one.url))]
    try:
        return settings(**values)
    except ValidationError:
        return settings(hosts=[host])


def satisfies(capture, query):
    """The obvious meaning of a query."""
    hosts = [host.removeprefix("*.") for host in query.hosts if host.startswith("*.")]
    return all(
        (
            not query.hosts or capture.host in query.hosts or capture.host in hosts
            or any(capture.host.endswith(f".{host}") for host in hosts),
            not query.url_patterns or any(globbed(pattern, capture.url) for pattern in query.url_patterns),
            not query.languages or (capture.languages or "").split(",")[0] in query.languages,
            not query.mime or capture.mime in query.mime,
            not query.status or capture.status in query.status,
            not query.since or capture.time.date() >= query.since,
            not query.until or capture.time.date() <= query.until,
        )
    )  # fmt: skip


@given(st.data(), CAPTURES, st.booleans(), st.booleans())
def test_pruning_loses_no_row_and_adds_none(data, found, is_sorted, is_int96):
    query = data.draw(queries_of(found))
    rows = sorted(found, key=lambda capture: surt(capture.url)) if is_sorted else found
    table = read(cc_index.parquet(rows, use_deprecated_int96_timestamps=is_int96), query)[0]
    assert places(table) == places_of(found, query)


@given(st.data(), CAPTURES)
def test_the_cdx_server_gives_the_rows_that_the_parquet_files_give(data, found):
    query = data.draw(queries_of(found))
    lines = b"\n".join(json.dumps(cc_index._line(capture)).encode() for capture in found)
    table = cdx.parse_page(lines, "http://cdx")
    for condition in conditions(query):
        table = table.filter(pa.array(condition.holds(table.column(condition.column).combine_chunks())))
    assert places(as_ranges(table)) == places_of(found, query)


@given(st.data(), CAPTURES)
def test_the_questions_to_a_cdx_server_reach_every_row(data, found):
    query = data.draw(queries_of(found))
    try:
        query = IndexSettings.model_validate(query.model_dump() | {"via": "cdx"})
    except ValidationError:
        return
    answers, seen = cc_index.cdx(found), set()
    for question in cdx.questions("http://cdx", "CC", query):
        asked = parse_qs(question.partition("?")[2])
        count = answers(asked | {"showNumPages": ["true"]})
        for page in range(0 if isinstance(count, tuple) else cdx.page_count(count, question)):
            lines = answers(asked | {"page": [str(page)]})
            seen |= {
                int(json.loads(line)["offset"]) for line in ([] if isinstance(lines, tuple) else lines.splitlines())
            }
    assert {offset for _, offset, _, _ in places_of(found, query)} <= seen


def read(data, query):
    """Return a Parquet file's rows for a query, and what reading it came to."""
    file = IndexFile(io.BytesIO(data), len(data), "part.parquet")
    tables = list(file.rows(conditions(query)))
    return pa.concat_tables([schema.RANGES.empty_table(), *(t.cast(schema.RANGES) for t in tables)]), file.scan


def places(table):
    return sorted(
        zip(*(table.cast(schema.RANGES).column(name).to_pylist() for name in schema.RANGES.names), strict=True)
    )


def places_of(found, query):
    return sorted((c.file, c.offset, c.length, c.url) for c in found if satisfies(c, query))


def test_only_row_groups_that_can_match_and_columns_that_matter_are_read():
    _, placed = cc_index.crawl()
    data = cc_index.parquet([capture for capture in placed if capture.status == 200])
    groups = pq.ParquetFile(io.BytesIO(data)).metadata
    rows, scan = read(data, settings(hosts=["example.net"], status=[200]))
    assert rows.num_rows == 8
    assert 1 <= scan.groups_read <= 2 < scan.groups == groups.num_row_groups
    wanted = ("url_host_name", "fetch_status", "url", "warc_filename", "warc_record_offset", "warc_record_length")
    most = sum(
        groups.row_group(g).column(groups.schema.names.index(name)).total_compressed_size
        for g in range(groups.num_row_groups)
        for name in wanted
    )
    assert scan.bytes_read - groups.serialized_size < most * scan.groups_read / scan.groups * 1.5
    _, scan = read(data, settings(hosts=["absent.example"]))
    assert (scan.groups_read, scan.bytes_read) == (0, groups.serialized_size)
    assert scan.nothing_left_after == "hosts"
    _, scan = read(data, settings(hosts=["example.net"], status=[404]))
    assert scan.nothing_left_after == "status"


def test_a_file_without_a_column_or_that_is_none_is_named():
    table = pq.read_table(io.BytesIO(cc_index.parquet(cc_index.crawl()[1]))).drop_columns(["content_languages"])
    sink = io.BytesIO()
    pq.write_table(table, sink)
    with pytest.raises(CorruptError, match=r"part.parquet has no column content_languages"):
        read(sink.getvalue(), settings(languages=["eng"]))
    for data in (b"", b"PAR1", sink.getvalue()[:-20]):
        with pytest.raises(CorruptError, match=r"part.parquet is not a readable Parquet file"):
            read(data, settings())


# --- the answer ------------------------------------------------------------------------------------------------------


def ranges(rows):
    columns = zip(*rows, strict=True) if rows else [[]] * 4
    arrays = [pa.array(list(column), field.type) for column, field in zip(columns, schema.RANGES, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema.RANGES)


PLACES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.integers(1, 3), st.just("http://x/")))


@given(PLACES, st.integers(1, 20), st.randoms(use_true_random=False))
def test_a_limit_chooses_by_content_whatever_the_order(rows, limit, random):
    shuffled = rows.copy()
    random.shuffle(shuffled)
    one, other = Answer(limit, 7), Answer(limit, 7)
    one.add(ranges(rows))
    for row in shuffled:
        other.add(ranges([row]))
    found = one.finish()
    assert found.equals(other.finish())
    once = {(file, offset): min(row for row in rows if row[:2] == (file, offset)) for file, offset, _, _ in rows}
    assert found.num_rows == min(limit, len(once))
    assert {tuple(row.values()) for row in found.to_pylist()} <= set(once.values())
    more = Answer(limit + 5, 7)
    more.add(ranges(rows))
    assert set(places(found)) <= set(places(more.finish()))


@given(PLACES)
def test_an_answer_is_sorted_and_holds_each_place_once(rows):
    whole = Answer(None, 0)
    whole.add(ranges(rows))
    found = whole.finish()
    keys = [(row[schema.WARC], row[schema.OFFSET]) for row in found.to_pylist()]
    assert keys == sorted({row[:2] for row in rows})
    pieces = list(answer.cut(found, 3))
    assert all(0 < piece.num_rows <= 3 for piece in pieces)
    assert pa.concat_tables([found.slice(0, 0), *pieces]).equals(found)


@pytest.mark.parametrize(
    "path", ["../a", "/a", "a//b", "s3://a/b", "a/../b", "a b", "a\nb", "", ".a", "a/./b", "a?b", "é"]
)
def test_a_path_that_could_lead_elsewhere_is_refused(path):
    with pytest.raises(CorruptError, match="which is no path of a crawl"):
        Answer(None, 0).add(ranges([(path, 0, 1, "http://x/")]))


def test_places_that_are_none_are_refused():
    for row in (("a", -1, 5, "u"), ("a", 0, 0, "u"), ("a", None, 1, "u")):
        with pytest.raises(CorruptError, match="a record without a place"):
            Answer(None, 0).add(ranges([row]))


def test_more_records_than_a_query_may_have_are_an_error(monkeypatch):
    monkeypatch.setattr(answer, "MOST_RECORDS", 10)
    monkeypatch.setattr(answer, "_SPARE", 5)
    many = Answer(None, 0)
    many.add(ranges([("a", offset, 1, "u") for offset in range(10)] * 2))
    assert many.finish().num_rows == 10
    with pytest.raises(UsageError, match=r"more than 10 records.*source.index.limit"):
        many.add(ranges([("b", offset, 1, "u") for offset in range(10)]))


@pytest.mark.parametrize(
    "line", ["[]", "{}", "nonsense", '{"url":1}', '{"offset":"-1","length":"1","timestamp":"20240101000000"}']
)
def test_a_line_that_is_no_capture_is_named(line):
    good = json.dumps(cc_index._line(cc_index.crawl()[1][0]))
    with pytest.raises(CorruptError, match="http://cdx: line 2 is no capture"):
        cdx.parse_page(f"{good}\n{line}\n".encode(), "http://cdx")


@pytest.mark.parametrize("data", [b"", b"<html>", b"{}", b'{"pages": -1}', b'{"pages": 1e99}', b'{"pages": null}'])
def test_a_page_count_that_is_none_is_named(data):
    with pytest.raises(CorruptError, match="http://cdx"):
        cdx.page_count(data, "http://cdx")


# --- records by range ------------------------------------------------------------------------------------------------

URL = "http://example.org/0"
RECORD = warcs.member(warcs.response(0))
OTHER = warcs.member(warcs.response(1))
REQUEST = warcs.member(warcs.record("request", b"GET / HTTP/1.1\r\n\r\n", URL))


@pytest.mark.parametrize(
    ("data", "length", "url", "kind"),
    [
        (RECORD, len(RECORD), URL, RESPONSE),
        (warcs.response(0), len(warcs.response(0)), URL, RESPONSE),
        (RECORD, len(RECORD), "http://example.org/1", DAMAGE),
        (RECORD[:-1], len(RECORD), URL, DAMAGE),
        (RECORD[:-1], len(RECORD) - 1, URL, DAMAGE),
        (RECORD[: len(RECORD) // 2], len(RECORD) // 2, URL, DAMAGE),
        (RECORD + OTHER[:9], len(RECORD) + 9, URL, DAMAGE),
        (RECORD + OTHER, len(RECORD + OTHER), URL, DAMAGE),
        (RECORD[3:], len(RECORD) - 3, URL, DAMAGE),
        (warcs.damaged(RECORD, len(RECORD) // 2), len(RECORD), URL, DAMAGE),
        (REQUEST, len(REQUEST), URL, DAMAGE),
        (b"", 10, URL, DAMAGE),
        (b"\0" * 100, 100, URL, DAMAGE),
    ],
)
def test_a_range_is_the_record_that_the_index_names_or_damage(data, length, url, kind):
    record = record_of(Range("a.warc.gz", 77, length, url), io.BytesIO(data), 1 << 20)
    assert (record.type, record.offset) == (kind, 77)
    assert record.fields[b"warc-target-uri"] == url.encode()


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9_000_000), st.integers(1, 6_000_000)), max_size=30))
def test_ranges_are_asked_for_together_only_if_they_lie_together(rows):
    places = [Range(file, offset, length, "u") for file, offset, length in sorted(rows)]
    asked = list(requests(iter(places)))
    assert [place for request in asked for place in request] == places
    for request in asked:
        assert len({place.file for place in request}) == 1
        size = max(place.offset + place.length for place in request) - request[0].offset
        assert len(request) == 1 or size <= 4 << 20
        assert all(b.offset - (a.offset + a.length) <= 1 << 14 for a, b in pairwise(request))


@pytest.fixture(scope="module")
def crawled():
    files, placed = cc_index.crawl()
    return {path.removeprefix("/"): data for path, data in files.items()}, placed


def extracted(files, table):
    """Return the documents at some ranges of files."""
    reader = Reader(lambda path, start, size: files[path][start : start + size], lambda path: io.BytesIO(files[path]))
    source = Ranges(table, lambda path: Origin(path.rsplit("/", 1)[-1], "w"), reader)
    extraction = Extraction(source, FAST)
    return pa.Table.from_batches(list(extraction), schema.DOCUMENTS), extraction.counts


def test_each_range_has_a_row_whatever_its_bytes_are(crawled):
    files, placed = crawled
    rows = sorted((c.file, c.offset, c.length, c.url) for c in placed)
    wrong = [(*rows[0][:1], rows[0][1] + 1, 9, "http://x/"), (rows[0][0], 1 << 50, 7, "http://far/")]
    huge = (rows[1][0], rows[1][1] + 1, 1 << 40, "http://huge/")
    table = ranges(sorted([*rows, *wrong, huge]))
    documents, counts = extracted(files, table)
    assert documents[schema.OFFSET].to_pylist() == table[schema.OFFSET].to_pylist()
    assert documents[schema.URL].to_pylist() == table[schema.URL].to_pylist()
    damaged = documents.filter(pc.equal(documents[schema.FATE], fates.DAMAGED))[schema.URL].to_pylist()
    assert sorted(damaged) == ["http://far/", "http://huge/", "http://x/"]
    assert counts == {"damage": 3, "response": len(rows)}


def test_a_record_longer_than_is_read_ahead_is_read_in_place(crawled, monkeypatch):
    files, placed = crawled
    rows = ranges(sorted((c.file, c.offset, c.length, c.url) for c in placed))
    usual, _ = extracted(files, rows)
    monkeypatch.setattr("gristmill.crawl.ranges._BYTES_AHEAD", 10)
    assert extracted(files, rows)[0].equals(usual)


def test_no_range_gives_no_row(crawled):
    assert extracted(crawled[0], ranges([]))[0].num_rows == 0


def test_the_rows_are_those_of_the_whole_files(crawled, tmp_path):
    files, placed = crawled
    for path in sorted({capture.file for capture in placed if "/warc/" in capture.file}):
        (tmp_path / "a.warc.gz").write_bytes(files[path])
        whole = Extraction(WholeFile(str(tmp_path / "a.warc.gz"), path.rsplit("/", 1)[-1]), FAST)
        expected = pa.Table.from_batches(list(whole), schema.DOCUMENTS).drop_columns([schema.WARC])
        rows = ranges(sorted((c.file, c.offset, c.length, c.url) for c in placed if c.file == path))
        assert extracted(files, rows)[0].drop_columns([schema.WARC]).equals(expected)


def test_dates_count_whole_days():
    day = settings(since=date(2024, 12, 2), until=date(2024, 12, 2))
    (condition,) = conditions(day)
    times = [
        datetime(2024, 12, 1, 23, 59, 59),
        datetime(2024, 12, 2),
        datetime(2024, 12, 2, 23, 59, 59),
        datetime(2024, 12, 3),
    ]
    for unit in ("s", "ms", "us", "ns"):
        assert condition.holds(pa.array(times, pa.timestamp(unit))).tolist() == [False, True, True, False]
        assert condition.holds(pa.array(times, pa.timestamp(unit, "UTC"))).tolist() == [False, True, True, False]
