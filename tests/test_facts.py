"""Signals of personal data, of scripts and of code: against their twins, datatrove, BeautifulSoup, real texts."""

from __future__ import annotations

import json
import lzma
import unicodedata
from collections import Counter

import pyarrow as pa
import pytest
import reference_facts as reference
import unicode_scripts
from bs4 import BeautifulSoup
from datatrove.pipeline.formatters import PIIFormatter
from hypothesis import given, settings
from hypothesis import strategies as st
from real_texts import real_texts
from test_edits import HOSTILE
from test_parity_edits import is_part_of_more

from gristmill.filters.edits import catalogue
from gristmill.filters.edits.settings import EditSettings
from gristmill.filters.pii.find import KINDS, found
from gristmill.filters.rules.evaluate import evaluate, rules_of
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.characters import tables
from gristmill.filters.signals.characters.scans import visible_characters
from gristmill.filters.signals.families import SIGNALS, measure
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.pipeline.stages.rules import TEXT_COLUMNS
from gristmill.text import TextBatch

TWINS = {"pii": reference.pii, "scripts": reference.scripts, "code": reference.code}
ALL = SignalsSettings(families=list(TWINS))


def measured(rows: list[str | None]) -> list[dict]:
    return measure(pa.array(rows, pa.large_string()), ALL).to_pylist()


def twins(text: str) -> dict:
    return {name: value for twin in TWINS.values() for name, value in twin(text, []).items()}


def spans(text: str) -> list[tuple[int, int, str]]:
    """What the finders find, as positions of characters."""
    starts, ends, kinds = found(TextBatch(pa.array([text], pa.large_string())))
    places = (len(text.encode()[:byte].decode()) for pair in zip(starts, ends, strict=True) for byte in pair)
    return [(start, next(places), KINDS[kind]) for start, kind in zip(places, kinds, strict=True)]


# --- twins -----------------------------------------------------------------------------------------------------------

NUMBERS = (
    "4111 1111 1111 1111", "4111-1111-1111-1111", "378282246310005", "6011000990139424", "4222222222222",
    "GB82WEST12345698765432", "DE89 3704 0044 0532 0130 00", "NO9386011117947", "FR14 2004 1010 0505 0001 3M02 606",
    "+1 (555) 010-9999", "+49/30 901820", "+442079460958", "+12345678", "+123456789012345",
    "8.8.8.8", "10.0.0.1", "1.2.3.4.5", "256.1.1.1", "a.b@c.de", "8.8.8.8@example.com", "me@[1.2.3.4]",
)  # fmt: skip
NEAR = st.lists(st.one_of(st.sampled_from([*NUMBERS, *"0123456789 -+.()/ABGDEé,"])), max_size=30).map("".join)
TAGS = (
    "<b>", "</b>", "<p class=\"a>b\">", "<a href='x'y>", "<a b = \"", "<a b ==\"x>\">", "<!--", "-->", "<!-->", "--",
    "<!", "<!DOCTYPE html>", "<?xml version=\"1.0\"?>", "<script>", "</script>", "<SCRIPT src=x>", "</Script >",
    "<scripts>", "</scripts>", "<style\n>", "</style/", "<style", "</", "< b", "<3", "<", ">", "/>", "&amp;", "&#x27;",
    "&#;", "&a", "&", ";", "&" + "a" * 32 + ";", "&" + "a" * 33 + ";", "=", "\"", "'", "x", " ", "\n", "\x0b", "é",
)  # fmt: skip
MARKUP = st.lists(st.sampled_from(TAGS), max_size=25).map("".join)


@settings(max_examples=300)
@given(rows=st.lists(st.one_of(HOSTILE, NEAR, MARKUP, st.none()), max_size=4))
def test_facts_agree_with_their_twins(rows):
    assert measured(rows) == [dict.fromkeys(twins("")) if row is None else twins(row) for row in rows]


@settings(max_examples=300)
@given(text=st.one_of(NEAR, HOSTILE))
def test_spans_of_personal_data_agree_with_their_twin(text):
    assert spans(text) == reference.pii_spans(text)


