"""datatrove's own URL filter, run on the same addresses and lists: same verdict, same reason.

Every intended difference is listed in ``docs/urls.md`` and shown here by name.
"""

from __future__ import annotations

import gzip
import json
import re
import tarfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from datatrove.data import Document
from datatrove.pipeline.filters.url_filter import URLFilter
from hypothesis import given, settings
from hypothesis import strategies as st
from tldextract import TLDExtract

from gristmill.crawl import fates
from gristmill.crawl.settings import ExtractSettings
from gristmill.crawl.urls.address import parse_url
from gristmill.crawl.urls.lists import default_words
from gristmill.crawl.urls.rules import UrlRules, open_rules

REASONS = {
    "domain": fates.URL_DOMAIN,
    "subdomain": fates.URL_DOMAIN,
    "url": fates.URL_LISTED,
    "hard_blacklisted": fates.URL_HARD_WORD,
    "soft_blacklisted": fates.URL_SOFT_WORDS,
    "blacklisted_subword": fates.URL_SUBSTRING,
}
SUFFIXES = TLDExtract(suffix_list_urls=(), cache_dir=None)
WORDS = ("hard_words", "soft_words", "substrings")


class Both:
    """The same lists in both systems."""

    def __init__(self, domains=(), exact=(), **words):
        hard, soft, sub = (words.get(key) for key in WORDS)
        self.theirs = URLFilter(
            extra_domains=domains or None,
            extra_urls=exact or None,
            banned_words=hard,
            soft_banned_words=soft,
            banned_subwords=sub,
            use_integrated_lists=False,
        )
        self.theirs.tldextractor = SUFFIXES  # theirs asks the network first
        self._rules = {"domains": tuple(domains), "exact": tuple(exact)}
        self._rules |= {key: tuple(words.get(key) or ()) for key in WORDS}
        self.ours = _rules(**self._rules)

    def their_fate(self, url):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it asks tldextract by an old name
            verdict = self.theirs.filter(Document(text="", id="0", metadata={"url": url}))
        return None if verdict is True else REASONS[verdict[1]]

    def our_fate(self, url):
        fate = self.ours.judge(url)
        return None if fate is None else fate.code


def _rules(**rules: Any) -> UrlRules:
    settings_ = ExtractSettings(url_rules=rules)
    found = open_rules(settings_.url_blocklist, settings_.url_rules)
    assert found is not None
    return found


def word_list(key):
    ((_, content),) = default_words(key).files
    return content.decode().splitlines()


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRISTMILL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def finewebs_words():
    """Both systems with FineWeb's words, and some domains and addresses."""
    return Both(
        domains=["bad.org", "sub.bad.net", "worse.co.uk"],
        **{key: word_list(key) for key in WORDS},
    )


# --- parity ----------------------------------------------------------------------------------------------------------


SCHEMES = ("http://", "https://")
HOST_PIECES = ("bad.org", "sub.bad.net", "bad.net", "worse.co.uk", "co.uk", "good.org", "www.good.org", "sexy.com")
PATH_PIECES = ("page", "sex", "porn", "nude", "ass", "2g1c", "hot", "girls", "free", "video", "1", "x", "xx", "index")
JOINTS = ("/", "-", "_", "?", "&", "=", ".", "", "+", "//")


def made_urls():
    hosts = st.lists(st.sampled_from(["a", "b", "www"]), max_size=1)
    path = st.lists(st.tuples(st.sampled_from(JOINTS), st.sampled_from(PATH_PIECES)), max_size=6)
    return st.builds(
        lambda scheme, sub, host, parts: scheme + ".".join([*sub, host]) + "/" + "".join(a + b for a, b in parts),
        st.sampled_from(SCHEMES),
        hosts,
        st.sampled_from(HOST_PIECES),
        path,
    )


@settings(max_examples=400)
@given(url=made_urls())
def test_made_addresses_meet_the_same_end(finewebs_words, url):
    ours, theirs = finewebs_words.our_fate(url), finewebs_words.their_fate(url)
    assert ours == theirs or "sub.bad.net/" in url  # `domains_between`


