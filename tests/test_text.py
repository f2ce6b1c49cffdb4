"""Segmentation: every kernel agrees with its slow twin, and words are what the documentation says."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
import regex
from datatrove.utils.text import PUNCTUATION_SET
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import break_class, character_class, is_punctuation, unicode_words, words_of
from strategies import text_columns, texts

from gristmill import characters
from gristmill.text import ALNUM_FIRST, HAS_ALPHA, HAS_TEXT, WORDS, Spans, TextBatch

ALL = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]


def batch(*rows: str | None, words: str = "unicode") -> TextBatch:
    return TextBatch(pa.array(rows, pa.large_string()), words)


def pieces(found: TextBatch, spans: Spans) -> list[list[str]]:
    """The text of each span, row by row."""
    flat = [found.data[start:end].tobytes().decode() for start, end in zip(spans.starts, spans.ends, strict=True)]
    return [flat[a:b] for a, b in zip(spans.counts[:-1], spans.counts[1:], strict=True)]


def rows_of(column: pa.Array) -> list[str]:
    return [row or "" for row in column.to_pylist()]


# --- the tables ------------------------------------------------------------------------------------------------------


def test_the_classes_of_every_character_are_those_of_python_and_datatrove():
    punctuation = frozenset(PUNCTUATION_SET)
    table = characters.character_classes() & ~np.uint8(characters.ALONE)
    wrong = [hex(ord(c)) for c in ALL if table[ord(c)] != character_class(c, punctuation)]
    assert wrong == []


def test_two_characters_beyond_ascii_have_a_lower_case_in_it():
    """The search for phrases takes other ways for the kelvin sign, and takes the dotted capital I for no letter."""
    points = np.flatnonzero(characters.lower_case() < 0x80)
    assert [point for point in points.tolist() if point >= 0x80] == [0x130, 0x212A]


def test_words_are_found_by_line():
    batch = TextBatch(pa.array(["a b\n\nc d e\r\n", None, "", "\nf"]))
    assert batch.line_words.tolist() == [0, 2, 2, 5, 5, 6]
    assert batch.words.counts.tolist() == [0, 5, 5, 5, 6]


def test_lower_case_is_that_of_python_but_for_one_character():
    table = characters.lower_case()
    assert [c for c in ALL if chr(table[ord(c)]) != c.lower()] == ["İ"]
    assert chr(table[ord("İ")]) == "i"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (characters.LETTER, "ALetter"),
        (characters.HEBREW, "Hebrew_Letter"),
        (characters.NUMBER, "Numeric"),
        (characters.JOINER, "ExtendNumLet"),
        (characters.MID_LETTER, "MidLetter"),
    ],
)
def test_break_classes_are_those_of_uax_29(ours, theirs):
    """As the regex package has them, for what both know; the tailorings are named."""
    tailored = {
        *"\u202f",  # white space
        *":",  # joins digits, not letters
        *"\u3005\u303b\U00016fe0\U00016fe1\U00016fe3",  # iteration marks of ideographs stand alone
        *"\u00b8",  # the cedilla is a symbol to general categories
    }
    matches = regex.compile(rf"\p{{Word_Break={theirs}}}").match
    known = [c for c in ALL if unicodedata.category(c) != "Cn" and c not in tailored]
    assert [c for c in known if bool(matches(c)) != (break_class(c) == ours)] == []


def test_letters_that_stand_alone_are_those_of_scripts_without_spaces():
    table = characters.character_classes()
    alone = [c for c in ALL if table[ord(c)] & characters.ALONE]
    scripts = {unicodedata.name(c, "unnamed").split()[0] for c in alone}
    assert {"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "HALFWIDTH"} <= scripts
    assert not scripts & {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "HANGUL", "DEVANAGARI"}
    assert all(break_class(c) == characters.SINGLE for c in alone if not regex.match(r"\p{WB=Extend}", c))


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, world!", ["Hello", ",", "world", "!"]),
        ("don't can’t rock'n'roll 'quoted'", ["don't", "can’t", "rock'n'roll", "'", "quoted", "'"]),
        ("3.14, 1,000 and 12:30", ["3.14", ",", "1,000", "and", "12:30"]),
        ("Note:see 24/7 and/or 4x4", ["Note", ":", "see", "24/7", "and", "/", "or", "4x4"]),
        ("snake_case well-known", ["snake_case", "well", "-", "known"]),
        ("...</p> #tag", ["...</", "p", ">", "#", "tag"]),
        ("東京タワー、カタカナ", ["東", "京", "タ", "ワ", "ー", "、", "カ", "タ", "カ", "ナ"]),
        ("한국어 조선", ["한국어", "조선"]),
        ("สวัสดี", ["ส", "วั", "ส", "ดี"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ('צה"ל', ['צה"ל']),
        ("a\u0301e\u00ado \ufefff", ["a\u0301e\u00ado", "f"]),
        ("zero\u200bwidth no\u00a0break", ["zero", "width", "no", "break"]),
        ("\u0301a", ["\u0301", "a"]),
        ("😀😀 ok👍", ["😀😀", "ok", "👍"]),
        ("", []),
        (" \n\t", []),
    ],
)
def test_unicode_words_are_as_documented(text, expected):
    assert unicode_words(text) == expected
    assert len(batch(text).words.hashes) == len(expected)


@given(st.text(alphabet="abcßжन123 _.,-", max_size=30))
def test_letters_and_digits_are_joined_as_the_regex_package_joins_them(text):
    """Its ``\\b`` under WORD is UAX 29's, but for apostrophes; runs of symbols, one word here, are left out."""
    theirs = [piece for piece in regex.split(r"(?V1w)\b", text) if any(c.isalnum() or c == "_" for c in piece)]
    assert [word for word in unicode_words(text) if any(c.isalnum() or c == "_" for c in word)] == theirs


