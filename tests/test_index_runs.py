"""From a query of a crawl's index to extracted records: over HTTP, by the command line, with faults and without."""

import gzip
import itertools
import json

import cc_index
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from commands import difference, gristmill, inside, outputs
from crawl_server import CRAWL, KINDS, serving
from test_resume import kill_when

from gristmill import schema
from gristmill.access.settings import AccessSettings
from gristmill.crawl import fates
from gristmill.crawl.extract import Extraction
from gristmill.crawl.records import WholeFile
from gristmill.crawl.settings import ExtractSettings
from gristmill.errors import UsageError
from gristmill.pipeline.index_source import index_shards
from gristmill.pipeline.lookups import NO_LOOKUPS
from gristmill.pipeline.run import open_run
from gristmill.pipeline.settings import SourceSettings
from gristmill.pipeline.sources import shard_name
from gristmill.report.find import find, row_of

QUICK = AccessSettings(requests_per_second=10_000, tries=8, timeout=0.5, first_wait=0.001, longest_wait=0.002)

RECIPE = """\
name: asked
source:
  crawl: CC-MAIN-2024-51
  base: "{base}"
  index: {index}
stages:
  - extract: {{extractor: resiliparse}}
run:
  access: {{requests_per_second: 5000, first_wait: 1ms, longest_wait: 5ms, timeout: 2s, tries: 8}}
"""
QUERY = {"hosts": [".example.org"], "status": [200], "records_per_shard": 15}


@pytest.fixture(scope="module")
def crawl():
    files, placed = cc_index.crawl()
    with serving(files) as server:
        server.answers[f"/{CRAWL}-index"] = cc_index.cdx(placed)
        yield server, placed


@pytest.fixture(scope="module")
def expected(crawl, tmp_path_factory):
    """The outputs of a run without faults, and its documents."""
    folder = tmp_path_factory.mktemp("expected")
    run = ask(folder, crawl[0], QUERY)
    return outputs(run), documents(run), run


def ask(folder, server, index, *arguments, before=lambda: None, by=inside):
    """Run a query's recipe against a server, in this process unless ``by`` says otherwise; return the run's folder."""
    server.heal()
    write(folder, server, index)
    before()
    by("run", "recipe.yaml", *(arguments or ("--workers", 1)), cwd=folder)
    return folder / "runs" / "asked"


def write(folder, server, index):
    (folder / "recipe.yaml").write_text(RECIPE.format(base=getattr(server, "url", server), index=json.dumps(index)))


def refused(folder, server, index):
    write(folder, server, index)
    done = inside("run", "recipe.yaml", cwd=folder, check=False)
    assert done.returncode in (1, 2), done.stdout
    return done.stderr


def documents(run):
    return pa.concat_tables(map(pq.read_table, sorted((run / "documents").glob("*.parquet"))))


