"""spaCy's words: exactly those that datatrove asks spaCy for."""

from __future__ import annotations

from itertools import product

import numpy as np
import pyarrow as pa
import pytest
import spacy
from datatrove.utils.word_tokenizers import load_word_tokenizer
from hypothesis import given, settings
from hypothesis import strategies as st
from real_texts import fewer_texts, real_texts
from reference import words_of
from strategies import texts

from gristmill.errors import MissingError
from gristmill.spacy_words import rules, tokenizer
from gristmill.text import CLOSES, ENDS, GAP, SPACED, TextBatch, Words

SPACY = spacy.blank("en").tokenizer
LONGEST = 5_000  # characters without white space that spaCy is given here: its time grows with their square


def found(*rows: str | None) -> Words:
    return TextBatch(pa.array(rows, pa.large_string()), "spacy").words


def wrong(rows: list[str]) -> list[str]:
    """The texts whose words are not those of datatrove."""
    ours = found(*rows)
    theirs = TextBatch(pa.array([" ".join(words_of(row, "spacy")) for row in rows], pa.large_string()), "whitespace")
    return [row for i, row in enumerate(rows) if words_at(ours, i) != words_at(theirs.words, i)]


def words_at(words: Words, row: int) -> list[tuple[int, int]]:
    """The hashes and lengths of a row's words."""
    span = slice(words.counts[row], words.counts[row + 1])
    return list(zip(words.hashes[span].tolist(), words.lengths[span].tolist(), strict=True))


EMOTICONS = st.text(alphabet=":;()'-8DPx.<3\\/|_*^ an\n\u00a0=[]{}oO0>", max_size=25)
ADDRESSES = st.text(alphabet="a.@:/10-29_ x?é中#", max_size=16)
ENGLISH = ("can't", "cannot", "gonna", "I'm", "a.m.", "5pm", "$5,000.00", "e.g.", "U.S.", "http://a.b/c?d=e", "x@y.com")
PARTS = [
    *(
        "http://",
        "www.",
        "a.com",
        "x@y.de",
        "://",
        "km",
        "5",
        "10",
        "192.168.1.1",
        "172.16.0.1",
        "172.2x.1.1",
        "8.8.8.8",
    ),
    *(":80", "/p", "?q", "#f", "..", "...", "……", "…", "'s", "’S", "US$", "C$", "$", "€", "°C", "kg", "m²", "كم"),
    *("--", "---", "——", "255", "254", "256", "-a", "a-", "_a", "x" * 64, "y" * 65, " ", "  "),
    *"+-—–~*^_aBéÉяЯ中ש١²½ツ🙂©|\\@%()[]\"'’`,.;:!?<>=/01\u200b\u0301\U00020000\x1f\n\u00a0",
]
PIECES = st.lists(st.sampled_from([*SPACY.rules, *PARTS]), max_size=9).map("".join)
PLAIN = st.tuples(
    st.sampled_from(["word", "Mr", "cannot", "e.g", "ÉTÉ", "eté", "Straße", "日本", "US", "xD"]),
    st.sampled_from(".,:;!?)"),
)
PHRASES = st.lists(st.sampled_from([*ENGLISH, " ", "  ", "\n", "(", ")", "...", '"', "'", "-", ",", "can", "not"]))


@settings(max_examples=600)
@given(
    st.lists(
        st.one_of(
            texts(), EMOTICONS, ADDRESSES, PIECES, PLAIN.map("".join), PHRASES.map("".join), PHRASES.map(" ".join)
        ),
        max_size=12,
    )
)
def test_words_of_hostile_text_are_those_of_datatrove(rows):
    assert wrong(rows) == []


@pytest.mark.parametrize("before", ["", "5", "a", "É", ".", "°"])
def test_each_character_is_split_as_by_spacy(before):
    """Alone, after each kind of what rules look back at, between letters, and before what they look ahead at."""
    characters = [chr(point) for point in (*range(0x3200), *range(0xA000, 0xB000), *range(0xF900, 0x10000, 3))]
    rows = [f"{before}{c} a{before}{c}b {before}{c}.C" for c in characters if not 0xD800 <= ord(c) < 0xE000]
    assert wrong(rows) == []


def test_each_special_case_is_split_as_by_spacy():
    """Alone, after and before what may join it, and in two parts with a space between."""
    cases = [case for case in SPACY.rules if not case.isspace()]
    around = [*product(("", "(", "x", '"', "3"), ("", ")", ".", "'s", "-y"))]
    assert wrong([f"{a}{case}{b}" for case in cases for a, b in around]) == []
    assert wrong([f"{case[:i]} {case[i:]} {case}{case}" for case in cases for i in range(1, len(case))]) == []


