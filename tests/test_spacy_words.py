"""spaCy's words: exactly those that datatrove asks spaCy for, whatever was looked up before."""

from __future__ import annotations

import pyarrow as pa
import pytest
from datatrove.utils.word_tokenizers import load_word_tokenizer
from hypothesis import given, settings
from hypothesis import strategies as st
from real_texts import real_texts
from reference import words_of
from strategies import text_lists, texts

from gristmill.spacy_words import tokenizer
from gristmill.spacy_words.tokenizer import LONGEST_CHUNK, SpacyTokenizer
from gristmill.text import CLOSES, ENDS, GAP, TextBatch, Words


def found(*rows: str | None) -> Words:
    return TextBatch(pa.array(rows, pa.large_string()), "spacy").words


def hashes_of(words: list[str]) -> list[int]:
    """The hashes of words, each seen as a text of its own."""
    return TextBatch(pa.array(words, pa.large_string()), "whitespace").words.hashes.tolist()


def wrong(rows: list[str]) -> list[str]:
    """The texts whose words are not those of datatrove."""
    words = found(*rows)
    ours = [words.hashes[a:b].tolist() for a, b in zip(words.counts[:-1], words.counts[1:], strict=True)]
    return [row for row, hashes in zip(rows, ours, strict=True) if row and hashes != hashes_of(words_of(row, "spacy"))]


EMOTICONS = st.text(alphabet=":;()'-8DPx.<3\\/|_*^ an\n\u00a0", max_size=25)
ENGLISH = ("can't", "cannot", "gonna", "I'm", "a.m.", "5pm", "$5,000.00", "e.g.", "U.S.", "http://a.b/c?d=e", "x@y.com")
PLAIN = st.tuples(
    st.sampled_from(["word", "Mr", "cannot", "e.g", "ÉTÉ", "eté", "Straße", "日本", "US", "xD"]),
    st.sampled_from(".,:;!?)"),
)
PHRASES = st.lists(st.sampled_from([*ENGLISH, " ", "  ", "\n", "(", ")", "...", '"', "'", "-", ",", "can", "not"]))


@settings(max_examples=400)
@given(
    st.lists(st.one_of(texts(), EMOTICONS, PLAIN.map("".join), PHRASES.map("".join), PHRASES.map(" ".join)), max_size=6)
)
def test_words_of_hostile_text_are_those_of_datatrove(rows):
    assert wrong(rows) == []


@pytest.mark.data
def test_words_of_real_texts_are_those_of_datatrove(data):
    rows = [row for row in real_texts(data) if len(row) < 5_000 and max(map(len, row.split())) <= LONGEST_CHUNK]
    assert len(rows) >= 5_000
    assert wrong(rows) == []


@settings(max_examples=10)
@given(text_lists())
def test_what_was_looked_up_before_does_not_show(rows):
    fresh = SpacyTokenizer().words(*_arrays(rows))
    known = tokenizer.tokenizer().words(*_arrays(rows))
    assert [array.tolist() for array in fresh] == [array.tolist() for array in known]


def test_the_table_grows_and_is_emptied(monkeypatch):
    """More chunks than it has slots at first, then more than it may keep."""
    rows = [" ".join(f"word{i}'s" for i in range(9_000)), "don't word7's"]
    small = SpacyTokenizer()
    monkeypatch.setattr(tokenizer, "_KEPT_CHUNKS", 100)
    for _ in range(2):
        assert small.words(*_arrays(rows))[0].tolist() == [0, 18_000, 18_004]
        assert small._chunks == 0


def test_a_long_chunk_is_cut():
    assert found("a" * (2 * LONGEST_CHUNK + 1) + " b").lengths.tolist() == [LONGEST_CHUNK, LONGEST_CHUNK, 1, 1]


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


def _arrays(rows: list[str | None]) -> tuple:
    batch = TextBatch(pa.array(rows, pa.large_string()))
    return batch.data, batch.offsets
