"""Sources become shards named after them."""

import pytest

from gristmill.errors import MissingError
from gristmill.pipeline.files import File
from gristmill.pipeline.settings import SourceSettings
from gristmill.pipeline.sources import fingerprint, resolve_sources, shard_name


def resolved(patterns, **settings):
    return resolve_sources(SourceSettings(warc=patterns, **settings))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("crawl/CC-MAIN-2024-00000.warc.gz", "CC-MAIN-2024-00000"),
        ("a.WARC", "a"),
        ("s3://bucket/x/y.warc.zst", "y"),
        ("b.gz", "b"),
        ("c.warc.wet.gz", "c"),
        ("d.arc.gz", "d"),
        ("e.warc.lz4", "e"),
        ("weird name;rm -rf.warc.gz", "weird_name_rm_-rf"),
        (".warc.gz", "warc.gz"),
        ("...", "shard"),
        ("q.tmp-1-x.warc.gz", "q_1-x"),
        ("n" * 240 + ".warc.gz", "n" * 120 + "-53a3c7f2"),
    ],
)
def test_names_are_safe(path, name):
    assert shard_name(path) == name


def test_globs_are_sorted_and_counted_once(tmp_path):
    for name in "cab":
        (tmp_path / f"{name}.warc.gz").write_bytes(name.encode())
    found = resolved([str(tmp_path / "*.warc.gz"), str(tmp_path / "a.warc.gz")])
    assert [shard.name for shard in found] == ["a", "b", "c"]


def test_equal_names_in_two_folders_are_told_apart(tmp_path):
    for folder in "xy":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.warc.gz").write_bytes(folder.encode())
    found = resolved([str(tmp_path / "*" / "a.warc.gz")])
    assert len({shard.name for shard in found}) == 2
    assert all(shard.name.startswith("a-") for shard in found)


def test_the_names_of_equally_named_files_do_not_depend_on_where_they_lie(tmp_path):
    for place in ("here", "there/deeper"):
        for folder in "xy":
            (tmp_path / place / folder).mkdir(parents=True)
            (tmp_path / place / folder / "a.warc.gz").write_bytes(folder.encode())
    here, there = (resolved([str(tmp_path / p / "*" / "a.warc.gz")]) for p in ("here", "there/deeper"))
    assert [shard.name for shard in here] == [shard.name for shard in there]


def test_equal_files_of_one_name_are_told_apart_too(tmp_path):
    for folder in "xy":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.warc.gz").write_bytes(b"same")
    assert len({shard.name for shard in resolved([str(tmp_path / "*" / "a.warc.gz")])}) == 2


def test_one_file_by_two_ways_is_one_shard(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.warc.gz").write_bytes(b"a")
    found = resolved([str(tmp_path / "x" / "a*"), str(tmp_path / "x" / ".." / "x" / "a.warc.gz")])
    assert len(found) == 1


def test_a_pattern_without_files_is_named(tmp_path):
    for pattern in ("*.warc.gz", "none.warc.gz"):
        with pytest.raises(MissingError, match="matches no file"):
            resolved([str(tmp_path / pattern)])


def test_a_fingerprint_sees_other_bytes_at_both_ends(tmp_path):
    path = tmp_path / "a.warc"
    path.write_bytes(b"a" * 300_000)
    first = fingerprint(File(str(path)))
    assert fingerprint(File(str(path))) == first
    for changed in (b"b" + b"a" * 299_999, b"a" * 299_999 + b"b", b"a" * 300_001):
        path.write_bytes(changed)
        assert fingerprint(File(str(path))) != first


def test_a_fingerprint_sees_another_crawl_in_the_address(tmp_path):
    paths = [tmp_path / folder / "a.warc" for folder in ("x", "y", "CC-MAIN-2024-51", "CC-MAIN-2024-18")]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(b"a")
    found = [fingerprint(File(str(path))) for path in paths]
    assert found[0] == found[1]
    assert len(set(found)) == 3