@settings(max_examples=300)
@given(text=MARKUP)
def test_what_html_shows_agrees_with_its_twin(text):
    assert measured([text])[0]["visible_character_count"] == reference.visible(text)


@settings(max_examples=100)
@given(rows=st.lists(st.one_of(HOSTILE, st.none()), max_size=5))
def test_the_edit_replaces_what_the_signals_count(rows):
    edit = EditSettings(pii={"types": list(KINDS)})
    layer = catalogue.annotate(pa.array(rows, pa.large_string()), edit).to_pylist()
    for row, edited in zip(measured(rows), layer, strict=True):
        assert [row[f"{kind}_count"] for kind in KINDS] == [edited[f"masked_{kind}_count"] for kind in KINDS]


@pytest.mark.parametrize(
    ("signal", "text", "expected"),
    [
        ("email_count", "a.b@c.de, x@y and é.f@g-h.i", 2),
        ("ip_count", "8.8.8.8 10.0.0.1 1.3.6.1.4.1 8.8.8.8@example.com", 1),
        ("iban_count", "GB82 WEST 1234 5698 7654 32, GB82WEST12345698765433", 1),
        ("card_count", "4111 1111 1111 1111, 4111111111111112", 1),
        ("phone_count", "+44 20 7946 0958, 020 7946 0958, +1234567", 1),
        ("letter_ratio", "aé1 ", 0.5),
        ("digit_ratio", "1٣½Ⅷ", 0.5),
        ("punctuation_ratio", "a.$¿", 0.5),
        ("symbol_ratio", "$🙂ab", 0.5),
        ("white_space_ratio", "a\n\u2003b", 0.5),
        ("cyrillic_letter_ratio", "да! no", 0.5),
        ("kana_letter_ratio", "カー中文", 0.5),
        ("other_letter_ratio", "aաℓ𝔸", 0.75),
        ("script_count", "a да ひカ 𝔸 5", 3),
        ("main_script", "ab да", "Cyrl"),
        ("main_script", "ひカー漢", "Hrkt"),
        ("main_script", "1 + 𝔸", "Zyyy"),
        ("main_script_ratio", "abc д", 0.75),
        ("line_count", "a\r\n\nb", 3),
        ("mean_line_length", "éé\n\na", 1.0),
        ("longest_line_length", "éé\n\na", 2),
        ("alphanumeric_ratio", "a½_-", 0.5),
        ("whitespace_token_count", " a\u2003b-c  d\n", 3),
        ("xml_declaration_count", " <?xml version='1.0'?>", 1),
        ("xml_declaration_count", " " * 87 + "<?xml version=", 0),
        ("xml_declaration_count", "é" * 86 + "<?xml version=", 1),
        ("visible_character_count", "<p id='>'>a &lt; b</p><script>var a;</script><!-- <b> -->", 5),
        ("visible_character_ratio", "a < b", 1.0),
    ],
)
def test_facts_are_as_documented(signal, text, expected):
    assert measured([text])[0][signal] == expected


def test_hostile_texts_take_linear_time():
    size = 1_000_000
    units = ("<", "<!--", "<script>", "</script", "<a b='", "&", "&a", "<a ", '="', "</", "a\n", "<script></scrip")
    measured([(unit * size)[:size] for unit in units])


# --- tables ----------------------------------------------------------------------------------------------------------


def test_kinds_of_characters_are_those_of_unicode_and_each_character_has_one():
    names = {"L": 1, "Nd": 2, "Nl": 3, "No": 3, "P": 4, "S": 5}
    table = tables.kinds()
    for point in range(0x110000):
        category = unicodedata.category(chr(point))
        expected = 6 if chr(point).isspace() else names.get(category, names.get(category[0], 0))
        assert table[point] == expected, hex(point)


