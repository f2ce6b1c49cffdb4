"""datatrove's own filter and formatters, run on the same texts as the edits: same verdict, same text.

Every intended difference is listed in ``DIFFERENCES`` of ``gristmill.filters.edits.catalogue`` and shown here by name.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import datatrove_golden as golden
import pyarrow as pa
import pytest
import reference_edits as reference
from datatrove.data import Document
from datatrove.pipeline.filters import c4_filters
from datatrove.pipeline.filters.c4_filters import C4QualityFilter
from datatrove.pipeline.formatters import FTFYFormatter, PIIFormatter, SymbolLinesFormatter
from hypothesis import given, settings
from hypothesis import strategies as st
from real_texts import fewer_texts, real_texts
from reference_lines import sentences as sentences_of_words
from test_edits import HOSTILE

from gristmill.filters.edits import catalogue
from gristmill.filters.edits.settings import EditSettings
from gristmill.filters.rules.evaluate import evaluate
from gristmill.filters.signals.families import measure
from gristmill.filters.signals.settings import SignalsSettings

REASONS = {
    "lorem_ipsum": "edit.c4_lines.lorem_ipsum_line_count.max",
    "curly_bracket": "edit.c4_lines.curly_bracket_line_count.max",
    "too_few_sentences": "edit.c4_lines.kept_sentence_count.min",
}
EMAIL, IP = "email@example.com", "22.214.171.124"


@functools.cache
def split_as_ours(text: str, language: str = "en") -> list[str]:
    """As many sentences as we count: each set of options asks for those of the same lines."""
    return ["a sentence"] * sentences_of_words(text, "unicode")


@contextmanager
def our_sentences() -> Iterator[None]:
    """Give datatrove's filter as many sentences as we count, of whatever line it asks for."""

    with mock.patch.object(c4_filters, "split_into_sentences", split_as_ours):
        yield


def theirs(text: str, **options) -> tuple[str | None, str]:
    """The reason for which datatrove's C4 drops a text, in our names, and the text that it makes of it otherwise."""
    document = Document(text=text, id="0")
    with our_sentences():
        verdict = C4QualityFilter(**options).filter(document)
    return (None, document.text) if verdict is True else (REASONS[verdict[1]], "")


def ours(rows: list[str], **given) -> list[tuple[list[str], str]]:
    """The reasons for which each text is dropped, and what is left of it."""
    edit = EditSettings(**given)
    column = pa.array(rows, pa.large_string())
    layer = catalogue.annotate(column, edit)
    reasons = evaluate(catalogue.rules_of(edit), layer, len(rows)).column("reasons").to_pylist()
    return list(zip(reasons, catalogue.make(column, edit).texts.to_pylist(), strict=True))


def joins_words(text: str) -> bool:
    """Whether datatrove would join two words where a citation stood (``citation_between_words``)."""
    return reference.CITATIONS.sub("", text) != reference.citations(text)


def c4_disagreements(rows: list[str], given: dict, options: dict) -> list[tuple]:
    found = []
    rows = [row for row in rows if not joins_words(row)]
    for row, (reasons, text) in zip(rows, ours(rows, c4_lines=given), strict=True):
        reason, expected = theirs(row, **options)
        if reason is None:
            empty = ["edit.c4_lines.text_bytes.min"] if not expected else []
            right = text == expected and reasons == empty
        else:
            right = reason in reasons
        found += [] if right else [(row, reasons, text, reason, expected)]
    return found


OPTIONS = {
    "c4": ({}, {}),
    "fineweb": ({"terminal_punctuation": False}, {"filter_no_terminal_punct": False}),
    "loose": (
        {"fewest_words": 0, "longest_word": None, "citations": False, "javascript": False, "policy": False},
        {"min_words_per_line": -1, "max_word_length": -1, "remove_citations": False, "filter_javascript": False}
        | {"filter_policy": False},
    ),
}  # fmt: skip
LINES = st.lists(HOSTILE.map(lambda text: text + "One more sentence stands here. And one."), max_size=6).map("\n".join)


@pytest.mark.parametrize("name", list(OPTIONS))
@settings(max_examples=150)
@given(rows=st.lists(st.one_of(HOSTILE, LINES), max_size=4))
def test_c4_lines_are_datatroves(name, rows):
    assert c4_disagreements(rows, *OPTIONS[name]) == []


