"""What makes two documents equal: normal texts, normal URLs, scopes."""

from __future__ import annotations

import unicodedata

import numpy as np
import pyarrow as pa
import pytest
import reference_dedup
from hypothesis import given, settings
from hypothesis import strategies as st
from real_texts import real_texts
from strategies import chunked_columns, text_columns, text_lists, texts

from gristmill.dedup.keys import DIGEST_BYTES, partition_key, scope_digests, scoped, text_digests
from gristmill.dedup.normal import normal_characters, normal_texts
from gristmill.dedup.urls import TRACKING, TRACKING_PREFIXES, host_of, url_normalizer

normalized = url_normalizer()

# --- normal texts ---------------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(st.one_of(text_columns(), chunked_columns()))
def test_normal_texts_are_those_of_the_twin(rows_and_column):
    rows, column = rows_and_column
    found = normal_texts(column)
    found.validate(full=True)
    assert found.type == pa.large_string()
    assert found.to_pylist() == [reference_dedup.normal_text(row) for row in rows]


@settings(max_examples=100)
@given(texts())
def test_the_form_of_a_form_is_itself_and_of_composed_text_the_same(text):
    (form,) = normal_texts(pa.array([text])).to_pylist()
    assert normal_texts(pa.array([form])).to_pylist() == [form]
    assert not any(unicodedata.category(character)[0] in "PSZC" for character in form)


def test_every_character_has_the_form_of_the_twin_and_fits():
    points = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    found = normal_texts(pa.array(list(map(chr, points)))).to_pylist()
    assert found == [reference_dedup.normal_text(chr(point)) for point in points]
    assert all(
        2 * len(form.encode()) <= 3 * len(chr(point).encode()) for point, form in zip(points, found, strict=True)
    )
    assert not normal_characters().flags.writeable
    assert np.all(normal_characters()[0xD800:0xE000] == 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Élan  vital,\n12 a.m.", "e\u0301lan vital 98am"),
        ("٣ 3", "00"),
        ("it's", "ITS"),
        ("", "\0 …!🙂"),
        ("Ⱥ" * 9, "ⱥ" * 9),
    ],
)
def test_what_differs_in_accents_case_digits_or_layout_alone_is_equal(one, other):
    forms = normal_texts(pa.array([one, other])).to_pylist()
    assert forms[0] == forms[1]


@pytest.mark.parametrize(("one", "other"), [("a1", "a12"), ("कि", "क"), ("ﬁ", "fi"), ("nine", "9"), ("ß", "ss")])
def test_what_differs_in_letters_is_not_equal(one, other):
    forms = normal_texts(pa.array([one, other])).to_pylist()
    assert forms[0] != forms[1]


@pytest.mark.data
def test_real_texts_have_the_form_of_the_twin(data):
    rows = real_texts(data)[::7]
    assert len(rows) > 300
    assert normal_texts(pa.array(rows)).to_pylist() == [reference_dedup.normal_text(row) for row in rows]


# --- normal URLs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("http://example.org", "example.org/"),
        ("HTTPS://Example.ORG.:443/", "example.org/"),
        ("http://example.org:443/", "example.org:443/"),
        ("https://example.org:0443", "example.org/"),
        ("http://example.org/A/b/?", "example.org/A/b/"),
        ("http://example.org/a/#top", "example.org/a/"),
        ("http://example.org/a", "example.org/a"),
        ("http://www.example.org/a", "www.example.org/a"),
        ("http://bücher.example/ä?ö=ü", "xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC"),
        ("http://e.org/%7Eme/%c3%a4%2f", "e.org/~me/%C3%A4%2F"),
        ("http://e.org/?b=2&utm_source=x&a=1&FBCLID=y&&c", "e.org/?b=2&a=1&c"),
        ("http://e.org/a;jsessionid=12AB?x", "e.org/a?x"),
        ("http://e.org/?utm_source=x#y", "e.org/"),
        ("http://e.org/a/./b/../c/..", "e.org/a/"),
        ("http://e.org/../../a", "e.org/a"),
        ("http:\\\\e.org\\a", "e.org/a"),
        ("  http://e.org/a\n", "e.org/a"),
        ("http://me:pw@e.org:8080/a", "me:pw@e.org:8080/a"),
        ("http://0x7f.1/", "127.0.0.1/"),
        ("http://[2001:DB8:0::1]:80/", "[2001:db8::1]/"),
        ("ftp://E.org/a", "ftp://e.org/a"),
        ("e.org/a", "e.org/a"),
        ("", "/"),
    ],
)
def test_forms_of_urls(url, form):
    assert normalized(url) == form


