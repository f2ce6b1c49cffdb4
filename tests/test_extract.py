"""From a WARC file to documents: every record has a row, every row a text or a fate, and nothing hangs."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
import warcs

from gristmill import schema
from gristmill.crawl import fates
from gristmill.crawl.extract import Extraction, extractor_versions
from gristmill.crawl.extraction import pool
from gristmill.crawl.extraction.extractors import EXTRACTORS, clean
from gristmill.crawl.extraction.pool import Pool
from gristmill.crawl.extraction.protocol import Page
from gristmill.crawl.records import WholeFile
from gristmill.crawl.rows import TYPES_WITH_ROWS
from gristmill.crawl.settings import ExtractSettings
from gristmill.errors import MissingError, StageError

FAST = ExtractSettings(extractor="resiliparse")
HERE = Path(__file__).parent


@pytest.fixture
def write(tmp_path):
    def write_warc(data, name="crawl.warc.gz"):
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return write_warc


@pytest.fixture(scope="module")
def warm():
    """One pool for the tests that do not care."""
    with Pool(FAST) as shared:
        yield shared


@pytest.fixture
def doubles(monkeypatch):
    """Return a function that makes pools whose extractor does what pages tell it to."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    made = []

    def make(**settings):
        made.append(Pool(ExtractSettings(**settings), "extractor_doubles"))
        return made[-1]

    yield make
    for one in made:
        one.close()


def extract(path, settings=FAST, pool=None):
    """Return a file's documents as a table, after checking what always holds."""
    extraction = Extraction(WholeFile(path, "shard"), settings, pool)
    assert extraction.fraction == 0.0
    batches = list(extraction)
    assert extraction.fraction == 1.0
    table = pa.Table.from_batches(batches, schema.documents(settings.columns))
    table.validate(full=True)
    has_rows = sum(extraction.counts.get(kind, 0) for kind in TYPES_WITH_ROWS)
    assert table.num_rows == has_rows
    for row in table.select([schema.TEXT, schema.FATE, schema.TEXT_BYTES, schema.ID, schema.OFFSET]).to_pylist():
        assert (row[schema.TEXT] is None) != (row[schema.FATE] is None)
        assert row[schema.FATE] is None or row[schema.FATE] in fates.REASONS
        assert row[schema.TEXT_BYTES] == (None if row[schema.TEXT] is None else len(row[schema.TEXT].encode()))
        assert row[schema.ID] == f"shard/{row[schema.OFFSET]}"
    offsets = table[schema.OFFSET].to_pylist()
    assert offsets == sorted(set(offsets))
    return table


def fates_of(path, **kwargs):
    return extract(path, **kwargs)[schema.FATE].to_pylist()


def answers(pool, *pages):
    """Return the texts or fates of pages, by one pool."""
    for page in pages:
        pool.submit(Page(page.encode() if isinstance(page, str) else page, "utf-8"))
    taken = [pool.take() for _ in pages]
    return [answer.fate or answer.text.decode() for answer in taken]