@settings(max_examples=200)
@given(rows=st.lists(HOSTILE, max_size=4), replacement=st.sampled_from(["", "\n", "~~"]))
def test_symbol_lines_are_datatroves(rows, replacement):
    formatter = SymbolLinesFormatter(replace_char=replacement)
    found = [text for _, text in ours(rows, symbol_lines={"replacement": replacement})]
    assert found == [formatter.format(row) for row in rows]


@settings(max_examples=200)
@given(rows=st.lists(HOSTILE, max_size=4))
def test_repaired_text_is_datatroves(rows):
    formatter = FTFYFormatter()
    assert [text for _, text in ours(rows, unicode={})] == [formatter.format(row) for row in rows]


@settings(max_examples=200)
@given(rows=st.lists(HOSTILE, max_size=4))
def test_email_addresses_are_datatroves(rows):
    formatter = PIIFormatter(remove_ips=False, email_replacement=EMAIL)
    assert [text for _, text in ours(rows, pii={"types": ["email"]})] == [formatter.format(row) for row in rows]


EMAIL_LIKE = st.text(alphabet="ab.-_@[]1:é +", max_size=30)


@settings(max_examples=400)
@given(rows=st.lists(EMAIL_LIKE, max_size=6))
def test_what_looks_like_an_email_address_is_datatroves(rows):
    formatter = PIIFormatter(remove_ips=False, email_replacement=EMAIL)
    assert [text for _, text in ours(rows, pii={"types": ["email"]})] == [formatter.format(row) for row in rows]


@functools.cache
def dotted() -> re.Pattern[str]:
    return re.compile(r"[0-9]+(?:\.[0-9]+)+")


def is_part_of_more(text: str) -> bool:
    """Whether a number with dots is no address but has what looks like one in it (``object_identifiers``)."""
    return any(re.search(r"\d\.\d+\.\d+\.\d", m[0]) and not reference.is_public(m[0]) for m in dotted().finditer(text))


@settings(max_examples=200)
@given(rows=st.lists(st.text(alphabet="0123456789. ab", max_size=40), max_size=4))
def test_ip_addresses_are_datatroves(rows):
    rows = [row for row in rows if not is_part_of_more(row)]
    formatter = PIIFormatter(remove_emails=False, ip_replacement=IP)
    assert [text for _, text in ours(rows, pii={"types": ["ip"]})] == [formatter.format(row) for row in rows]


# --- real texts ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(data) -> list[str]:
    """All real texts, however long."""
    rows = list(dict.fromkeys(real_texts(data, longest=None)))
    assert len(rows) >= 5_000
    return rows


@pytest.mark.data
def test_real_texts_are_left_as_c4_leaves_them(real):
    """Untouched datatrove, which counts spaCy's sentences, by its kept verdicts: ``sentences`` is all that differs."""
    known = golden.kept_verdicts(real)
    theirs_first = [REASONS.get(reason) for reason in known[golden.column("c4", "spacy")]]
    found = ours(real, c4_lines={})
    left = [golden.digest(text) for _, text in found]
    pairs = zip(known[golden.C4_TEXT], left, real, strict=True)
    assert [row for expected, digest, row in pairs if expected not in (None, digest)] == []
    first = [next(iter(reasons), None) for reasons, _ in found]
    other = [row for row, pair in enumerate(zip(first, theirs_first, strict=True)) if len(set(pair)) > 1]
    assert [theirs(real[row])[0] for row in other] == [first[row] for row in other]
    print(f"{len(real)} texts, {theirs_first.count(None)} kept; {len(other)} differ by the count of sentences")
    assert theirs_first.count(None) >= 500
    assert len(other) < len(real) / 80


@pytest.mark.parametrize("name", ["fineweb", "loose"])
@pytest.mark.data
def test_real_texts_are_left_as_c4_leaves_them_with_other_options(name, real):
    rows = fewer_texts(real)
    assert len(rows) >= 5_000
    assert not any(map(joins_words, rows))
    assert c4_disagreements(rows, *OPTIONS[name]) == []


@pytest.mark.data
def test_real_texts_are_masked_as_datatrove_masks_them(real):
    """With one replacement for each type; then untouched, where its replacements in turn are all that differs."""
    found = [text for _, text in ours(real, pii={})]
    formatter = PIIFormatter(email_replacement=EMAIL, ip_replacement=IP)
    assert found == [formatter.format(row) for row in real]
    untouched = PIIFormatter()
    in_turn = [untouched.format(row) for row in real]
    assert found == [once_each(text, untouched) for text in in_turn]
    print(
        f"{len(real)} texts, {sum(map(str.__ne__, found, real))} masked; {sum(map(str.__ne__, found, in_turn))} in turn"
    )
    assert sum(map(str.__ne__, found, in_turn)) >= 50


