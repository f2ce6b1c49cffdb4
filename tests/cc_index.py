"""A small crawl with both of Common Crawl's indexes: Parquet files and a CDX server, of captures that are known."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
from crawl_server import CRAWL, collinfo, paths_file
from warcs import PROSE, http, member, page, record

START = datetime(2024, 12, 1, 6)
ROWS_PER_GROUP = 8
LINES_PER_PAGE = 10
SCHEMA = pa.schema(
    [
        pa.field("url_surtkey", pa.string(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("url_host_name", pa.string(), nullable=False),
        pa.field("url_host_tld", pa.string()),
        pa.field("url_host_registered_domain", pa.string()),
        pa.field("url_protocol", pa.string(), nullable=False),
        pa.field("url_path", pa.string(), nullable=False),
        pa.field("url_query", pa.string()),
        pa.field("fetch_time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("fetch_status", pa.int16(), nullable=False),
        pa.field("content_digest", pa.string()),
        pa.field("content_mime_type", pa.string()),
        pa.field("content_mime_detected", pa.string()),
        pa.field("content_charset", pa.string()),
        pa.field("content_languages", pa.string()),
        pa.field("content_truncated", pa.string()),
        pa.field("warc_filename", pa.string(), nullable=False),
        pa.field("warc_record_offset", pa.int32(), nullable=False),
        pa.field("warc_record_length", pa.int32(), nullable=False),
        pa.field("warc_segment", pa.string(), nullable=False),
    ]
)
HOSTS = {
    "example.org": "eng",
    "www.example.org": "eng,fra",
    "news.example.org": "eng",
    "a.b.example.org": "fra,eng",
    "example.net": "deu",
    "myexample.org": None,
    "xn--bcher-kva.de": "deu",
}
PATHS = (
    "/",
    "/news/",
    "/news/One",
    "/news/two.html?id=7&b=2",
    "/shop/a",
    "/newspaper/x",
    "/Shop//b",
    "/r%C3%A9sum%C3%A9",
)


@dataclass(frozen=True)
class Capture:
    """One fetch of an address, and where its record lies."""

    url: str
    time: datetime
    status: int = 200
    mime: str | None = "text/html"
    languages: str | None = "eng"
    file: str = ""
    offset: int = 0
    length: int = 0

    @property
    def host(self):
        return urlsplit(self.url).hostname


def surt(url):
    """Return the key that an index sorts an address by."""
    parts = urlsplit(url)
    host = ",".join(reversed(re.sub(r"^www\d*\.", "", parts.hostname or "").split(".")))
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    path = parts.path.lower() if parts.path == "/" else parts.path.lower().rstrip("/")
    query = "?" + "&".join(sorted(parts.query.lower().split("&"))) if parts.query else ""
    return f"{host}{port}){re.sub('/+', '/', path)}{query}"


def captures():
    """Return captures of several hosts: pages, files, redirects and errors, of two weeks."""
    found = []
    for number, (host, languages) in enumerate(HOSTS.items()):
        for place, path in enumerate(PATHS):
            time = START + timedelta(hours=37 * number + 5 * place)
            scheme = "https" if place % 2 else "http"
            mime = "application/pdf" if place == 4 else "text/html"
            status = {5: 404, 6: 301}.get(place, 200) if number % 2 else 200
            found.append(Capture(f"{scheme}://{host}{path}", time, status, mime, languages if status == 200 else None))
    return found


def crawl(found=None):
    """Return a server's files, with the captures as they lie in them, in the order of the index."""
    files, placed = {"/collinfo.json": json.dumps(collinfo(CRAWL)).encode()}, []
    by_file = {}
    for number, capture in enumerate(captures() if found is None else found):
        kind = "warc" if capture.status == 200 else "crawldiagnostics"
        path = f"crawl-data/{CRAWL}/segments/17330{number % 2}.0/{kind}/CC-MAIN-20241201162023-{number % 6:05}.warc.gz"
        by_file.setdefault(path, []).append((number, capture))
    for path, within in by_file.items():
        files[f"/{path}"], rows = warc(path, within)
        placed += rows
    files[f"/crawl-data/{CRAWL}/warc.paths.gz"] = paths_file(p for p in sorted(by_file) if "/warc/" in p)
    placed.sort(key=lambda capture: (surt(capture.url), capture.time))
    files |= index_files(placed)
    return files, placed