@pytest.mark.data
def test_real_addresses_meet_the_same_end(data):
    """Over 5,000 distinct addresses of real crawls, and one made of every fifth domain of UT1's lists."""
    domains, listed = ut1_sample(data)
    both = Both(domains=domains, exact=listed, **{key: word_list(key) for key in WORDS})
    real = list(dict.fromkeys(real_urls(data)))
    made = [f"http://www.{domain}/" for domain in domains[::10]] + [f"https://{domain}/a" for domain in domains[5::10]]
    fate_of = {url: (both.our_fate(url), both.their_fate(url)) for url in [*real, *made]}
    assert len(real) > 5_000
    assert sum(fate_of[url][0] != fate_of[url][1] for url in real) < 10
    known = set(domains)
    why = Counter(name_of_difference(url, *fates_, known) for url, fates_ in fate_of.items())
    assert set(why) == {None, "domains_between", "addresses_in_numbers"}
    assert why[None] > 0.9 * len(fate_of)
    ends = Counter(ours for ours, _ in fate_of.values())
    assert ends[None] > 5_000
    assert ends[fates.URL_DOMAIN] > 10_000


@pytest.mark.data
def test_words_in_real_addresses_meet_the_same_end(data, finewebs_words):
    """Addresses of real crawls, and those that UT1 lists, which are full of such words."""
    both = finewebs_words
    urls = [*dict.fromkeys(real_urls(data)), *(f"http://{url}" for url in ut1_sample(data)[1])]
    unlike = [url for url in urls if both.our_fate(url) != both.their_fate(url)]
    assert [url for url in unlike if url.isascii() and url == url.lower() and "%" not in url] == []
    ends = Counter(map(both.our_fate, urls))
    assert {fates.URL_HARD_WORD, fates.URL_SOFT_WORDS, fates.URL_SUBSTRING} <= set(ends)
    assert len(unlike) < 0.02 * ends.total()


def name_of_difference(url, ours, theirs, domains):
    """Return why two fates of an address are not the same, None if they are."""
    if ours == theirs:
        return None
    assert (ours, theirs == fates.URL_DOMAIN) == (fates.URL_DOMAIN, False), url
    host, suffix = parse_url(url).host, SUFFIXES.extract_str(url).suffix
    if parse_url(url).is_numeric:
        return "addresses_in_numbers"
    if not suffix:
        return "unknown_suffixes"
    assert host not in domains, url
    return "domains_between"


@pytest.mark.data
def test_listed_addresses_meet_our_end(data):
    """Addresses of UT1 have no scheme, so that theirs never finds them in a crawl, nor ours without the rule."""
    _, listed = ut1_sample(data)
    found = _rules(exact=tuple(listed))
    assert all(found.judge(f"https://www.{url}").code == fates.URL_LISTED for url in listed[:500])
    theirs = Both(exact=listed)
    assert {theirs.their_fate(f"https://{url}") for url in listed[:500]} == {None}


@pytest.mark.data
def test_the_words_that_dclm_took_are_found(data):
    """DCLM's three lists, as it uses them: substrings of an address without dashes and dots, hard words, soft words."""
    folder = data / "lists"
    hard, soft, strict = (
        str(folder / f"dclm_refinedweb_banned_words_{kind}_reverse_engineered.txt")
        for kind in ("hard", "soft", "strict")
    )
    found = _rules(hard_words=hard, soft_words=soft, substrings=strict, substrings_ignore="-.")
    for path, key in ((hard, "hard"), (strict, "strict")):
        words = [line for line in Path(path).read_text().splitlines() if line and not line.startswith("#")]
        assert len(words) > 50
        assert all(found.judge(f"http://x.example/a-{word}-b") for word in words), key
    assert found.judge("http://x.example/anus/ass").code == fates.URL_SOFT_WORDS


def ut1_sample(data: Path) -> tuple[list[str], list[str]]:
    """Domains that have a dot, and addresses, of the sample of UT1."""
    domains, listed = [], []
    with tarfile.open(data / "lists" / "ut1_sample.tar.gz") as archive:
        for member in archive.getmembers():
            lines = archive.extractfile(member).read().decode("utf-8", "replace").split("\n")
            if member.name.endswith("/domains"):
                domains += [line for line in lines if "." in line]
            elif member.name.endswith("/urls"):
                listed += [line for line in lines if "/" in line]
    return domains, listed