def test_a_query_gives_its_records_under_the_ids_of_their_files(crawl, expected):
    _, placed = crawl
    _, found, run = expected
    wanted = sorted(
        (c.file, c.offset, c.url) for c in placed if c.status == 200 and f".{c.host}".endswith(".example.org")
    )
    assert found.num_rows == len(wanted) > 15
    assert found[schema.ID].to_pylist() == [f"{shard_name(file)}/{offset}" for file, offset, _ in wanted]
    assert found[schema.URL].to_pylist() == [url for _, _, url in wanted]
    assert found[schema.WARC].to_pylist() == [file.rsplit("/", 1)[-1] for file, _, _ in wanted]
    assert sum(fate is None for fate in found[schema.FATE].to_pylist()) > 10
    assert [path.stem for path in sorted((run / "documents").glob("*"))] == [
        f"{CRAWL}-index-{number:05}" for number in range(-(-len(wanted) // 15))
    ]


def test_faults_change_no_byte(crawl, expected, tmp_path):
    server, _ = crawl
    run = ask(tmp_path, server, QUERY, "--workers", 2, by=gristmill, before=lambda: server.fail_by_chance(1, KINDS, 4))
    assert difference(expected[0], outputs(run)) == []


def test_the_cdx_server_slow_and_faulty_gives_the_same_documents(crawl, expected, tmp_path):
    server, placed = crawl

    def spoil():
        server.pause = 0.3
        server.fail(f"/{next(c.file for c in placed if c.host == 'news.example.org')}", "slow", "mute", "stall")
        server.fail(f"/{CRAWL}-index", "503", "reset", "close", "429", "503", "short")

    assert of_documents(outputs(ask(tmp_path, server, QUERY | {"via": "cdx"}, before=spoil))) == of_documents(
        expected[0]
    )


def of_documents(digests):
    return {name: digest for name, digest in digests.items() if name.startswith("documents/")}


@pytest.mark.parametrize(
    "query",
    [
        {"url_patterns": ["*://*.example.org/news/*", "https://example.net/news/One"], "mime": ["text/html"]},
        {"url_patterns": ["https://example.org/news/*"]},
        {"hosts": [".example.org", "example.net"], "languages": ["eng", "deu"], "since": "2024-12-02"},
        {"hosts": ["example.net"], "status": [200, 404], "subsets": ["warc", "crawldiagnostics"]},
        {"hosts": [".example.org"], "until": "2024-12-07", "limit": 5, "seed": 3},
    ],
)
def test_both_ways_of_asking_give_the_same_shards(crawl, query):
    server, _ = crawl
    server.heal()
    found = []
    for via in ("columnar", "cdx"):
        server.fail_by_chance(7, KINDS, 3)
        server.fail(f"/{CRAWL}-index", "503", "reset", "close", "429", "503")
        source = SourceSettings(crawl=CRAWL, base=server.url, index=query | {"via": via})
        shards, note = index_shards(source, QUICK, NO_LOOKUPS)
        found.append([(shard.name, shard.fingerprint) for shard in shards])
        assert " 0 records" not in note
    assert found[0] == found[1] != []


def test_what_is_asked_once_is_not_asked_again(crawl, tmp_path):
    server, _ = crawl
    run = ask(tmp_path, server, QUERY, "--dry-run")
    assert any("parquet" in path for path, _ in server.requests)
    server.requests.clear()
    inside("run", "recipe.yaml", "--workers", 1, cwd=tmp_path)
    assert server.requests
    assert all(path.endswith(".warc.gz") and asked for path, asked in server.requests)
    before = outputs(run)
    server.requests.clear()
    inside("run", "recipe.yaml", "--workers", 1, cwd=tmp_path)
    assert (server.requests, outputs(run)) == ([], before)
    inside("audit", "asked", cwd=tmp_path)


def test_killed_and_resumed_gives_the_same_bytes(crawl, expected, tmp_path):
    """Killed while it reads the index, and while it reads records: each time one request was answered, one never is."""
    server, _ = crawl
    write(tmp_path, server, QUERY)
    arguments = ("run", "recipe.yaml", "--workers", 2, "--set", "run.access.timeout=60s")
    for ending in (".parquet", ".warc.gz"):
        server.heal()
        server.fail_ending(ending, itertools.chain(["none"], itertools.repeat("mute")))
        assert kill_when(lambda asked=ending: server.requests_ending(asked) >= 2, arguments, tmp_path)
    server.heal()
    gristmill("run", "recipe.yaml", "--workers", 2, cwd=tmp_path)
    assert difference(expected[0], outputs(tmp_path / "runs" / "asked")) == []


def test_only_what_can_match_is_asked_for(crawl, tmp_path):
    server, placed = crawl
    done = ask(tmp_path, server, {"hosts": ["example.net"], "languages": ["deu"]}, "--dry-run")
    parts = [(path, asked) for path, asked in server.requests if path.endswith(".parquet")]
    assert {path.rpartition("subset=")[2].partition("/")[0] for path, _ in parts} == {"warc"}
    assert all(asked for _, asked in parts)
    shown = inside("plan", "recipe.yaml", cwd=tmp_path).stdout
    facts = pq.ParquetFile(next((done / "source").glob("index-*.parquet"))).metadata.metadata
    read = json.loads(facts[b"gristmill.counts"])["read"]
    wanted = sum(c.host == "example.net" and c.status == 200 for c in placed)
    assert read.startswith("read 1 of ")
    assert f"{wanted} records in 1 shard" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hosts": ["absent.example"]}, r"no row satisfies hosts \(source.index.hosts\); read 0 of"),
        ({"hosts": ["example.org"], "status": [500]}, "no row of those that satisfy hosts satisfies status"),
        ({"hosts": ["example.org"], "since": "2025-02-01"}, "satisfies since and until"),
        ({"hosts": ["absent.example"], "via": "cdx"}, "no capture that satisfies hosts"),
        ({"subsets": ["robotstxt"]}, "index is empty in robotstxt"),
    ],
)
def test_an_answer_without_records_says_why(crawl, changes, message):
    crawl[0].heal()
    source = SourceSettings(crawl=CRAWL, base=crawl[0].url, index=changes)
    with pytest.raises(UsageError, match=message):
        index_shards(source, QUICK, NO_LOOKUPS)


def test_a_crawl_that_is_not_there_and_contradictions_are_told_with_their_line(crawl, tmp_path):
    server, _ = crawl
    server.heal()
    assert "satisfies hosts (source.index.hosts)" in refused(tmp_path, server, {"hosts": ["absent.example"]})
    write(tmp_path, server, QUERY)
    for override, message in (
        (
            "source.crawl=CC-MAIN-2024-50",
            f"there is no crawl 'CC-MAIN-2024-50' at {server.url}; the nearest are: {CRAWL}",
        ),
        ("source.take=4", "take is for whole files, and index reads single records"),
    ):
        done = inside("plan", "recipe.yaml", "--set", override, cwd=tmp_path, check=False)
        assert (done.returncode, message in done.stderr, "recipe.yaml:" in done.stderr) == (2, True, True), done.stderr