def digest(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()


def run(code, **environment):
    """Return what a Python process of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)]), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_page_becomes_a_document(write):
    headers = ["Date: Sun, 21 Apr 2024 06:24:14 GMT", "Content-Type: text/html; charset=ISO-8859-1"]
    body = warcs.page("Grüße aus der Mühle. " + warcs.PROSE).decode().encode("latin-1")
    data = warcs.members(
        [warcs.record("warcinfo", b"", None), warcs.record("response", warcs.http(body, headers=headers))]
    )
    extraction = Extraction(WholeFile(write(data, "a.warc.gz"), "a"), ExtractSettings())
    (batch,) = extraction
    assert batch.schema == schema.DOCUMENTS
    (row,) = batch.to_pylist()
    text = row.pop(schema.TEXT)
    assert text.startswith("Grüße aus der Mühle. The miller")
    offset = len(warcs.member(warcs.record("warcinfo", b"", None)))
    assert {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in row.items()} == {
        schema.ID: f"a/{offset}",
        schema.URL: "http://example.org/",
        schema.DATE: "2024-04-21T06:24:15+00:00",
        schema.HTTP_DATE: "2024-04-21T06:24:14+00:00",
        schema.WARC: "a.warc.gz",
        schema.OFFSET: offset,
        schema.STATUS: 200,
        schema.MIME: "text/html",
        schema.CHARSET: "windows-1252",
        schema.CHARSET_SOURCE: "http",
        schema.BODY_BYTES: len(body),
        schema.TEXT_BYTES: len(text.encode()),
        schema.FATE: None,
        schema.FATE_DETAIL: None,
        schema.EXTRACTOR: "trafilatura",
    }
    assert extraction.counts == {"warcinfo": 1, "response": 1}


def test_every_fate_is_told(write, warm):
    def answer(body=b"", **kwargs):
        return warcs.record("response", warcs.http(body, **kwargs))

    cases = [
        (answer(warcs.page()), None),
        (answer(warcs.page(), headers=[]), None),
        (answer(warcs.page(), status="404 Not Found"), fates.STATUS),
        (answer(warcs.page(), status="twohundred"), fates.STATUS),
        (answer(b"%PDF-1.7", headers=["Content-Type: application/pdf"]), fates.MIME),
        (answer(b"%PDF-1.7", headers=[]), fates.MIME),
        (answer(b"plain", headers=["Content-Type: text/plain"]), fates.MIME),
        (answer(b""), fates.EMPTY),
        (answer(b" \n\0"), fates.EMPTY),
        (answer(b"<html><body></body></html>"), fates.EMPTY),
        (answer(b"<div>" * 20000 + warcs.page()), fates.TOO_DEEP),
        (answer(b"x" * ((5 << 20) + 1)), fates.TOO_LARGE),
        (warcs.record("revisit", b"HTTP/1.1 200 OK\r\n\r\n"), fates.REVISIT),
        (warcs.record("resource", warcs.page(), Content_Type="text/html"), None),
        (warcs.record("resource", warcs.page()), None),
        (warcs.record("resource", b"%PDF-1.7", Content_Type="application/pdf"), fates.MIME),
        (warcs.record("resource", b"x" * ((5 << 20) + 1), Content_Type="text/html"), fates.TOO_LARGE),
        (warcs.record("conversion", b"A text.", Content_Type="text/plain"), None),
        (warcs.record("conversion", b"A text."), None),
        (warcs.record("conversion", b"PNG", Content_Type="image/png"), fates.MIME),
        (warcs.record("conversion", b"", Content_Type="text/plain"), fates.EMPTY),
        (warcs.record("conversion", b"x" * ((5 << 20) + 1), Content_Type="text/plain"), fates.TOO_LARGE),
        (warcs.record("metadata", b"fetchTimeMs: 5\r\n"), "no row"),
        (warcs.record("continuation", b"the rest"), "no row"),
        (warcs.response(0, length=10**9), fates.DAMAGED),
        (answer(warcs.page()), None),
    ]
    data = warcs.members(one for one, _ in cases)
    assert fates_of(write(data), pool=warm) == [fate for _, fate in cases if fate != "no row"]


def test_plain_text_is_its_own_text_where_it_is_asked_for(write):
    text = b"Two lines\r\nof plain <b>text</b>."
    data = warcs.record("response", warcs.http(text, headers=["Content-Type: text/plain"]))
    table = extract(write(data), ExtractSettings(extractor="resiliparse", media_types=["text/plain"]))
    assert table[schema.TEXT].to_pylist() == ["Two lines\nof plain <b>text</b>."]


@pytest.mark.parametrize("extractor", EXTRACTORS)
@pytest.mark.parametrize("mode", ["precision", "default", "fast", "recall"])
def test_extractors_find_the_text(extractor, mode):
    settings = ExtractSettings(extractor=extractor, mode=mode)
    html = warcs.page().decode().replace("<article>", "<nav><ul><li><a href='/'>Home</a></li></ul></nav><article>")
    assert clean(EXTRACTORS[extractor](html, settings)) == warcs.PROSE.strip()


def test_versions_are_those_of_what_determines_the_text():
    assert set(extractor_versions(FAST)) == {"gristmill.crawl", "resiliparse"}
    assert {"trafilatura", "lxml", "resiliparse"} < set(extractor_versions(ExtractSettings()))


def test_the_docs_tell_every_fate():
    page = (HERE.parent / "docs" / "extraction.md").read_text(encoding="utf-8")
    for code, meaning in fates.REASONS.items():
        assert f"| `{code}` | {meaning} |" in page


def test_files_without_rows_and_files_that_are_missing(write, tmp_path):
    assert fates_of(write(b"")) == []
    assert fates_of(write(warcs.member(b""))) == []
    assert fates_of(write(warcs.members([warcs.record("warcinfo", b"", None)]))) == []
    assert fates_of(write(b"not an archive")) == [fates.DAMAGED]
    assert fates_of(write(b"\x28\xb5\x2f\xfd")) == [fates.DAMAGED]
    assert fates_of(write(b"PK\x03\x04")) == [fates.UNSUPPORTED]
    with pytest.raises(MissingError, match=r"gone\.warc"):
        list(Extraction(WholeFile(str(tmp_path / "gone.warc"), "gone"), FAST))


def test_any_filesystem_will_do(write, warm):
    data = warcs.common_crawl(3)
    with fsspec.open("memory://crawl/b.warc.gz", "wb") as sink:
        sink.write(data)
    here, there = extract(write(data, "b.warc.gz"), pool=warm), extract("memory://crawl/b.warc.gz", pool=warm)
    assert here.equals(there)
    assert here[schema.FATE].to_pylist() == [None] * 3


def test_truncated_and_corrupt_files_keep_every_neighbour(write, warm):
    packed = [warcs.member(one) for one in warcs.responses(20)]
    broken = [warcs.damaged(one, 100) if number in (3, 4, 11) else one for number, one in enumerate(packed)]
    expected = [fates.DAMAGED if number in (3, 4, 11, 19) else None for number in range(20)]
    table = extract(write(b"".join(broken)[:-50]), pool=warm)
    urls = table[schema.URL].to_pylist()
    assert [fate for fate, url in zip(table[schema.FATE].to_pylist(), urls, strict=True)] in (
        expected,
        [*expected[:3], *expected[4:]],
    )
    kept = [url for url in urls if url]
    assert {f"http://example.org/{number}" for number in range(19) if number not in (3, 4, 11)} <= set(kept)


def test_batches_are_bounded_and_always_the_same(write, warm, monkeypatch):
    plain = ExtractSettings(extractor="resiliparse", media_types=["text/plain"])
    long = warcs.record("response", warcs.http(b"x" * (4 << 20), headers=["Content-Type: text/plain"]))
    path = write(warcs.members([long] * 9), "long.warc.gz")
    assert [batch.num_rows for batch in Extraction(WholeFile(path, "s"), plain)] == [4, 4, 1]
    many = write(warcs.members([warcs.record("response", b"HTTP/1.1 404 x\r\n\r\n")] * 1100), "many.warc.gz")
    assert [batch.num_rows for batch in Extraction(WholeFile(many, "s"), FAST)] == [512, 512, 76]


def test_output_does_not_depend_on_the_hash_seed_or_the_run(write):
    path = write(warcs.common_crawl(40))
    code = f"""
        import test_extract
        from gristmill.crawl.settings import ExtractSettings
        print(test_extract.digest(test_extract.extract({path!r}, ExtractSettings())))
    """
    assert len({run(code, PYTHONHASHSEED=seed) for seed in ("0", "1", "77")}) == 1


def test_an_unfinished_extraction_leaves_no_process(write):
    path = write(warcs.members(warcs.responses(2000)))
    extraction = Extraction(WholeFile(path, "s"), FAST)
    others = children(os.getpid())
    batches = iter(extraction)
    next(batches)
    (child,) = children(os.getpid()) - others
    assert 0 < extraction.fraction < 1
    batches.close()
    assert not is_alive(child)


def test_an_unfinished_extraction_leaves_no_answers_in_a_pool_it_was_given(write):
    path = write(warcs.members(warcs.responses(700)))
    with Pool(FAST) as shared:
        batches = iter(Extraction(WholeFile(path, "s"), FAST, shared))
        next(batches)
        batches.close()
        assert shared.has_room
        first = extract(write(warcs.common_crawl(1), "other.warc.gz"), pool=shared)
    assert "This is page 0." in first[schema.TEXT][0].as_py()


def children(parent):
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
            command = (stat.parent / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(words[1]) == parent and "gristmill.crawl.extraction.child" in command:
            found.add(int(stat.parent.name))
    return found


def is_alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ends(process, seconds=10.0):
    deadline = time.monotonic() + seconds
    while is_alive(process) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(process)


def test_a_page_that_raises_costs_nothing(doubles):
    with doubles(timeout=600) as pool:
        assert answers(pool, "one", "raise it", "panic now", "two") == ["one", fates.ERROR, fates.ERROR, "two"]


def test_a_page_that_overruns_its_cpu_time_is_ended(doubles):
    with doubles(timeout="100ms") as pool:
        assert answers(pool, "one", "spin", "two", "spin", "three") == [
            "one",
            fates.TIMEOUT,
            "two",
            fates.TIMEOUT,
            "three",
        ]


def test_the_budget_is_for_each_page(doubles):
    with doubles(timeout="400ms") as pool:
        works = [f"work 0.15 {number}" for number in range(6)]
        assert answers(pool, *works) == works


def test_a_page_that_sleeps_is_ended(doubles, monkeypatch):
    monkeypatch.setattr(pool, "_IDLE_INTERVALS", 2)
    with doubles(timeout="100ms") as one:
        assert answers(one, "one", "sleep", "two") == ["one", fates.TIMEOUT, "two"]


def test_a_page_that_kills_its_process_is_told(doubles):
    with doubles() as pool:
        assert answers(pool, "one", "die", "two", "die") == ["one", fates.CRASHED, "two", fates.CRASHED]


def test_a_kill_from_outside_changes_nothing(doubles, tmp_path):
    once = f"die-once {tmp_path / 'done'}"
    with doubles() as pool:
        assert answers(pool, "one", once, "two") == ["one", once, "two"]
        for _ in range(3):
            pool.submit(Page(b"work 0.2", None))
        os.kill(pool.process_id, signal.SIGKILL)
        assert [pool.take().text for _ in range(3)] == [b"work 0.2"] * 3


def test_a_page_that_takes_all_memory_is_told(doubles):
    with doubles() as pool:
        assert answers(pool, "one", "hoard", "two") == ["one", fates.CRASHED, "two"]


def test_what_extractors_print_does_not_reach_the_answers(doubles):
    with doubles() as pool:
        assert answers(pool, "print hello", "odd", "two") == ["print hello", "a\nb\ufffd", "two"]


def test_processes_are_replaced_when_they_have_worked_long_or_grown(doubles, monkeypatch):
    monkeypatch.setattr(pool, "_PAGES_PER_PROCESS", 3)
    with doubles() as one:
        pages = [f"page {number}" for number in range(8)]
        assert answers(one, *pages) == pages
    monkeypatch.setattr(pool, "_RESIDENT_BYTES", 0)
    with doubles() as one:
        assert answers(one, *pages[:3]) == pages[:3]


def test_many_pages_are_sent_ahead_but_not_too_many(doubles):
    with doubles() as pool:
        while pool.has_room:
            pool.submit(Page(b"x" * (1 << 20), None))
        assert [len(pool.take().text) for _ in range(4)] == [1 << 20] * 4
        assert pool.has_room


def test_a_process_that_cannot_start_is_an_error_that_says_so(capfd):
    with Pool(FAST, "no_such_module") as pool, pytest.raises(StageError, match="before it was ready"):
        answers(pool, "one")
    assert "no_such_module" in capfd.readouterr().err


def test_a_closed_pool_has_no_process():
    pool = Pool(FAST)
    assert answers(pool, warcs.page()) == [warcs.PROSE.strip()]
    child = pool.process_id
    pool.close()
    pool.close()
    assert pool.process_id is None
    assert not is_alive(child)


@pytest.mark.parametrize("page", ["spin", "sleep", "work 0.01"])
def test_the_process_ends_with_a_parent_that_is_killed(page):
    code = f"""
        import sys, time
        from gristmill.crawl.extraction.pool import Pool
        from gristmill.crawl.extraction.protocol import Page
        from gristmill.crawl.settings import ExtractSettings
        pool = Pool(ExtractSettings(timeout=3600), "extractor_doubles")
        pool.submit(Page(b"one", None))
        pool.take()
        pool.submit(Page({page.encode()!r}, None))
        print(pool.process_id, flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)])},
    )
    child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert ends(child)