def once_each(text: str, formatter: PIIFormatter) -> str:
    """A text that datatrove masked, with the first replacement of each type in place of the others."""
    for replacer, first in ((formatter.emails_replacer, EMAIL), (formatter.ip_replacer, IP)):
        assert replacer.replacements[0] == first
        for other in replacer.replacements[1:]:
            text = text.replace(other, first)
    return text


@pytest.mark.data
def test_real_texts_are_repaired_and_freed_of_symbols_as_in_datatrove(real):
    for given_, other in (({"unicode": {}}, FTFYFormatter()), ({"symbol_lines": {}}, SymbolLinesFormatter())):
        assert [text for _, text in ours(real, **given_)] == [other.format(row) for row in real]


def sentence_counts(rows: list[str]) -> tuple[list[int], list[int]]:
    """The sentences of the lines that C4 keeps, as the edit and as the signal counts them."""
    column = pa.array(rows, pa.large_string())
    edit = catalogue.annotate(column, EditSettings(c4_lines={})).column("kept_sentence_count").to_pylist()
    return edit, measure(column, SignalsSettings(families=["c4"])).column("c4_sentence_count").to_pylist()


@settings(max_examples=200)
@given(rows=st.lists(st.one_of(HOSTILE, LINES), max_size=4))
def test_edit_and_signal_count_the_same_sentences(rows):
    edit, signal = sentence_counts([row for row in rows if not joins_words(row)])
    assert edit == signal


@pytest.mark.data
def test_edit_and_signal_count_the_same_sentences_of_real_texts(real):
    edit, signal = sentence_counts(real)
    assert [row for row, a, b in zip(real, edit, signal, strict=True) if a != b] == []
    assert sum(edit) > 50_000


# --- the differences, each by its name -------------------------------------------------------------------------------


def citation_between_words():
    line = "It is a wanted[1]store for all of us. "
    assert theirs(line * 5)[1].startswith("It is a wantedstore")
    assert ours([line * 5], c4_lines={})[0][1].startswith("It is a wanted store")


def sentences():
    text = "We live in the U.S. now today. " * 3
    _, reason = C4QualityFilter().filter(Document(text=text, id="0"))
    assert reason == "too_few_sentences"
    assert theirs(text)[0] is None
    assert ours([text], c4_lines={})[0][0] == []


def all_reasons():
    text = "Lorem ipsum is here.\nA { is here too."
    assert theirs(text)[0] == "edit.c4_lines.lorem_ipsum_line_count.max"
    assert ours([text], c4_lines={})[0][0] == list(REASONS.values())


def empty_page():
    assert theirs("no end", min_num_sentences=-1) == (None, "")
    ((reasons, _),) = ours(["no end"], c4_lines={}, keep={"kept_sentence_count": {"min": None}})
    assert reasons == ["edit.c4_lines.text_bytes.min"]


def object_identifiers():
    text = "the OID 1.3.6.1.4.1.311 and version 10.8.8.8.8, 1234.5.6.7, 8.8.8.256"
    assert PIIFormatter(ip_replacement=IP).format(text) != text
    assert ours([text], pii={})[0][1] == text


def one_replacement():
    formatter = PIIFormatter()
    assert formatter.format("a@b.de c@d.de") == "email@example.com firstname.lastname@example.org"
    assert formatter.format("a@b.de") == "email@example.com"
    assert ours(["a@b.de c@d.de"], pii={})[0][1] == "email@example.com email@example.com"


SHOWN = (citation_between_words, sentences, all_reasons, empty_page, object_identifiers, one_replacement)


@pytest.mark.parametrize("shown", SHOWN, ids=lambda f: f.__name__)
def test_a_difference_is_as_its_name_says(shown):
    shown()


def test_every_difference_is_shown():
    assert [f.__name__ for f in SHOWN] == list(catalogue.DIFFERENCES)


def test_the_docs_name_every_edit():
    page = (Path(__file__).resolve().parents[1] / "docs" / "edits.md").read_text(encoding="utf-8")
    assert all(f"\n## {name}\n" in page for name in catalogue.EDITS)