def test_scripts_are_those_of_unicode():
    """For what both assign: another version of the regex package may know more characters."""
    found = tables.scripts()
    known = [chr(p) for p in range(0x110000) if unicodedata.category(chr(p)) not in ("Cn", "Cs", "Co")]
    expected = {}
    for name, code in unicode_scripts.codes().items():
        expected |= dict.fromkeys(unicode_scripts.characters(name), code)
    joined = {"Hira": "Hrkt", "Kana": "Hrkt", "Zinh": "Zyyy"}
    wrong = []
    for character in known:
        code = expected[character]
        is_kana = code == "Zyyy" and character.isalpha() and reference.KANA.match(character)
        wanted = "Hrkt" if is_kana else joined.get(code, code)
        if found.codes[found.table[ord(character)]] != wanted:
            wrong.append(character)
    assert wrong == []
    assert list(found.codes) == ["Zyyy", *sorted(found.codes[1:])]
    assert found.codes[found.table[0x378]] == "Zyyy"  # unassigned


def test_a_text_column_is_bounded_by_texts():
    assert {name for name, signal in SIGNALS.items() if pa.types.is_string(signal.type)} <= TEXT_COLUMNS
    rules = rules_of(FilterSettings(house={"main_script": {"in": ["Latn", "Cyrl"]}}))
    values = measure(pa.array(["abc", "абв", "αβγ", None]), ALL)
    assert evaluate(rules, values, 4).column("reasons").to_pylist() == [[], [], ["house.main_script.in"], []]


# --- real texts, and peers -------------------------------------------------------------------------------------------


@pytest.mark.data
def test_facts_of_real_texts_agree_with_their_twins(data):
    rows = real_texts(data)[::5]
    found = measured(rows)
    assert found == [twins(row) for row in rows]
    assert len({row["main_script"] for row in found}) >= 15
    assert sum(row["email_count"] > 0 for row in found) >= 10


@pytest.mark.data
def test_email_and_ip_addresses_of_real_texts_are_datatroves(data):
    """As many, at the same places; ``object_identifiers`` names what is no address here."""
    rows = [row for row in real_texts(data) if not is_part_of_more(row)]
    counted = Counter()
    for row, values in zip(rows, measured(rows), strict=True):
        theirs = PIIFormatter(email_replacement="\ue000", ip_replacement="\ue001").format(row)
        assert (values["email_count"], values["ip_count"]) == (theirs.count("\ue000"), theirs.count("\ue001")), row
        ours = iter(spans(row))
        kept, done = [], 0
        for start, end, kind in ours:
            if kind in ("email", "ip"):
                kept += [row[done:start], {"email": "\ue000", "ip": "\ue001"}[kind]]
                done = end
        assert "".join([*kept, row[done:]]) == theirs
        counted.update(email=values["email_count"], ip=values["ip_count"])
    assert counted["email"] >= 100, counted
    assert counted["ip"] >= 1, counted


def bigcode(html: str) -> int:
    """The visible characters as BigCode's filter counts them."""
    soup = BeautifulSoup(html, features="html.parser")
    for element in soup(["script", "style"]):
        element.extract()
    return len(soup.get_text())


@pytest.mark.data
@pytest.mark.filterwarnings("ignore::bs4.XMLParsedAsHTMLWarning", "ignore::bs4.MarkupResemblesLocatorWarning")
def test_what_real_pages_show_is_what_bigcode_counts(data):
    """The same verdict on each page; the same count but where markup is broken, or a reference has no semicolon."""
    pages = []
    for path in sorted((data / "gold").glob("*.jsonl.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as file:
            pages += [json.loads(line)["html"] for line in list(file)[::10]]
    pages = [page for page in pages if page and len(page) < 300_000]
    column = pa.array(pages, pa.large_string())
    same = 0
    for page, ours in zip(pages, visible_characters(TextBatch(column)).tolist(), strict=True):
        theirs = bigcode(page)
        same += ours == theirs
        assert (ours / len(page) > 0.2 and ours > 100) == (theirs / len(page) > 0.2 and theirs > 100)
    assert len(pages) >= 100
    assert same >= 0.9 * len(pages)