def test_extraction_works_in_a_daemonic_worker(write):
    path = write(warcs.common_crawl(3))
    code = f"""
        import multiprocessing, test_extract
        def work(path):
            assert multiprocessing.current_process().daemon
            return test_extract.fates_of(path)
        if __name__ == "__main__":
            with multiprocessing.get_context("fork").Pool(1) as workers:
                print(workers.apply(work, ({path!r},)))
    """
    assert run(code).strip() == "[None, None, None]"


def test_memory_stays_bounded(write):
    """A page of 50 MB, plain, chunked and packed, 20,000 nested elements, and the largest page that is extracted.

    A process's own peak is read as VmHWM, since its `ru_maxrss` starts with that of the process that started it.
    """
    body = b"<p>" + warcs.PROSE.encode() * (50 * 1000 * 1000 // len(warcs.PROSE))
    packed = ["Content-Type: text/html", "Content-Encoding: gzip"]
    chunked = ["Content-Type: text/html", "Transfer-Encoding: chunked"]
    large = b"<html><body>" + b"<p>Many short paragraphs, one after another.</p>" * ((5 << 20) // 49)
    cases = [
        (warcs.http(body), fates.TOO_LARGE),
        (warcs.http(warcs.member(body), headers=packed), fates.TOO_LARGE),
        (warcs.http(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), headers=chunked), fates.TOO_LARGE),
        (warcs.http(b"<div>" * 20000), fates.TOO_DEEP),
        (warcs.http(large), None),
        (warcs.http(warcs.page()), None),
    ]
    path = write(warcs.members(warcs.record("response", block) for block, _ in cases))
    code = f"""
        import resource, test_extract
        from gristmill.crawl.settings import ExtractSettings
        fates = test_extract.fates_of({path!r}, settings=ExtractSettings(mode="fast", timeout=60))
        own = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
        print(*fates, own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    """
    *found, own, children_ = run(code).split()
    assert found == [str(fate) for _, fate in cases]
    assert int(own) + int(children_) < 1000 * 1000


@pytest.mark.data
def test_odd_real_files_have_a_row_for_every_response(data):
    folder = data / "warc_real"
    total = Counter()
    with Pool(FAST) as shared:
        for line in (folder / "MANIFEST.jsonl").read_text().splitlines():
            total.update(fates_of(str(folder / json.loads(line)["file"]), pool=shared))
    assert total[None] > 300
    assert total[fates.ERROR] == total[fates.CRASHED] == total[fates.TIMEOUT] == 0


@pytest.mark.data
def test_a_real_crawl_file_has_a_row_for_every_response(data):
    table = extract(str(data / "warc" / "CC-MAIN-20240421062415-00002.warc.gz"))
    found = Counter(table[schema.FATE].to_pylist())
    assert table.num_rows > 1200
    assert found[None] > 0.8 * table.num_rows
    assert set(found) <= {None, fates.STATUS, fates.MIME, fates.EMPTY}