def warc(path, within):
    """Return a WARC of numbered captures, and them with their places."""
    data, rows = member(record("warcinfo", b"format: WARC File Format 1.0\r\n", None)), []
    for number, capture in within:
        data += member(record("request", b"GET / HTTP/1.1\r\n\r\n", capture.url))
        body = page(f"{PROSE} This is capture {number} of {capture.url}.", f"Page {number}")
        block = http(body, f"{capture.status} X", [f"Content-Type: {capture.mime}"])
        packed = member(record("response", block, capture.url))
        rows.append(Capture(**vars(capture) | {"file": path, "offset": len(data), "length": len(packed)}))
        data += packed + member(record("metadata", b"fetchTimeMs: 5\r\n", capture.url))
    return data, rows


def index_files(placed, parts=2, crawl=CRAWL):
    """Return the columnar index of captures: Parquet files by subset, and their list."""
    files, paths = {}, []
    for subset in ("warc", "crawldiagnostics", "robotstxt"):
        rows = [capture for capture in placed if f"/{subset}/" in capture.file]
        size = -(-len(rows) // parts)
        for part in range(parts):
            path = f"cc-index/table/cc-main/warc/crawl={crawl}/subset={subset}/part-{part:05}-ab12.c000.gz.parquet"
            files[f"/{path}"] = parquet(rows[part * size : (part + 1) * size])
            paths.append(path)
    files[f"/crawl-data/{crawl}/cc-index-table.paths.gz"] = paths_file(paths)
    return files


def parquet(rows, **options):
    """Return a Parquet file of captures."""
    sink = io.BytesIO()
    table = pa.Table.from_pylist([_row(capture) for capture in rows], schema=SCHEMA)
    pq.write_table(table, sink, row_group_size=ROWS_PER_GROUP, compression="gzip", **options)
    return sink.getvalue()


def cdx(placed, lines_per_page=LINES_PER_PAGE):
    """Return what answers for a CDX server: a function of a query."""

    def answer(query):
        asked = {key: values[0] for key, values in query.items()}
        found = [capture for capture in placed if _is_asked_for(capture, asked)]
        pages = -(-len(found) // lines_per_page)
        if not found:
            return 404, json.dumps({"message": f"No Captures found for: {asked['url']}"}).encode()
        if asked.get("showNumPages"):
            return json.dumps({"pages": pages, "pageSize": 5, "blocks": pages}).encode()
        number = int(asked.get("page", 0))
        shown = found[number * lines_per_page : (number + 1) * lines_per_page]
        lines = [line for line in map(_line, shown) if _passes(line, query)]
        if not lines:
            return 404, json.dumps({"message": f"No Captures found for: {asked['url']}"}).encode()
        return "".join(json.dumps(line) + "\n" for line in lines).encode()

    return answer


def _is_asked_for(capture, asked):
    key, wanted = surt(capture.url), surt(f"http://{asked['url']}")
    host = wanted.partition(")")[0]
    return {
        "host": key.startswith((f"{host})", f"{host}:")),
        "domain": key.startswith((f"{host})", f"{host}:", f"{host},")),
        "prefix": key.startswith(wanted),
        "exact": key == wanted,
    }[asked.get("matchType", "exact")]


def _passes(line, query):
    for text in query.get("filter", []):
        field, _, value = text.lstrip("=~").partition(":")
        held = line.get(field, "")
        if not (held == value if text.startswith("=") else re.match(value, held or "")):
            return False
    since, until = query.get("from", ["0"])[0], query.get("to", ["9"])[0]
    return since <= line["timestamp"] <= until.ljust(14, "9")


def _line(capture):
    line = {
        "urlkey": surt(capture.url),
        "timestamp": f"{capture.time:%Y%m%d%H%M%S}",
        "url": capture.url,
        "mime": capture.mime,
        "mime-detected": capture.mime,
        "status": str(capture.status),
        "digest": "AAAA",
        "length": str(capture.length),
        "offset": str(capture.offset),
        "filename": capture.file,
    }
    return line | ({"languages": capture.languages, "encoding": "UTF-8"} if capture.languages else {})


def _row(capture):
    parts = urlsplit(capture.url)
    return {
        "url_surtkey": surt(capture.url),
        "url": capture.url,
        "url_host_name": capture.host,
        "url_host_tld": capture.host.rpartition(".")[2],
        "url_host_registered_domain": ".".join(capture.host.split(".")[-2:]),
        "url_protocol": parts.scheme,
        "url_path": parts.path,
        "url_query": parts.query or None,
        "fetch_time": capture.time,
        "fetch_status": capture.status,
        "content_digest": "AAAA",
        "content_mime_type": capture.mime,
        "content_mime_detected": capture.mime,
        "content_charset": "UTF-8",
        "content_languages": capture.languages,
        "warc_filename": capture.file,
        "warc_record_offset": capture.offset,
        "warc_record_length": capture.length,
        "warc_segment": "17330.0",
    }
