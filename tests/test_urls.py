"""Rules on addresses: one form for every way to write a URL, lists of every kind, the index, what drops what."""

from __future__ import annotations

import gzip
import io
import json
import multiprocessing
import tarfile
import unicodedata

import idna
import numpy as np
import pyarrow.parquet as pq
import pytest
from commands import inside
from crawl_server import serving
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import characters, texts
from warcs import http, member, page, record

from gristmill.crawl import fates
from gristmill.crawl.settings import ExtractSettings
from gristmill.crawl.urls import index as index_module
from gristmill.crawl.urls.address import exact_key, parents, parse_url, readable_text
from gristmill.crawl.urls.entries import entry_keys, hash_of
from gristmill.crawl.urls.index import Listed, UrlIndex, index_path, write_index
from gristmill.crawl.urls.rules import open_rules, prepare_rules
from gristmill.crawl.urls.words import SubstringFinder, found_words, normal_words, split_words
from gristmill.errors import CorruptError, MissingError, StaleError, UsageError
from gristmill.hosts import normal_host
from gristmill.pipeline.session import planned


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GRISTMILL_CACHE", str(tmp_path / "cache"))


def rules(blocklist=(), **more):
    settings = ExtractSettings(url_blocklist=blocklist, url_rules=more)
    return open_rules(settings.url_blocklist, settings.url_rules)


def key_of(blocklist=(), **more):
    settings = ExtractSettings(url_blocklist=blocklist, url_rules=more)
    return prepare_rules(settings.url_blocklist, settings.url_rules)


