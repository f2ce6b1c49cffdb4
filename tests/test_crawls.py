"""Common Crawl's layout: crawls, lists of paths, segments, and which files of them a recipe takes."""

import gzip
import json
from collections import Counter

import pytest
from crawl_server import CRAWL, SEGMENTS, collinfo, crawl_files, paths_file, serving, warc_paths
from test_access import QUICK

from gristmill.crawl.access.commoncrawl import (
    collinfo_url,
    crawls,
    parse_paths,
    published_fingerprint,
    published_path,
    segment_of,
    spread,
)
from gristmill.errors import CorruptError, MissingError, RecipeError, UsageError
from gristmill.pipeline.lookups import NO_LOOKUPS, Lookups
from gristmill.pipeline.session import planned
from gristmill.pipeline.settings import SourceSettings
from gristmill.pipeline.sources import resolve_sources
from gristmill.pipeline.storage import Folder

PATHS = [f"crawl-data/{CRAWL}/segments/{n % 10}.0/warc/CC-{n:05}.warc.gz" for n in range(1000)]
FILES = crawl_files()


@pytest.fixture(scope="module")
def shared():
    with serving(FILES) as found:
        yield found


@pytest.fixture
def server(shared):
    shared.files = dict(FILES)
    shared.heal()
    return shared


def resolved(lookups=NO_LOOKUPS, **settings):
    return resolve_sources(SourceSettings(**settings), QUICK, lookups)


def test_what_is_taken_is_spread_and_nested_and_depends_on_the_seed():
    order = spread(PATHS, seed=0)
    assert sorted(order) == sorted(PATHS)
    for count in (10, 25, 70, 999):
        shares = Counter(map(segment_of, order[:count])).values()
        assert len(shares) == 10
        assert max(shares) - min(shares) <= 1
    assert spread(PATHS[::-1], seed=0) == order
    assert spread(PATHS, seed=1) != order
    assert [path.rsplit("-", 1)[-1] for path in order[:3]] == ["00160.warc.gz", "00363.warc.gz", "00689.warc.gz"]


def test_a_crawl_is_its_files_in_one_request(server):
    shards = resolved(crawl=CRAWL, base=server.url)
    assert [shard.source for shard in shards] == [f"{server.url}{path}" for path in warc_paths(FILES)]
    assert [shard.fingerprint for shard in shards] == [published_fingerprint(p[1:]) for p in warc_paths(FILES)]
    assert [path for path, _ in server.requests] == [f"/crawl-data/{CRAWL}/warc.paths.gz"]


def test_fewer_files_are_among_more(server):
    all_of_it = {shard.name for shard in resolved(crawl=CRAWL, base=server.url)}
    two = {shard.name for shard in resolved(crawl=CRAWL, base=server.url, take=2)}
    three = {shard.name for shard in resolved(crawl=CRAWL, base=server.url, take=3)}
    assert (len(two), len(three), len(all_of_it)) == (2, 3, 4)
    assert two < three < all_of_it
    assert {segment_of(s.source) for s in resolved(crawl=CRAWL, base=server.url, take=2)} == set(SEGMENTS)
    with pytest.raises(UsageError, match="source.take is 5, but the source has 4 files"):
        resolved(crawl=CRAWL, base=server.url, take=5)


def test_segments_narrow_a_crawl(server):
    shards = resolved(crawl=CRAWL, base=server.url, segments=SEGMENTS[0])
    assert {segment_of(shard.source) for shard in shards} == {SEGMENTS[0]}
    with pytest.raises(MissingError, match=f"no segment '1733066035857' among its 2, such as {SEGMENTS[0]}"):
        resolved(crawl=CRAWL, base=server.url, segments="1733066035857")


def test_a_crawl_that_does_not_exist_names_the_nearest(server, tmp_path):
    server.files["/collinfo.json"] = json.dumps(collinfo("CC-MAIN-2024-46", CRAWL, "CC-MAIN-2013-20")).encode()
    (tmp_path / "recipe.yaml").write_text(
        f"name: x\nsource:\n  base: {server.url}\n  crawl: CC-MAIN-2024-52\nstages: [extract]\n"
    )
    with pytest.raises(MissingError) as caught:
        planned(tmp_path / "recipe.yaml", workdir=str(tmp_path))
    assert "there is no crawl 'CC-MAIN-2024-52' at http" in str(caught.value)
    assert f"the nearest are: {CRAWL}" in str(caught.value)
    assert str(caught.value).endswith(f"({tmp_path}/recipe.yaml:4)")