@pytest.mark.parametrize("words", list(WORDS))
@settings(max_examples=150)
@given(column=text_columns())
def test_words_agree_with_their_twin(words, column):
    found = TextBatch(column[1], words).words
    expected = [words_of(row, words) for row in rows_of(column[1])]
    flat = [word for row in expected for word in row]
    assert np.diff(found.counts).tolist() == [len(row) for row in expected]
    assert found.lengths.tolist() == [len(word) for word in flat]
    assert [bool(f & HAS_ALPHA) for f in found.flags] == [any(c.isalpha() for c in word) for word in flat]
    assert [bool(f & HAS_TEXT) for f in found.flags] == [not all(map(is_punctuation, word)) for word in flat]
    assert [bool(f & ALNUM_FIRST) for f in found.flags] == [word[0].isalnum() for word in flat]


@pytest.mark.parametrize("words", list(WORDS))
@settings(max_examples=100)
@given(column=text_columns())
def test_words_have_equal_hashes_exactly_if_they_are_equal(words, column):
    hashes = TextBatch(column[1], words).words.hashes.tolist()
    flat = [word for row in rows_of(column[1]) for word in words_of(row, words)]
    assert len(set(zip(flat, hashes, strict=True))) == len(set(flat)) == len(set(hashes))


@pytest.mark.parametrize("words", list(WORDS))
def test_characters_that_are_zero_count_in_hashes(words):
    assert len(set(batch("a \0a \0\0a", words=words).words.hashes.tolist())) == len({*words_of("a \0a \0\0a", words)})


def test_hashes_of_short_words_do_not_collide_and_use_all_bits():
    words = [a + b + c for a in "abcdefghijklmnopqrstuvwxyz0123456789" for b in "aeiou中é🙂" for c in "xyzß0"]
    hashes = batch(" ".join(words), words="whitespace").words.hashes
    assert len(np.unique(hashes)) == len(words)
    bits = np.unpackbits(hashes.view(np.uint8)).reshape(len(words), 64).mean(axis=0)
    assert (abs(bits - 0.5) < 0.1).all()


@settings(max_examples=100)
@given(texts())
def test_words_hold_every_visible_character_once(text):
    dropped = (characters.BLANK, characters.FORMAT)
    assert "".join(c for word in unicode_words(text) for c in word if break_class(c) not in dropped) == "".join(
        c for c in text if break_class(c) not in dropped
    )


# --- lines and paragraphs --------------------------------------------------------------------------------------------


@settings(max_examples=150)
@given(text_columns())
def test_lines_agree_with_splitlines(column):
    found = TextBatch(column[1])
    assert pieces(found, found.lines) == [row.splitlines() for row in rows_of(column[1])]


@settings(max_examples=150)
@given(text_columns())
def test_feed_lines_agree_with_re_split(column):
    found = TextBatch(column[1])
    assert pieces(found, found.feed_lines) == [re.split(r"\n+", row) for row in rows_of(column[1])]


@settings(max_examples=150)
@given(text_columns())
def test_feed_paragraphs_agree_with_re_split(column):
    found = TextBatch(column[1])
    assert pieces(found, found.feed_paragraphs) == [re.split(r"\n{2,}", row.strip()) for row in rows_of(column[1])]


@given(text_columns())
def test_characters_are_code_points(column):
    assert TextBatch(column[1]).characters.tolist() == [len(row) for row in rows_of(column[1])]


# --- the batch -------------------------------------------------------------------------------------------------------


def test_a_null_looks_empty_and_is_told_apart():
    found = batch("a", None, "")
    assert found.valid.tolist() == [True, False, True]
    assert np.diff(found.words.counts).tolist() == [1, 0, 0]


def test_a_scan_is_computed_once():
    calls = []
    found = batch("a b")

    def words(b: TextBatch) -> int:
        calls.append(b)
        return len(b.words.hashes)

    assert [found.scan(words), found.scan(words)] == [2, 2]
    assert calls == [found]


def test_unknown_words_are_refused():
    with pytest.raises(ValueError, match="unknown words 'spacey'; expected one of unicode, whitespace, spacy"):
        batch("a", words="spacey")


def test_bytes_that_are_not_utf_8_are_refused():
    broken = pa.array([b"abc\xf0\x9f"], pa.binary()).view(pa.string())
    with pytest.raises(pa.ArrowInvalid, match="UTF8"):
        TextBatch(broken)


def test_no_rows_and_only_empty_rows():
    assert batch().words.counts.tolist() == [0]
    assert batch("", "").lines.counts.tolist() == [0, 0, 0]
    assert batch("", "").feed_lines.counts.tolist() == [0, 1, 2]