def real_urls(data: Path):
    for path in sorted((data / "warc").glob("*.provenance.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)["url"]


# --- the differences, each by its name -------------------------------------------------------------------------------


def case():
    """Their words are in lower case and the address is not."""
    both = Both(hard_words=["porn"], domains=["bad.example"])
    assert (both.their_fate("http://x.example/PORN"), both.our_fate("http://x.example/PORN")) == (
        None,
        fates.URL_HARD_WORD,
    )
    assert (both.their_fate("http://BAD.example/"), both.our_fate("http://BAD.example/")) == (None, fates.URL_DOMAIN)


def scheme():
    """Their substrings may start in the scheme, ours start behind it; an address is compared with its scheme there."""
    both = Both(substrings=["sex doll"], exact=["some.example/page"])
    assert both.their_fate("https://ex-doll.example/") == fates.URL_SUBSTRING
    assert both.our_fate("https://ex-doll.example/") is None
    assert both.their_fate("http://some.example/page") is None
    assert both.our_fate("http://some.example/page") == fates.URL_LISTED


def domains_between():
    """They look at the host and at what was registered, and at no domain between."""
    both = Both(domains=["b.example.com"])
    assert both.their_fate("http://b.example.com/") == both.our_fate("http://b.example.com/") == fates.URL_DOMAIN
    assert both.their_fate("http://a.b.example.com/") is None
    assert both.our_fate("http://a.b.example.com/") == fates.URL_DOMAIN


def addresses_in_numbers():
    """They never find an IP address, though their list has 6,390."""
    both = Both(domains=["192.168.0.1"])
    assert both.their_fate("http://192.168.0.1/") is None
    assert both.our_fate("http://192.168.0.1/") == fates.URL_DOMAIN


def international_domains():
    """A host in Unicode is not the same as in ASCII there."""
    both = Both(domains=["xn--bcher-kva.example"])
    assert both.their_fate("http://bücher.example/") is None
    assert both.our_fate("http://bücher.example/") == fates.URL_DOMAIN


def unknown_suffixes():
    """A domain below a suffix that the public list does not have is never found there."""
    both = Both(domains=["shop.bit"])
    assert both.their_fate("http://shop.bit/") is None
    assert both.our_fate("http://shop.bit/") == fates.URL_DOMAIN


def escapes():
    """Escapes are undone before words are looked for; there, `%20nude` is the word `20nude`."""
    both = Both(hard_words=["nude"])
    assert both.their_fate("http://x.example/a%20nude") is None
    assert both.our_fate("http://x.example/a%20nude") == fates.URL_HARD_WORD


def letters_beyond_ascii():
    """There, letters beyond ASCII part words, and a word of them is the empty word, which most addresses have."""
    both = Both(hard_words=["porn"])
    assert both.their_fate("http://x.example/porné") == fates.URL_HARD_WORD
    assert both.our_fate("http://x.example/porné") is None
    cyrillic = Both(hard_words=["порно"])
    assert cyrillic.their_fate("http://x.example/any/") == fates.URL_HARD_WORD
    assert cyrillic.our_fate("http://x.example/any/") is None
    assert cyrillic.our_fate("http://x.example/порно") == fates.URL_HARD_WORD


def no_address():
    """A record without an address is an error there, and none of the rules' here."""
    both = Both(hard_words=["porn"])
    with pytest.raises(AssertionError):
        both.their_fate(None)
    assert both.our_fate("") is None


SHOWN = (
    case,
    scheme,
    domains_between,
    addresses_in_numbers,
    international_domains,
    unknown_suffixes,
    escapes,
    letters_beyond_ascii,
    no_address,
)


@pytest.mark.parametrize("shown", SHOWN, ids=lambda f: f.__name__)
def test_a_difference_is_as_its_name_says(shown):
    shown()


def test_the_docs_name_every_difference():
    page = (Path(__file__).resolve().parents[1] / "docs" / "urls.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page.partition("## Differences")[2], re.MULTILINE) == [
        f.__name__ for f in SHOWN
    ]