def test_www_and_other_parameters_are_cut_on_request():
    cut = url_normalizer(cut_www=True, cut_parameters=("Ref",))
    assert cut("http://www.e.org/?ref=1&a=2") == "e.org/?a=2"
    assert cut("http://www.com/") == "www.com/"
    assert normalized("http://www.e.org/?ref=1&a=2") == "www.e.org/?ref=1&a=2"


def test_the_names_that_track_are_lower_case_and_sorted():
    assert list(TRACKING) == sorted({name.lower() for name in TRACKING})
    assert all(prefix == prefix.lower() and prefix.endswith("_") for prefix in TRACKING_PREFIXES)


LABELS = st.text("abcXYZ019-äß字", min_size=1, max_size=6).filter(lambda label: label.strip("-") == label)
SEGMENTS = st.text("abZ09-_~!$'()*,=:@ä字%", max_size=6).map(lambda text: text.replace("%", "%c3%a4%2F%41"))
PARAMETERS = st.sampled_from(reference_dedup.TRACKS) | st.text("abZ1%ü", max_size=4).map(
    lambda t: t.replace("%", "%2f")
)


@st.composite
def urls(draw):
    """URLs that any parser understands."""
    host = ".".join([*draw(st.lists(LABELS.filter(lambda label: "ß" not in label), max_size=3)), "example"])
    port = draw(st.sampled_from(["", ":80", ":443", ":8080"]))
    path = "".join(f"/{segment}" for segment in draw(st.lists(SEGMENTS, max_size=3)))
    query = "&".join(draw(st.lists(st.tuples(PARAMETERS, st.sampled_from(["", "=1", "=ä&"])).map("".join), max_size=4)))
    end = draw(st.sampled_from(["", "#", "#a?b/c"]))
    return f"{draw(st.sampled_from(['http', 'https']))}://{host}{port}{path}{'?' * bool(query)}{query}{end}"


@settings(max_examples=300)
@given(urls())
def test_well_formed_urls_have_the_form_of_the_twin(url):
    assert normalized(url) == reference_dedup.normal_url(url)


@settings(max_examples=300)
@given(st.one_of(texts(), urls(), texts().map("http://".__add__), st.text(max_size=20).map("https://a.org/".__add__)))
def test_any_text_has_a_form_without_fragment_and_any_ascii_host(url):
    form = normalized(url)
    assert "#" not in form.partition("?")[2]
    assert form.isascii()
    assert host_of(url).isascii()
    assert "\n" not in form
    if "#" not in url and url.isprintable() and not url.endswith(" "):
        assert normalized(url + "#x") == form


def test_surrogates_do_no_harm():
    assert normalized("http://\ud800.org/\ud800?\udfff").isascii()


# --- scopes ---------------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.data(), text_lists())
def test_scoped_digests_are_those_of_the_twin(data, rows):
    scopes = data.draw(st.lists(st.none() | st.sampled_from(["en", "de", ""]), min_size=len(rows), max_size=len(rows)))
    digests = text_digests(pa.array(rows, pa.large_string()))
    found = scoped(digests, pa.array(scopes, pa.string()))
    assert found.type == pa.binary(DIGEST_BYTES)
    pairs = zip(digests.to_pylist(), scopes, strict=True)
    assert found.to_pylist() == [reference_dedup.scoped(digest, scope) for digest, scope in pairs]


def test_scopes_of_their_own_have_keys_of_their_own():
    keys = partition_key(scope_digests(pa.array(["en", "de", None, "", "en"]))).to_pylist()
    assert keys[0] == keys[4]
    assert len(set(keys)) == 4
