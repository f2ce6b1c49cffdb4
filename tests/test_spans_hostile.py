"""What kinds that cut spans leave of hostile texts, on whole runs, is what their slow twins say, byte for byte."""

from __future__ import annotations

import random

import pytest
import reference_dedup_lines as lines_twin
import reference_substrings as words_twin
from corpora import Document, carry_out, make_run
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import unicode_words
from test_dedup_substrings import left

from gristmill.pipeline.audit import audit

PIECES = (
    "😀 👩\u200d👩\u200d👧 e\u0301 é", "a\r", "b\r\nb", "\0 nul", "สวัสดีชาวโลก", "中文字 ab", "x", "", " ",
    "\u2028y\u2029", "no\u00a0break soft\u00adhyphen", "\u0301 stray", "wanted(the sale)store", "१२ 3.5 don't",
    "\ufeffz \x85 \x1c!",
)  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES), max_size=9).flatmap(
    lambda pieces: st.sampled_from(["\n", "\r\n", " ", "\n\n"]).map(lambda between: between.join(pieces))
)
CORPORA = st.lists(st.one_of(TEXT, TEXT.map(lambda text: f"{text} {text}\n{text}")), min_size=1, max_size=7).map(
    lambda texts: [Document(f"d/{i}", text, day=i % 3) for i, text in enumerate(texts)]
)
LAWS = {
    "documents": CORPORA,
    "seed": st.integers(0, 99),
    "names": st.sampled_from(["a", "abc"]),
}
SIGNALS = "  - signals: {families: [gopher_quality]}\n"


def left_of(folder, documents, stage, seed, names):
    """The texts that a run over shuffled documents leaves, by id; its laws hold."""
    chance, shards = random.Random(seed), {name: [] for name in names}
    for document in chance.sample(documents, len(documents)):
        shards[chance.choice(names)].append(document)
    run = carry_out(make_run(folder, shards, f"  - dedup: {{{stage}}}\n{SIGNALS}"), reverse=bool(seed % 2))
    assert [finding.broken for finding in audit(run)] == [[]] * 7
    return left(run)


@settings(max_examples=8)
@given(n=st.integers(4, 6), **LAWS)
def test_substrings_leave_all_other_words_and_join_none(tmp_path_factory, documents, seed, names, n):
    found = left_of(tmp_path_factory.mktemp("words"), documents, f"substrings: {{tokens: {n}}}", seed, names)
    ordered = sorted(documents, key=lambda d: (d.day, d.id))
    words = [unicode_words(d.text) for d in ordered]
    for document, mine, windows in zip(ordered, words, words_twin.repeated_windows(words, n), strict=True):
        gone = words_twin.cut_words(windows, n)
        assert unicode_words(found[document.id]) == [word for i, word in enumerate(mine) if i not in gone]
        assert gone or found[document.id] == document.text


@pytest.mark.parametrize("span", [1, 2])
@settings(max_examples=4)
@given(**LAWS)
def test_lines_are_cut_as_the_twin_cuts_them(tmp_path_factory, documents, seed, names, span):
    stage = f"lines: {{equal: text, span: {span}}}"
    found = left_of(tmp_path_factory.mktemp("lines"), documents, stage, seed, names)
    units = {d.id: lines_twin.units(d.text, "line", "text") for d in documents}
    forms = {i: [form for *_, form in of] for i, of in units.items()}
    keyed = [
        (d.day, d.id, ["\0\n".join(forms[d.id][k : k + span]) for k in range(len(forms[d.id]) - span + 1)])
        for d in documents
    ]
    repeated = lines_twin.repeated(keyed, 1, "first")
    for d in documents:
        gone = {place + k for i, place in repeated if i == d.id for k in range(span)}
        assert found[d.id] == lines_twin.cut(d.text, [unit[:2] for unit in units[d.id]], gone)


def split_lines(text):
    """Start and end of each line of `str.splitlines`, without what ends it."""
    spans, at = [], 0
    for line in text.splitlines(keepends=True):
        spans.append((at, at + len(line.splitlines()[0])))
        at += len(line)
    return spans


@settings(max_examples=6)
@given(**LAWS)
def test_paragraphs_are_cut_as_the_twin_cuts_them(tmp_path_factory, documents, seed, names):
    stage = "paragraphs: {ngram: 2, fewest_words: 2, most_seen: 0.5}"
    found = left_of(tmp_path_factory.mktemp("paragraphs"), documents, stage, seed, names)
    spans = {d.id: split_lines(d.text) for d in documents}
    ngrams = {d.id: [lines_twin.ngrams(d.text[a:b], 2, 2) for a, b in spans[d.id]] for d in documents}
    seen = lines_twin.seen([(d.day, d.id, ngrams[d.id]) for d in documents])
    for d in documents:
        shares = [seen[d.id, place] / max(1, len(of)) for place, of in enumerate(ngrams[d.id])]
        gone = {place for place, share in enumerate(shares) if share > 0.5}
        assert found[d.id] == lines_twin.cut(d.text, spans[d.id], gone)


def test_a_line_over_and_over_stays_once_and_copies_of_copies_all_go(tmp_path):
    """Windows that overlap themselves, three copies, and a copy across what another cut leaves."""
    line = " ".join(f"w{k}" for k in range(10))
    block = " ".join(f"b{k}" for k in range(20))
    documents = [
        Document("d/0", "\n".join([line] * 30), day=0),
        Document("d/1", f"{block}\nend", day=1),
        Document("d/2", f"start {block}", day=2),
        Document("d/3", f"{block} {block}", day=3),
        Document("d/4", "na " * 500 + "batman", day=4),
    ]
    found = left_of(tmp_path, documents, "substrings: {tokens: 20}", 0, "abc")
    assert found == {
        "d/0": line,
        "d/1": documents[1].text,
        "d/2": "start",
        "d/3": "",
        "d/4": "na batman",
    }