def ut1(categories, links=()):
    """Return a packed UT1 archive: lines by category and file, and other names of categories."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as archive:
        for name, lines in categories.items():
            content = "".join(f"{line}\n" for line in lines).encode()
            info = tarfile.TarInfo(f"blacklists/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, target in links:
            info = tarfile.TarInfo(f"blacklists/{name}")
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return sink.getvalue()


# addresses

HOSTS = [
    ("http://example.com/", "example.com"),
    ("HTTP://WWW.Example.COM.:80/", "www.example.com"),
    ("//example.com/a", "example.com"),
    ("example.com/a?b", "example.com"),
    ("example.com:8080/a", "example.com"),
    ("http:/example.com", "example.com"),
    ("http:example.com", "example.com"),
    ("http:\\\\example.com\\a", "example.com"),
    ("ftp://user:p@ss@example.com/x", "example.com"),
    ("http://user@", ""),
    ("http://example.com#@evil.net", "example.com"),
    ("http://ex%61mple.com/", "example.com"),
    ("http://example。com/", "example.com"),
    ("http://EXAMPLE．COM/", "example.com"),
    ("http://Bücher.example/", "xn--bcher-kva.example"),
    ("http://xn--BCHER-kva.example/", "xn--bcher-kva.example"),
    ("http://faß.de/", "xn--fa-hia.de"),
    ("http://i❤.ws/", "xn--i-7iq.ws"),
    ("http://_dmarc.bücher.example/", "_dmarc.xn--bcher-kva.example"),
    ("http://example.com../", "example.com"),
    ("http://192.168.0.1/", "192.168.0.1"),
    ("http://0300.0250.1/", "192.168.0.1"),
    ("http://3232235521/", "192.168.0.1"),
    ("http://0xC0A80001/", "192.168.0.1"),
    ("http://[2001:DB8:0:0:0:0:0:1]:80/", "2001:db8::1"),
    ("http://[nonsense]/", "nonsense"),
    ("http://1.2.3.4.5/", "1.2.3.4.5"),
    ("http://999.1.1.1/", "999.1.1.1"),
    ("dns:example.com", "dns"),
    ("", ""),
    ("http://", ""),
    ("\x00 http://example.com\t", "example.com"),
]


@pytest.mark.parametrize(("url", "host"), HOSTS)
def test_a_host_is_the_same_however_it_is_written(url, host):
    assert parse_url(url).host == host


def test_domains_above_a_host_have_two_labels_at_least():
    assert list(parents("example.com")) == ["example.com"]
    assert list(parents("localhost")) == ["localhost"]
    assert list(parents("a.b.co.uk")) == ["a.b.co.uk", "b.co.uk", "co.uk"]


SAME = [
    ("http://example.com", "https://www.Example.com:443/#top"),
    ("http://example.com/a/", "example.com/A"),
    ("http://example.com/%7Eme", "http://example.com/~me"),
    ("http://example.com/ä", "http://example.com/%C3%A4"),
    ("http://example.com/a b", "http://example.com/a%20b"),
    ("http://me@example.com/a?b=C", "http://example.com/a?b=c"),
    ("http://example.com?x", "http://example.com/?x"),
]
UNLIKE = [
    ("http://example.com/a", "http://example.com/b"),
    ("http://example.com/", "http://example.org/"),
    ("http://example.com/?a", "http://example.com/?b"),
    ("http://example.com:8080/", "http://example.com/"),
    ("http://example.com/a/?b", "http://example.com/a?b"),
    ("http://www.com/", "http://com/"),
    ("http://example.com/a%2Fb", "http://example.com/a/b"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_equal_addresses_have_one_key(one, other):
    assert exact_key(parse_url(one)) == exact_key(parse_url(other))


@pytest.mark.parametrize(("one", "other"), UNLIKE)
def test_other_addresses_have_another_key(one, other):
    assert exact_key(parse_url(one)) != exact_key(parse_url(other))


URL_PIECES = (
    "http://", "https:", "//", "\\", "/", "?", "#", "@", ":", ":80", ".", "..", "%", "%41", "%ff", "%2e", "[", "]",
    "xn--", "xn--a", "xn--\u00fc", "www.", "example", ".com", ".co.uk", "127.1", "::1", "0x", "0x7f", "08", "1e3",
    "\u3002", "\u2024", "\u00df", "\u2615", "\u200d", "\u2100", "\ud800", "\0", "\n", " ", "a" * 64, "\u0130",
    "\u0939\u093f", "9" * 24,
)  # fmt: skip


def urls():
    pieced = st.lists(st.one_of(st.sampled_from(URL_PIECES), characters()), max_size=12).map("".join)
    return st.one_of(texts(), pieced, pieced.map("http://".__add__))


@given(urls())
@example("http://" + "\u00fc" * 500 + ".com")
@example("http://" + "00000000\u00bc" * 23)
@example("http://xn--" + "9" * 200 + ".com")
@example("http://xn--ls8h\udcff.com/\udcff")
def test_any_text_is_an_address(url):
    address = parse_url(url)
    key = exact_key(address)
    assert address.host.isascii()
    assert key.isascii()
    assert "/" in key
    assert " " not in key
    hash_of(key)
    split_words(readable_text(address))
    for host in parents(address.host):
        assert address.host.endswith(host)


@given(urls())
@example("http://" + "00000000\u00bc" * 23)
@example("[0")
@example("[" + "a." * 200 + "]/")
def test_normal_forms_are_normal(url):
    address = parse_url(url)
    again = normal_host(f"[{address.host}]" if ":" in address.host else address.host)
    if address.is_numeric:
        assert again == (address.host, True)
    else:
        assert again[0] == address.host
    key = exact_key(address)
    if address.host and ":" not in address.host:
        assert exact_key(parse_url("http://" + key)) == key


@given(st.from_regex(r"[a-z0-9\u00e0-\u00ff\u0430-\u044f\u4e00-\u4eff]{1,20}\.com", fullmatch=True))
def test_hosts_are_what_idna_makes_of_them(host):
    try:
        expected = idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return
    assert normal_host(host) == (expected, False)


# words


def test_words_are_runs_of_letters_and_digits():
    assert split_words("www.example.com/a-b_c?d=1&e") == ["www", "example", "com", "a", "b", "c", "d", "1", "e"]
    assert split_words("/сайт/हिन्दी/") == ["сайт", "हिन्दी"]
    assert split_words("") == []


@given(st.text(characters(), max_size=40))
def test_a_word_of_a_list_is_found_in_its_own_address(word):
    normal = "".join(split_words(unicodedata.normalize("NFKC", word).lower()))
    if not normal or word.startswith("#"):
        return
    assert normal_words("list", [word]) == (normal,)
    assert found_words({normal: "list"}, split_words(f"example.com/a-{normal}-b")) == [normal] or not normal.isascii()


def test_lists_of_words_leave_out_comments_and_what_is_none():
    assert normal_words("list", ["#no", "Two words", " - ", "", "two-words", "x"]) == ("twowords", "x")
    assert normal_words("list", ["a-b.c/d"], "-.") == ("abc/d",)
    with pytest.raises(UsageError, match="list is empty"):
        normal_words("list", ["# only a comment", "..."])


@given(st.lists(st.text("abc", min_size=1, max_size=4), min_size=1, max_size=6), st.text("abc", max_size=12))
def test_the_substring_that_ends_first_is_found(substrings, text):
    ends = [(text.find(s) + len(s), -len(s), s) for s in substrings if s in text]
    assert SubstringFinder(substrings).first(text) == (min(ends)[2] if ends else None)


# entries

LINES = [
    ("example.com", ["example.com"]),
    ("*.Example.com", ["example.com"]),
    (".example.com.", ["example.com"]),
    ("bücher.example", ["xn--bcher-kva.example"]),
    ("192.168.0.1", ["192.168.0.1"]),
    ("[2001:db8::1]", ["2001:db8::1"]),
    ("0.0.0.0 ads.example.com t.example.com", ["ads.example.com", "t.example.com"]),
    ("127.0.0.1 localhost", []),
    ("0.0.0.0 0.0.0.0", []),
    ("::1 ip6-loopback ads.example.com", ["ads.example.com"]),
    ("http://example.com/Page/", ["example.com/page"]),
    ("example.com/", ["example.com/"]),
    ("example.com:8080", ["example.com:8080/"]),
    ("two words", []),
    ("word", []),
    ("||example.com^", []),
    ("<p>", []),
]


@pytest.mark.parametrize(("line", "keys"), LINES)
def test_a_line_names_domains_or_an_address(line, keys):
    assert list(entry_keys(line, "")) == keys


@given(texts())
def test_any_line_can_be_read(line):
    for key in entry_keys(line or "x", "") if line.split() else ():
        hash_of(key)


# lists


def test_a_plain_list_holds_domains_addresses_and_comments(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text(
        "\ufeff# comment\nBad.example\n\nhttp://some.example/page # why\n0.0.0.0 ads.example\nxn--bcher-kva.example\n"
    )
    found = rules(str(path))
    assert found.judge("http://www.bad.example/x") == (fates.URL_DOMAIN, "bad.example (list.txt)")
    assert found.judge("https://some.example/PAGE#x") == (fates.URL_LISTED, "some.example/page (list.txt)")
    assert found.judge("http://some.example/page2") is None
    assert found.judge("http://ads.example/") == (fates.URL_DOMAIN, "ads.example (list.txt)")
    assert found.judge("http://bücher.example/") == (fates.URL_DOMAIN, "xn--bcher-kva.example (list.txt)")


def test_packed_lists_are_unpacked(tmp_path):
    path = tmp_path / "list.txt.gz"
    path.write_bytes(gzip.compress(b"bad.example\n"))
    assert rules(str(path)).judge("http://bad.example/").detail == "bad.example (list.txt.gz)"


def test_ut1_archives_and_folders_have_categories(tmp_path):
    categories = {
        "adult/domains": ["adult.example", "both.example"],
        "adult/urls": ["some.example/adult", "bare.example"],
        "adult/expressions": ["(sex|porn)"],
        "gambling/domains": ["bets.example", "both.example"],
        "empty/domains": [],
    }
    archive = tmp_path / "ut1.tar.gz"
    archive.write_bytes(ut1(categories, [("porn", "adult")]))
    folder = tmp_path / "ut1.tar"
    for name, lines in categories.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("".join(f"{line}\n" for line in lines))
    for path in (archive, folder):
        every, some = rules(str(path)), rules({"path": str(path), "categories": ["gambling"]})
        assert every.judge("http://a.adult.example/") == (fates.URL_DOMAIN, f"adult.example ({path.name}/adult)")
        assert every.judge("http://both.example/").detail == f"both.example ({path.name}/adult)"
        assert every.judge("http://some.example/adult/").code == fates.URL_LISTED
        assert every.judge("http://bare.example/").code == fates.URL_LISTED
        assert every.judge("http://bare.example/page") is None
        assert some.judge("http://a.adult.example/") is None
        assert some.judge("http://both.example/").detail == f"both.example ({path.name}/gambling)"
        with pytest.raises(UsageError, match="no category sports; it has: adult, empty, gambling"):
            rules({"path": str(path), "categories": "sports"})
    named = rules({"path": str(archive), "categories": ["porn"]})
    assert named.judge("http://adult.example/").detail == "adult.example (ut1.tar.gz/adult)"


BAD_LISTS = [
    (b"", "is empty"),
    (b"# nothing\n\n", "is empty"),
    (b"<!DOCTYPE html>\n<html><body>moved</body></html>", "is a web page, not a list"),
    (b"\n  <html>\nx", "is a web page, not a list"),
    (b"a\0b" * 10, "is no text"),
    (b"sex\nporn\nnude.example\n", "1 of 3 lines"),
    (b"these are words, not domains\n", "0 of 1 lines"),
    (b'{"domains": [\n"a.example"\n]}\n', "no list of domains"),
]


@pytest.mark.parametrize(("content", "message"), BAD_LISTS)
def test_what_is_no_list_is_an_error(tmp_path, content, message):
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        rules(str(path))


def test_lists_lie_on_web_servers_too():
    archive = ut1({"games/domains": ["play.example"]})
    with serving({"/ut1/lists.tar.gz": archive, "/allow.txt": b"good.play.example\n"}) as server:
        server.fail("/ut1/lists.tar.gz", "reset")
        rule = rules(f"{server.url}/ut1/lists.tar.gz?v=1", allow=f"{server.url}/allow.txt")
        assert rule.judge("http://a.play.example/") == (fates.URL_DOMAIN, "play.example (lists.tar.gz/games)")
        assert rule.judge("http://good.play.example/") is None
        with pytest.raises(MissingError, match=r"/none\.txt"):
            rules(f"{server.url}/none.txt")


def test_lists_that_are_not_there_or_broken_are_errors(tmp_path):
    with pytest.raises(MissingError, match=r"url_blocklist: .*gone\.txt cannot be read: there is no such file"):
        rules(str(tmp_path / "gone.txt"))
    with pytest.raises(MissingError, match=r"url_rules\.hard_words: gone\.txt cannot be read.*\[one, two\]"):
        rules(hard_words="gone.txt")
    with pytest.raises(MissingError, match="cannot be read"):
        rules("nonsense://x/y")
    whole = ut1({"adult/domains": [f"{number}.example" for number in range(10_000)]})
    for name, content in (("cut.tar.gz", whole[:-2000]), ("cut.gz", gzip.compress(b"a.example\n" * 9)[:-9])):
        (tmp_path / name).write_bytes(content)
        with pytest.raises((CorruptError, UsageError), match=r"cut\.(tar\.)?gz"):
            rules(str(tmp_path / name))
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UsageError, match="holds no list"):
        rules(str(tmp_path / "nothing"))


# rules


def test_domains_match_down_to_what_was_registered_and_no_further(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("co.uk\nb.example.co.uk\nblogspot.com\nbad.onion\nintranet.unknowntld\n1.2.3.4\n")
    found = rules(str(path))
    hits = {
        "http://example.co.uk/": None,
        "http://co.uk/": "co.uk",
        "http://a.b.example.co.uk/": "b.example.co.uk",
        "http://xb.example.co.uk/": None,
        "http://my.blogspot.com/": "blogspot.com",
        "http://x.bad.onion/": "bad.onion",
        "http://x.intranet.unknowntld/": "intranet.unknowntld",
        "http://1.2.3.4/": "1.2.3.4",
        "http://0x01020304/": "1.2.3.4",
        "http://0.1.2.3.4/": None,
    }
    for url, domain in hits.items():
        fate = found.judge(url)
        assert (fate and fate.detail) == (domain and f"{domain} (list.txt)"), url


def test_rules_apply_in_order_and_say_what_they_found():
    found = rules(
        domains=["bad.example"],
        exact=["https://page.example/Here", "root.example"],
        hard_words=["Hard"],
        soft_words=["soft", "weak", "mild"],
        substrings=["long phrase"],
        allow=["fine.example", "http://hard.example/but-fine"],
    )
    fate_of = {
        "http://www.bad.example/hard": (fates.URL_DOMAIN, "bad.example (recipe)"),
        "http://page.example/here": (fates.URL_LISTED, "page.example/here (recipe)"),
        "http://root.example": (fates.URL_LISTED, "root.example/ (recipe)"),
        "http://root.example/x": None,
        "http://x.example/HARD/soft-weak": (fates.URL_HARD_WORD, "hard (recipe)"),
        "http://x.example/hard%20words": (fates.URL_HARD_WORD, "hard (recipe)"),
        "http://x.example/%48ard": (fates.URL_HARD_WORD, "hard (recipe)"),
        "http://x.example/ｈａｒｄ": (fates.URL_HARD_WORD, "hard (recipe)"),
        "http://x.example/harder": None,
        "http://x.example/soft/soft": None,
        "http://weak.example/mild?soft": (fates.URL_SOFT_WORDS, "weak (recipe), mild (recipe)"),
        "http://x.example/long-phra.se": (fates.URL_SUBSTRING, "longphrase (recipe)"),
        "http://x.fine.example/hard": None,
        "http://hard.example/but-fine/": None,
        "http://hard.example/": (fates.URL_HARD_WORD, "hard (recipe)"),
    }
    assert {url: found.judge(url) for url in fate_of} == fate_of
    assert rules(soft_words=["soft", "weak"], least_soft_words=1).judge("http://soft.example/").code


def test_substrings_may_ignore_only_dashes_and_dots():
    dclm = rules(substrings=["free-video"], substrings_ignore="-.")
    assert dclm.judge("http://x.example/fr-ee.video").detail == "freevideo (recipe)"
    assert dclm.judge("http://x.example/free/video") is None
    assert rules(substrings=["free-video"]).judge("http://x.example/free/video") is not None


def test_words_beyond_ascii_are_words():
    found = rules(hard_words=["порно", "भाषा"])
    assert found.judge("http://x.example/%D0%BF%D0%BE%D1%80%D0%BD%D0%BE") is not None
    assert found.judge("http://порно.example/").detail == "порно (recipe)"
    assert found.judge(f"http://{idna.encode('порно').decode()}.example/").detail == "порно (recipe)"
    assert found.judge("http://x.example/भाषा") is not None
    assert found.judge("http://x.example/") is None


def test_a_recipe_without_rules_has_none():
    assert rules() is None
    assert rules(allow=["fine.example"]) is None
    assert key_of() is None


def test_default_words_come_with_the_default_list_or_by_name(tmp_path):
    (tmp_path / "own.txt").write_text("milling\n")
    mixed = rules(hard_words=["default", "milling"], soft_words="default")
    assert mixed.judge("http://x.example/mill") is None
    assert mixed.judge("http://x.example/milling").detail == "milling (recipe)"
    assert mixed.judge("http://x.example/2g1c").detail == "2g1c (default)"
    assert mixed.judge("http://x.example/nude-sexy").code == fates.URL_SOFT_WORDS
    own = rules(hard_words=str(tmp_path / "own.txt"))
    assert own.judge("http://x.example/milling").detail == "milling (own.txt)"
    assert own.judge("http://x.example/2g1c") is None


@given(urls())
def test_rules_judge_anything(hostile_rules, url):
    fate = hostile_rules.judge(url)
    if fate is not None:
        assert fate.code in fates.REASONS
        assert fate.detail
        assert fate.detail.isprintable()
        assert len(fate.detail) < 600


@pytest.fixture(scope="module")
def hostile_rules(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRISTMILL_CACHE", str(tmp_path_factory.mktemp("cache")))
        return rules(
            domains=["example.com", "127.0.0.1"], exact=["http://example/"], substrings=["aa"], hard_words=["a"]
        )


# the index


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=8), min_size=1, max_size=4), st.integers(0, 2**64 - 1))
def test_an_index_tells_the_first_list_of_every_hash(tmp_path_factory, lists, other):
    path = tmp_path_factory.mktemp("index") / "i"
    named = [(f"list {number % 3}", np.array(hashes, np.uint64)) for number, hashes in enumerate(lists)]
    write_index(path, Listed(named, np.array([other], np.uint64)), {"fact": 1})
    found = UrlIndex(path)
    expected: dict[int, str] = {}
    for name, hashes in named:
        for value in hashes.tolist():
            expected.setdefault(value, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_module, "hash_of", lambda key: int(key))
        assert {value: found.list_of(str(value)) for value in expected} == expected
        assert found.list_of(str(other)) == expected.get(other)
        assert found.is_allowed(str(other))
    assert (len(found), found.facts) == (len(expected), {"fact": 1})


def test_an_index_that_is_not_whole_is_built_again(tmp_path):
    settings = ExtractSettings(url_rules={"domains": ["bad.example", "other.example"]})
    key = prepare_rules(settings.url_blocklist, settings.url_rules)
    path = index_path(key)
    whole = path.read_bytes()
    broken = [b"", whole[:5], whole[:40], whole[:-1], whole + b"\0", whole[:-1] + b"\xff", b"x" + whole[1:]]
    broken += [whole.replace(b'"format": 1', b'"format": 9'), whole.replace(b'{"format"', b'("format"')]
    for content in broken:
        assert content != whole
        path.write_bytes(content)
        with pytest.raises(CorruptError):
            UrlIndex(path)
        assert prepare_rules(settings.url_blocklist, settings.url_rules) == key
        assert path.read_bytes() == whole
    assert list(path.parent.iterdir()) == [path]


def _open_one(number):
    settings = ExtractSettings(url_rules={"domains": [f"{n}.example" for n in range(2000)]})
    found = open_rules(settings.url_blocklist, settings.url_rules)
    return found.judge(f"http://{number}.example/").detail


def test_many_processes_may_build_at_once(tmp_path):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        details = pool.map(_open_one, range(8), chunksize=1)
    assert details == [f"{number}.example (recipe)" for number in range(8)]
    assert len(list((tmp_path / "cache" / "urls").iterdir())) == 1


def test_a_cache_that_cannot_be_written_to_says_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GRISTMILL_CACHE", str(tmp_path / "file"))
    with pytest.raises(UsageError, match="set GRISTMILL_CACHE"):
        rules(domains=["bad.example"])


def test_the_key_covers_what_lists_hold_and_not_where_they_lie(tmp_path):
    for folder in ("one", "two", "three"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "list.txt").write_text("bad.example\n" if folder != "three" else "worse.example\n")
    one, two, three = (key_of(str(tmp_path / folder / "list.txt")) for folder in ("one", "two", "three"))
    assert one == two != three
    (tmp_path / "one" / "other.txt").write_text("bad.example\n")
    keys = [
        one,
        key_of(str(tmp_path / "one" / "other.txt")),
        key_of(str(tmp_path / "one" / "list.txt"), allow=["x.example"]),
        key_of(domains=["bad.example"]),
        key_of(exact=["bad.example"]),
        key_of(hard_words=["bad"]),
        key_of(soft_words=["bad"]),
        key_of(soft_words=["bad"], least_soft_words=1),
        key_of(substrings=["bad"]),
        key_of(substrings=["bad"], substrings_ignore="-."),
    ]
    assert len(set(keys)) == len(keys)


def test_lists_that_change_after_the_plan_are_told(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("bad.example\n")
    settings = ExtractSettings(url_blocklist=str(path))
    key = prepare_rules(settings.url_blocklist, settings.url_rules)
    path.write_text("worse.example\n")
    assert open_rules(settings.url_blocklist, settings.url_rules, key).judge("http://bad.example/") is not None
    index_path(key).unlink()
    with pytest.raises(StaleError, match="run the recipe again"):
        open_rules(settings.url_blocklist, settings.url_rules, key)


# the default list


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRISTMILL_CACHE", str(tmp_path_factory.mktemp("default")))
        found = rules("default")
        yield found, index_path(key_of("default"))


def test_the_default_list_is_finewebs(default):
    found, path = default
    assert 4_500_000 < len(UrlIndex(path)) < 4_700_000
    assert path.stat().st_size / len(UrlIndex(path)) < 8.1
    assert found.judge("https://www.youporn.com/").detail == "youporn.com (default)"
    assert found.judge("http://example.org/wiki/Mill") is None
    listed = (
        "http://0149614511.strimbat.fr/porno-anal-escort-granville-faire-sa-salope-baise-une-vache-video-gratuite-x-"
    )
    assert found.judge(f"{listed}escort-girl-auxerre").code == fates.URL_LISTED


# recipes

RECIPE = """\
name: mill
source: {{warc: crawl.warc.gz}}
stages:
  - extract:
      extractor: resiliparse
{settings}
"""


@pytest.fixture
def crawl(tmp_path):
    urls = [
        "http://www.bad.example/",
        "http://good.example/",
        "http://good.example/hard-mode",
        "http://good.example/<b>hard</b>",
    ]
    robots = ["Content-Type: text/html", "X-Robots-Tag: noai"]
    records = [record("response", http(page(), "404 Not Found"), "http://bad.example/gone")]
    records += [record("response", http(page()), url) for url in urls]
    records += [record("response", http(page(), headers=robots), "http://shy.example/")]
    records += [record("revisit", b"HTTP/1.1 200 OK\r\n\r\n", "http://bad.example/again")]
    (tmp_path / "crawl.warc.gz").write_bytes(b"".join(map(member, records)))
    (tmp_path / "list.txt").write_text("bad.example\n")
    return tmp_path


def write_recipe(folder, *lines):
    path = folder / "recipe.yaml"
    path.write_text(RECIPE.format(settings="\n".join(f"      {line}" for line in lines)))
    return path


def test_a_recipe_can_switch_every_rule_on(crawl):
    write_recipe(crawl, "url_blocklist: list.txt", "url_rules: {hard_words: [hard]}", "opt_out: [noai]")
    inside("run", "recipe.yaml", "--workers", 1, cwd=crawl)
    table = pq.read_table(crawl / "runs/mill/documents/crawl.parquet")
    assert list(zip(table["fate"].to_pylist(), table["fate_detail"].to_pylist(), strict=True)) == [
        (fates.URL_DOMAIN, "bad.example (list.txt)"),
        (fates.URL_DOMAIN, "bad.example (list.txt)"),
        (None, None),
        (fates.URL_HARD_WORD, "hard (recipe)"),
        (fates.URL_HARD_WORD, "hard (recipe)"),
        (fates.OPT_OUT, "X-Robots-Tag: noai"),
        (fates.REVISIT, None),
    ]
    assert table["status"].to_pylist() == [404, 200, 200, 200, 200, 200, None]
    shown = inside("explain", "mill", "http://www.bad.example/", cwd=crawl).stdout
    assert "dropped by extract: extract.url_domain: bad.example (list.txt)" in shown
    inside("fates", "mill", "-o", "fates.parquet", cwd=crawl)
    assert pq.read_table(crawl / "fates.parquet")["fate_detail"].to_pylist() == table["fate_detail"].to_pylist()
    stats = json.loads((crawl / "runs/mill/report/stats.json").read_text())
    assert stats["fate_details"]["most"] == [
        {"fate": "extract.url_domain: bad.example (list.txt)", "documents": 2},
        {"fate": "extract.url_hard_word: hard (recipe)", "documents": 2},
        {"fate": "extract.opt_out: X-Robots-Tag: noai", "documents": 1},
    ]
    page = (crawl / "runs/mill/report/index.html").read_text()
    assert "extract.url_hard_word: hard (recipe)" in page
    assert "<b>hard</b>" not in page


def test_a_missing_list_is_told_with_its_line(crawl):
    recipe = write_recipe(crawl, "url_blocklist: [gone.txt]")
    with pytest.raises(MissingError, match=r"gone\.txt cannot be read: there is no such file.*recipe\.yaml:\d+\)$"):
        planned(recipe)
    recipe = write_recipe(crawl, "url_rules: {hard_word: [x]}")
    with pytest.raises(UsageError, match=r"unknown key .*hard_word'; did you mean 'hard_words'\?"):
        planned(recipe)
    recipe = write_recipe(crawl, "opt_out: [noais]")
    with pytest.raises(UsageError, match=r"'noai'.*recipe\.yaml:6\)"):
        planned(recipe)


def test_a_plan_depends_on_what_lists_hold_and_not_on_where_they_lie(crawl, monkeypatch):
    monkeypatch.chdir(crawl)
    (crawl / "there").mkdir()
    (crawl / "there" / "list.txt").write_text("bad.example\n")
    first = planned(write_recipe(crawl, "url_blocklist: list.txt")).digest
    assert planned(write_recipe(crawl, "url_blocklist: there/list.txt")).digest == first
    (crawl / "list.txt").write_text("other.example\n")
    assert planned(write_recipe(crawl, "url_blocklist: list.txt")).digest != first
    assert planned(write_recipe(crawl, "mode: fast")).digest != first
