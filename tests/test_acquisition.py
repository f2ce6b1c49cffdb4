"""Whole runs on crawls that lie elsewhere: whatever the network does, the same bytes, or a shard that is named."""

import json

import fsspec
import pytest
import s3fs
from commands import difference, gristmill, inside, outputs
from crawl_server import CRAWL, crawl_files, serving, warc_paths
from moto.server import ThreadedMotoServer
from test_resume import kill_when

from gristmill.errors import AccessError, MissingError
from gristmill.pipeline import carry_out, executors, session
from gristmill.pipeline.progress import read_failures

FILES = crawl_files()
ACCESS = "{requests_per_second: 1000, tries: 6, timeout: 1s, first_wait: 1ms, longest_wait: 2ms}"


@pytest.fixture(scope="module")
def shared():
    with serving(FILES) as found:
        yield found


@pytest.fixture
def server(shared):
    shared.heal()
    yield shared
    shared.heal()


@pytest.fixture(scope="module")
def healthy(shared, tmp_path_factory):
    """Return the outputs of a run that no fault met."""
    folder = tmp_path_factory.mktemp("healthy")
    shared.heal()
    recipe(folder, f"crawl: {CRAWL}\n  base: {shared.url}")
    inside("run", "recipe.yaml", "--workers", 1, cwd=folder)
    return outputs(folder / "runs" / "crawl")


def recipe(folder, source):
    (folder / "recipe.yaml").write_text(
        f"name: crawl\nsource:\n  {source}\nstages:\n  - extract: {{extractor: resiliparse}}\n"
        f"run:\n  access: {ACCESS}\n"
    )


def extract(folder, source):
    """Carry a recipe out in this process; return the documents' digests, and what became of the shards that failed."""
    recipe(folder, source)
    begun = session.begin(folder / "recipe.yaml", str(folder / "runs"), (), None, None)
    carry_out.write_plan(begun.run, begun.recipe)
    ((step, phase),) = carry_out.phases_of(begun.run, begun.steps)
    for item in phase.items():
        executors.perform(begun.run, step, phase, item)
    failures = read_failures(begun.run.folder, executors.logs_folder(step, phase.name))
    return documents(outputs(folder / "runs" / "crawl")), failures


def documents(found):
    """Return the digests of the documents among outputs."""
    return {name: digest for name, digest in found.items() if name.startswith("documents/")}


@pytest.mark.parametrize("seed", range(6))
def test_faults_change_no_document(server, healthy, tmp_path, seed):
    server.fail_by_chance(seed)
    assert extract(tmp_path, f"crawl: {CRAWL}\n  base: {server.url}") == (documents(healthy), {})


def test_faults_change_no_byte_of_a_run(server, healthy, tmp_path):
    server.fail_by_chance(100)
    recipe(tmp_path, f"crawl: {CRAWL}\n  base: {server.url}")
    gristmill("run", "recipe.yaml", "--workers", 2, cwd=tmp_path)
    assert difference(outputs(tmp_path / "runs" / "crawl"), healthy) == []


def test_keeping_the_files_changes_no_document(server, healthy, tmp_path):
    server.fail_by_chance(2)
    source = f"crawl: {CRAWL}\n  base: {server.url}\n  download: true"
    assert extract(tmp_path, source) == (documents(healthy), {})
    for path in warc_paths(FILES):
        assert (tmp_path / "runs" / "downloads" / path[1:]).read_bytes() == FILES[path]
    server.heal()
    for path in (tmp_path / "runs" / "crawl" / "documents").iterdir():
        path.unlink()
    assert extract(tmp_path, source) == (documents(healthy), {})
    assert server.requests == []


def test_a_file_that_is_not_there_is_a_named_shard_and_the_next_run_redoes_it_alone(server, healthy, tmp_path):
    lost = warc_paths(FILES)[1]
    server.fail(lost, "404", forever=True)
    recipe(tmp_path, f"crawl: {CRAWL}\n  base: {server.url}")
    failed = inside("run", "recipe.yaml", "--workers", 1, cwd=tmp_path, check=False)
    assert failed.returncode == 1
    name = lost.rsplit("/", 1)[-1].removesuffix(".warc.gz")
    assert f"1 item failed; all others are done; run again to redo only what failed\nextract: {name}: " in failed.stderr
    assert f"{lost} does not exist" in failed.stderr
    assert len(documents(outputs(tmp_path / "runs" / "crawl"))) == 3
    server.heal()
    inside("run", "recipe.yaml", "--workers", 1, cwd=tmp_path)
    assert {path for path, _ in server.requests} == {lost}
    assert difference(outputs(tmp_path / "runs" / "crawl"), healthy) == []