def test_a_crawl_that_is_refused_is_looked_for_in_the_list_of_crawls(server):
    server.fail("/crawl-data/CC-MAIN-2024-52/warc.paths.gz", "403", forever=True)
    with pytest.raises(MissingError, match=f"there is no crawl 'CC-MAIN-2024-52' .* nearest are: {CRAWL}"):
        resolved(crawl="CC-MAIN-2024-52", base=server.url)


def test_the_answers_of_the_network_are_kept(server, tmp_path):
    folder = Folder(str(tmp_path / "run"))
    first = resolved(Lookups(folder), crawl=CRAWL, base=server.url)
    (kept,) = (tmp_path / "run" / "source").iterdir()
    assert kept.read_text() == "".join(f"{path[1:]}\n" for path in warc_paths(FILES))
    server.files, server.requests = {}, []
    assert resolved(Lookups(folder), crawl=CRAWL, base=server.url) == first
    assert server.requests == []


def test_an_answer_that_is_only_read_is_not_written(server, tmp_path):
    resolved(Lookups(Folder(str(tmp_path / "run")), reads_only=True), crawl=CRAWL, base=server.url)
    assert not (tmp_path / "run").exists()


def test_lists_of_paths_are_expanded(server, tmp_path):
    everything = resolved(crawl=CRAWL, base=server.url)
    (tmp_path / "my.paths.gz").write_bytes(FILES[f"/crawl-data/{CRAWL}/warc.paths.gz"])
    (tmp_path / "my.paths").write_text("\n".join([f"{server.url}{warc_paths(FILES)[0]}", warc_paths(FILES)[1], ""]))
    for source in (str(tmp_path / "my.paths.gz"), f"{server.url}/crawl-data/{CRAWL}/warc.paths.gz"):
        assert resolved(warc=source, base=server.url) == everything
    local = tmp_path / "local"
    for path in warc_paths(FILES):
        (local / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (local / path[1:]).write_bytes(FILES[path])
    mixed = tmp_path / "mixed.paths"
    mixed.write_text(f"{server.url}{warc_paths(FILES)[0]}\n{local}{warc_paths(FILES)[1]}\n")
    assert [s.name for s in resolved(warc=str(mixed), base=server.url)] == [s.name for s in everything[:2]]


def test_a_mirror_gives_the_same_shards(server, tmp_path):
    for path, data in FILES.items():
        (tmp_path / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path[1:]).write_bytes(data)
    here = resolved(crawl=CRAWL, base=str(tmp_path), take=3)
    there = resolved(crawl=CRAWL, base=server.url, take=3)
    assert [(s.name, s.fingerprint) for s in here] == [(s.name, s.fingerprint) for s in there]
    both = resolved(warc=[here[0].source, here[0].source.replace(str(tmp_path), f"{tmp_path}/.")], base=str(tmp_path))
    assert len(both) == 1


def test_files_of_no_crawl_are_known_by_their_bytes(server):
    server.files |= {"/x/a.warc.gz": b"one", "/y/a.warc.gz": b"two"}
    shards = resolved(warc=[f"{server.url}/x/a.warc.gz?signature=1", f"{server.url}/y/a.warc.gz"])
    assert all(shard.name.startswith("a-") for shard in shards)
    assert len({shard.fingerprint for shard in shards}) == 2
    with pytest.raises(MissingError, match="does not exist"):
        resolved(warc=f"{server.url}/z.warc.gz")
    with pytest.raises(MissingError, match="a web server has no folders"):
        resolved(warc=f"{server.url}/x/*.warc.gz")


def test_a_glob_in_a_crawl_is_answered_by_its_list(server, monkeypatch):
    monkeypatch.setattr("gristmill.crawl.access.commoncrawl._OFFICIAL", (server.url,))
    shards = resolved(warc=f"{server.url}/crawl-data/{CRAWL}/segments/{SEGMENTS[0]}/warc/*-0000[0-1].warc.gz")
    assert [shard.source for shard in shards] == [f"{server.url}{warc_paths(FILES)[0]}"]
    with pytest.raises(MissingError, match="matches none of the 4 files"):
        resolved(warc=f"{server.url}/crawl-data/{CRAWL}/segments/*/warc/none*")
    with pytest.raises(MissingError, match="must name the kind"):
        resolved(warc=f"{server.url}/crawl-data/{CRAWL}/segments/*/*/*.warc.gz")


def test_a_list_of_ninety_thousand_files_is_planned_with_one_list(server):
    paths = [f"crawl-data/{CRAWL}/segments/{n % 100}.0/warc/CC-{n:05}.warc.gz" for n in range(90_000)]
    server.files[f"/crawl-data/{CRAWL}/warc.paths.gz"] = paths_file(paths)
    assert len(resolved(crawl=CRAWL, base=server.url)) == 90_000
    assert {path for path, _ in server.requests} == {f"/crawl-data/{CRAWL}/warc.paths.gz"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzip.compress(b"a\nb\n", mtime=0)[:-4], "is cut off"),
        (b"\x1f\x8bnot gzip at all", "is damaged"),
        (b"a\n../../etc/passwd\n", "line 2 is no path"),
        (b"a\x1b[31m\n", "line 1 is no path"),
    ],
)
def test_a_list_that_is_none_is_refused(data, message):
    with pytest.raises(CorruptError, match=message):
        parse_paths(data, "the list")