NUMBERS = (
    "0",
    "1",
    "9",
    "10",
    "16",
    "19",
    "2٣",
    "31",
    "32",
    "100",
    "127",
    "168",
    "169",
    "172",
    "192",
    "199",
    "223",
    "224",
)


def test_addresses_are_those_of_spacy():
    """Numbers near every bound of its pattern; hosts, ports, paths, users and schemes in all combinations."""
    numbers = [".".join(parts) for parts in product(NUMBERS, ("0", "16", "168", "255", "٣"), ("5",), NUMBERS)]
    numbers += [".".join(parts) for parts in product(("169", "192", "172"), ("254", "168", *NUMBERS), ("250",), ("1",))]
    hosts = (
        "a.bc",
        "a.b",
        "-a.bc",
        "a_b.co",
        "_a.co",
        "a-.co",
        "é.中中",
        f"{'x' * 64}.com",
        f"{'x' * 65}.com",
        "8.8.4.4",
    )
    parts = (("", "ab://", "a://", "é+.://"), ("", "u@", "u:p@", "@", "u@v@"), hosts, ("", ":8", ":80", ":123456"))
    addresses = ["".join(each) for each in product(*parts, ("", "/x", "?y:z", "#", "!z"))]
    assert wrong(numbers) == []
    assert wrong(addresses) == []


@pytest.mark.data
def test_words_of_real_texts_are_those_of_datatrove(data):
    rows = [row for row in fewer_texts(real_texts(data)) if max(map(len, row.split()), default=0) <= LONGEST]
    assert len(rows) >= 5_000
    assert wrong(rows) == []


@pytest.mark.parametrize("chunk", ["a", "(", "x:)", "1.2", "..", "…", "-a", "a@b.", "'s", "://a", "5km"])
def test_a_long_run_of_anything_is_split_in_one_pass(chunk):
    """A megabyte without white space, of what rules look at, with words that spaCy has in a run that it can take.

    spaCy would take hours; with a compiled loop that went back over the run, so would this test.
    """
    size = 300 // len(chunk)
    assert wrong([chunk * size, f"{chunk * size}."]) == []
    text = chunk * (1_000_000 // len(chunk))
    assert int(found(text).lengths.sum()) == len(text)


def test_nothing_of_a_text_reaches_spacy():
    """A hostile page could spend its time. What is kept of it is arrays and numbers."""

    def leaves(item):
        return [leaf for part in item for leaf in leaves(part)] if isinstance(item, tuple) else [item]

    assert {type(leaf) for leaf in leaves(tokenizer.rules())} == {np.ndarray, int}


def test_special_cases_are_put_together_unless_others_overlap():
    """spaCy looks for the parts of special cases across single spaces, then leaves what has a space in it."""
    assert found("x:)", "x:) )", "x:)  )").lengths.tolist() == [1, 2, 1, 1, 1, 1, 1, 2, 1]


def test_rules_of_another_shape_are_refused(monkeypatch):
    monkeypatch.setattr(rules, "_KNOWN", "0" * 16)
    with pytest.raises(MissingError, match=r"other rules than spaCy 3\.8.*pip install"):
        rules.read_rules()


def test_where_white_space_goes_before():
    flags = found("a b  c\n d.e\n\n", " f (g)").flags
    spaced = [bool(value & SPACED) for value in flags]
    gaps = [bool(value & GAP) for value in flags]
    assert spaced == [True, True, True, True, True, True, False, False]
    assert gaps == [False, False, True, True, True, False, False, False]


@settings(max_examples=200)
@given(st.one_of(PHRASES, st.lists(st.sampled_from(["Hi.", " ", "  ", ")", '"', "\n", "?", "a"]))).map("".join))
def test_sentences_are_those_of_the_sentencizer(text):
    """As gristmill.filters counts them: a sentence goes on past punctuation, and white space may begin one."""
    text = text.strip()
    expected = len(load_word_tokenizer("en").span_tokenize(text)) if text else 0
    count, seen, empty = 0, False, True
    for flags in found(text).flags:
        if empty or (seen and (flags & GAP or not flags & (ENDS | CLOSES))):
            count, seen, empty = count + 1, False, False
        seen = seen or bool(flags & ENDS)
    assert count == expected