@pytest.mark.parametrize(("fault", "keeps"), [("503", "false"), ("close", "false"), ("close", "true")])
def test_a_file_that_cannot_be_read_is_a_named_shard(server, healthy, tmp_path, fault, keeps):
    server.fail(warc_paths(FILES)[0], fault, forever=True)
    found, failures = extract(tmp_path, f"crawl: {CRAWL}\n  base: {server.url}\n  download: {keeps}")
    assert len(found) == 3
    assert found.items() < documents(healthy).items()
    ((name, why),) = failures.items()
    assert name.endswith("-00000")
    assert "AccessError: http" in why
    assert "tried 6 times in a row" in why


def test_a_run_killed_in_a_download_goes_on(server, healthy, tmp_path):
    first, kept = warc_paths(FILES)[0], tmp_path / "kept"
    server.fail(first, "none", "stall")
    source = f"crawl: {CRAWL}\n  base: {server.url}\n  download: {kept}"
    recipe(tmp_path, source)
    arguments = ("run", "recipe.yaml", "--workers", 1, "--set", "run.access.timeout=60s")
    assert kill_when(lambda: server.requests_ending(first) == 2 and any(kept.rglob("*.part")), arguments, tmp_path)
    assert [path.suffix for path in kept.rglob("*.part")] == [".part"]
    server.heal()
    assert extract(tmp_path, source) == (documents(healthy), {})
    assert sorted(path.suffix for path in kept.rglob("*") if path.is_file()) == [".gz"] * 4


def test_a_mirror_gives_the_same_documents(server, healthy, tmp_path):
    mirror = tmp_path / "mirror"
    for path, data in FILES.items():
        (mirror / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (mirror / path[1:]).write_bytes(data)
    assert extract(tmp_path, f"crawl: {CRAWL}\n  base: {mirror}") == (documents(healthy), {})


def test_the_crawls_are_listed(server, tmp_path):
    table = inside("crawls", "--base", server.url, cwd=tmp_path).stdout
    assert CRAWL in table
    assert "2024-12-01T16:20:23" in table
    (crawl,) = json.loads(inside("crawls", CRAWL, "--base", server.url, "--json", cwd=tmp_path).stdout)
    assert (crawl["id"], crawl["warc_files"], crawl["wet_files"]) == (CRAWL, 4, 0)
    with pytest.raises(MissingError, match=f"there is no crawl 'CC-MAIN-2024-52' at .*; the nearest are: {CRAWL}"):
        session.known_crawls(server.url, "CC-MAIN-2024-52")


def test_a_plan_writes_nothing_and_one_without_a_network_says_so(server, tmp_path):
    recipe(tmp_path, f"crawl: {CRAWL}\n  base: {server.url}\n  take: 2")
    assert len(session.planned(tmp_path / "recipe.yaml", workdir=str(tmp_path / "runs")).shards) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.yaml"]
    failed = inside("plan", "recipe.yaml", "--set", "source.base=http://127.0.0.1:1", cwd=tmp_path, check=False)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("gristmill: http://127.0.0.1:1/crawl-data/")
    assert "the server takes no connection" in failed.stderr
    assert "(recipe.yaml:3)" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.fixture
def bucket(monkeypatch):
    """Yield an empty s3://commoncrawl on this machine, to which this process has no credentials."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    address = "http://{}:{}".format(*moto.get_host_and_port())
    filesystem = s3fs.S3FileSystem(endpoint_url=address, key="x", secret="x")
    filesystem.makedirs("commoncrawl", exist_ok=True)
    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": address})
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    yield filesystem
    moto.stop()


def test_a_bucket_gives_the_same_documents_without_credentials(healthy, bucket, tmp_path):
    for path, data in FILES.items():
        bucket.pipe_file(f"commoncrawl{path}", data, ACL="public-read")
    assert extract(tmp_path, f"crawl: {CRAWL}\n  base: s3://commoncrawl\n  download: true") == (documents(healthy), {})
    assert len(list((tmp_path / "runs" / "downloads" / "crawl-data").rglob("*.warc.gz"))) == 4
    (tmp_path / "some").mkdir()
    glob = f"warc: s3://commoncrawl/crawl-data/{CRAWL}/segments/*/warc/*-0000[12].warc.gz"
    some, failures = extract(tmp_path / "some", glob)
    assert (len(some), failures) == (2, {})
    assert some.items() < documents(healthy).items()


def test_a_bucket_that_refuses_names_the_way_out(bucket, tmp_path):
    bucket.pipe_file("commoncrawl/private/a.warc.gz", b"x")
    with pytest.raises(AccessError, match=r"/a.warc.gz cannot be read: .* refuses it; Common Crawl's own bucket asks"):
        extract(tmp_path, "warc: s3://commoncrawl/private/a.warc.gz")