def test_a_list_elsewhere_names_no_file_of_this_machine(server):
    server.files["/evil.paths"] = b"file:///etc/passwd\n"
    with pytest.raises(CorruptError, match="does not lie where the list does"):
        resolved(warc=f"{server.url}/evil.paths")
    server.files["/evil.paths"] = b"/etc/passwd\n"
    with pytest.raises(MissingError, match=f"{server.url}/etc/passwd does not exist"):
        resolved(warc=f"{server.url}/evil.paths", base=server.url)


def test_a_list_may_have_several_members_and_no_last_line_end():
    assert parse_paths(gzip.compress(b"a\n") + gzip.compress(b"b"), "x") == ["a", "b"]
    assert parse_paths(b"\xef\xbb\xbfa\r\n\n b \n"[3:], "x") == ["a", "b"]
    assert parse_paths(b"", "x") == []


def test_a_published_file_is_the_same_from_everywhere():
    path = f"crawl-data/{CRAWL}/segments/1/warc/a.warc.gz"
    for base in ("https://data.commoncrawl.org", "s3://commoncrawl", "https://commoncrawl.s3.amazonaws.com"):
        assert published_path(f"{base}/{path}") == path
    assert published_path(f"/mirror/{path}") is None
    assert published_path(f"/mirror/{path}", ("/mirror",)) == path
    assert published_path("s3://commoncrawl/other/a.warc.gz") is None
    assert published_path(f"s3://commoncrawl/crawl-data/{CRAWL}/../a") is None


def test_the_crawls_are_those_of_the_list(server):
    (crawl,) = crawls(server.url, QUICK)
    assert (crawl.id, crawl.start) == (CRAWL, "2024-12-01T16:20:23")
    server.files["/collinfo.json"] = b'{"no": "list"}'
    with pytest.raises(CorruptError, match="is no list of crawls"):
        crawls(server.url, QUICK)
    assert collinfo_url("s3://commoncrawl/") == "https://index.commoncrawl.org/collinfo.json"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{}", "name either a crawl"),
        ("{crawl: CC-MAIN-2024-51, warc: a.warc.gz}", "name either a crawl"),
        ("{warc: a.warc.gz, segments: [x]}", "segments are those of a crawl"),
        ("{crawl: ../x}", "'source.crawl'"),
        ("{crawl: CC-MAIN-2024-51, take: 0}", "'source.take'"),
        ("{crawl: CC-MAIN-2024-51, kind: wat}", "'source.kind'"),
        ("{crawl: CC-MAIN-2024-51, sede: 1}", "did you mean 'seed'?"),
    ],
)
def test_a_source_that_makes_no_sense_is_a_mistake(tmp_path, source, message):
    (tmp_path / "r.yaml").write_text(f"name: x\nsource: {source}\nstages: [extract]\n")
    with pytest.raises(RecipeError) as caught:
        planned(tmp_path / "r.yaml", workdir=str(tmp_path))
    assert message in str(caught.value)


def test_files_are_kept_on_this_machine_only(tmp_path):
    (tmp_path / "a.warc.gz").write_bytes(b"")
    (tmp_path / "r.yaml").write_text(
        f"name: x\nsource:\n  warc: {tmp_path}/a.warc.gz\n  download: memory://x\nstages: [extract]\n"
    )
    with pytest.raises(UsageError, match=r"on this machine only.* \(.*r.yaml:4\)"):
        planned(tmp_path / "r.yaml", workdir=str(tmp_path))
    plan = planned(tmp_path / "r.yaml", ["source.download=true"], workdir=str(tmp_path / "runs"))
    assert plan.downloads == str(tmp_path / "runs" / "downloads")