def test_records_are_found_and_explained_by_their_ids(expected, tmp_path):
    _, found, run = expected
    row = found.to_pylist()[-1]
    assert row[schema.URL] in inside("explain", run, row[schema.ID], cwd=tmp_path).stdout
    warc = row[schema.ID].partition("/")[0]
    opened = open_run(str(run))
    assert find(opened, row[schema.ID]) == find(opened, row[schema.URL])
    for asked, message in (
        (f"{warc}/1", f"no record at offset 1; the nearest are {warc}/"),
        ("none/7", "none: no record"),
    ):
        with pytest.raises(UsageError, match=message):
            find(opened, asked)
    assert row_of(opened, "none/7") is None
    inside("fates", run, "-o", "fates.parquet", cwd=tmp_path)
    assert pq.read_table(tmp_path / "fates.parquet")["id"].to_pylist() == found[schema.ID].to_pylist()


def test_an_index_that_lies_gives_damage_and_loses_no_row(tmp_path):
    files, placed = cc_index.crawl()
    lies = {1: {"length": 7}, 3: {"offset": placed[3].offset + 2}, 5: {"url": "http://example.org/never"}}
    lying = [cc_index.Capture(**vars(c) | lies.get(number, {})) for number, c in enumerate(placed)]
    with serving(files | cc_index.index_files(lying)) as server:
        found = documents(ask(tmp_path, server, {"subsets": ["warc", "crawldiagnostics"]}))
    assert found.num_rows == len(placed)
    damaged = found.filter(pc.equal(found[schema.FATE], fates.DAMAGED))
    assert sorted(damaged[schema.URL].to_pylist()) == sorted(lying[number].url for number in lies)
    assert len(set(found[schema.ID].to_pylist())) == len(placed)
    assert any("-crawldiagnostics/" in identity for identity in found[schema.ID].to_pylist())


def test_a_whole_run_is_the_same_on_files_of_this_machine(crawl, expected, tmp_path):
    """Where the crawl lies is in no digest: a copy of it in a folder gives the same documents."""
    for path, data in crawl[0].files.items():
        (tmp_path / "mirror" / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mirror" / path.lstrip("/")).write_bytes(data)
    write(tmp_path, "mirror", QUERY)
    inside("run", "recipe.yaml", "--workers", 1, cwd=tmp_path)
    found = outputs(tmp_path / "runs" / "asked")
    assert of_documents(found) == of_documents(expected[0])
    assert (
        json.loads((tmp_path / "runs" / "asked" / "plan.json").read_text())["digest"]
        == json.loads((expected[2] / "plan.json").read_text())["digest"]
    )
    assert "mirror has no CDX server" in refused(tmp_path, "mirror", QUERY | {"via": "cdx"})


# --- real crawls -----------------------------------------------------------------------------------------------------

REAL = "CC-MAIN-2024-18"
LANGUAGES = {"en": "eng", "de": "deu", "fr": "fra", "ja": "jpn"}


@pytest.mark.data
def test_real_records_read_by_range_are_those_of_the_whole_files(data, tmp_path):
    """An index of real WARCs, made of where they are known to lie, is asked for German and Japanese pages."""
    captures = []
    folder = tmp_path / "mirror" / "crawl-data" / REAL / "segments" / "1" / "warc"
    folder.mkdir(parents=True)
    for path in sorted((data / "warc").glob("*.warc.gz")):
        (folder / path.name).symlink_to(path)
        captures += real_captures(path, str((folder / path.name).relative_to(tmp_path / "mirror")))
    captures.sort(key=lambda capture: cc_index.surt(capture.url))
    for path, content in cc_index.index_files(captures, crawl=REAL).items():
        (tmp_path / "mirror" / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mirror" / path.lstrip("/")).write_bytes(content)
    write(tmp_path, "mirror", {"languages": ["deu", "jpn"], "status": 200, "mime": "text/html"})
    gristmill("run", "recipe.yaml", "--set", f"source.crawl={REAL}", "--workers", 2, cwd=tmp_path)
    found = documents(tmp_path / "runs" / "asked")
    wanted = [c for c in captures if (c.languages, c.status, c.mime) in {(x, 200, "text/html") for x in ("deu", "jpn")}]
    assert found.num_rows == len(wanted) > 300
    assert fates.DAMAGED not in found[schema.FATE].to_pylist()
    first = min(folder.glob("*"))
    whole = Extraction(WholeFile(str(first), shard_name(first.name)), ExtractSettings(extractor="resiliparse"))
    expected = pa.Table.from_batches(list(whole), schema.DOCUMENTS)
    of_first = found.filter(pc.equal(found[schema.WARC], first.name))
    assert of_first.num_rows > 50
    assert of_first.equals(expected.filter(pc.is_in(expected[schema.ID], value_set=of_first[schema.ID])))


def real_captures(path, file):
    with gzip.open(path.with_name(path.name.replace(".warc.gz", ".provenance.jsonl.gz")), "rt") as lines:
        for told in map(json.loads, lines):
            yield cc_index.Capture(
                told["url"],
                cc_index.START,
                told["status"],
                (told["content_type"] or "").partition(";")[0].strip().lower() or None,
                LANGUAGES.get(told["lang_cld2"]),
                file,
                told["offset"],
                told["length"],
            )
