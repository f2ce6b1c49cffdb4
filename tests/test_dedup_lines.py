"""Units of texts, their keys, what of them goes, and what is cut: each against its twin."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import pyarrow as pa
import pytest
import reference_dedup_lines as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import text_columns, texts

from gristmill.characters import character_classes, lower_case
from gristmill.dedup.lines import paragraphs
from gristmill.dedup.lines.cuts import cut_spans, spread
from gristmill.dedup.lines.repeats import repeats, seen
from gristmill.dedup.lines.settings import MEANINGS, LinesSettings, ParagraphsSettings
from gristmill.dedup.lines.units import Units, sentences, span_keys, units_of, windows
from gristmill.filters.edits.spans import Kind as CutKind
from gristmill.filters.edits.spans import apply_edits, cuts_of_spans, edit_column
from gristmill.text import TextBatch

FORMS = sorted(reference.FORMS)
# What str.lower makes of these depends on their neighbours, or is two characters.
CASES = str.maketrans("", "", "İΣς")


def spans_of(batch, counts, starts, ends):
    """The spans of each row, as positions of characters."""
    found = []
    for row in range(batch.rows):
        data = batch.data[batch.offsets[row] : batch.offsets[row + 1]].tobytes()
        base = int(batch.offsets[row])
        here = range(counts[row], counts[row + 1])
        found.append([(len(data[: starts[i] - base].decode()), len(data[: ends[i] - base].decode())) for i in here])
    return found


@pytest.mark.parametrize("size", [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000])
def test_a_key_is_the_head_of_a_sha1(size):
    data = np.frombuffer(random.Random(size).randbytes(size + 2), np.uint8)
    (found,) = span_keys(data, np.array([1]), np.array([size + 1]))
    assert found == int.from_bytes(hashlib.sha1(data[1 : size + 1].tobytes()).digest()[:8], "little")


@pytest.mark.parametrize("unit", ["line", "sentence"])
@pytest.mark.parametrize("equal", FORMS)
@settings(max_examples=30)
@given(column=text_columns())
def test_units_are_those_of_the_twin(unit, equal, column):
    rows, _ = column
    rows = [None if row is None else row.translate(CASES) for row in rows]
    batch = TextBatch(pa.array(rows, pa.large_string()))
    found = units_of(batch, LinesSettings(unit=unit, equal=equal))
    expected = [reference.units(row or "", unit, equal) for row in rows]
    assert spans_of(batch, *found[:3]) == [[unit[:2] for unit in units] for units in expected]
    assert found.keys.tolist() == [reference.key(form) for units in expected for *_, form in units]


@settings(max_examples=30)
@given(column=text_columns())
def test_sliced_columns_have_the_same_units(column):
    rows, array = column
    own = LinesSettings(meaning="c4")
    whole, sliced = (units_of(TextBatch(texts), own) for texts in (pa.array(rows, array.type), array))
    assert all(np.array_equal(one, other) for one, other in zip(whole, sliced, strict=True))


@pytest.mark.parametrize("kind", ["unicode", "spacy"])
@settings(max_examples=30)
@given(rows=st.lists(texts(), max_size=4))
def test_sentences_are_those_of_the_twin(kind, rows):
    batch = TextBatch(pa.array(rows, pa.large_string()), kind)
    counts, starts, ends = sentences(batch)
    found = spans_of(batch, counts, starts, ends)
    if kind == "unicode":
        assert found == [reference.sentences(row) for row in rows]
    for row, spans in zip(rows, found, strict=True):  # nothing but white space lies between them
        rest = "".join(
            row[a:b] for a, b in zip([0, *(e for _, e in spans)], [*(s for s, _ in spans), len(row)], strict=True)
        )
        invisible = all(
            c.isspace() or c in "\u200b\u00ad\ufeff\u202e\u2060\u200d\u200c" or not c.isprintable() for c in rest
        )
        assert invisible


def test_the_forms_of_lines():
    lines = "Été 12!\nÉTÉ  98!\n« été 00! »\nEte 12\n\x00\n…\n!\n"
    assert [form for *_, form in reference.units(lines, "line", "ccnet")] == [
        "été 00!",
        "été  00!",
        " été 00! ",
        "ete 00",
        "!",
    ]
    keys = units_of(TextBatch(pa.array([lines])), LinesSettings()).keys
    assert keys.tolist() == [reference.key(form) for form in ("été 00!", "été  00!", " été 00! ", "ete 00", "!")]
    assert lower_case()[0] == 0  # a NUL stays where a form has no word on it
    assert len(units_of(TextBatch(pa.array(["\0"])), LinesSettings(equal="lower_case")).keys) == 1


@pytest.mark.parametrize("span", [1, 2, 3, 7])
def test_windows_are_equal_exactly_where_their_units_are(span):
    chance = random.Random(span)
    rows = [[chance.randrange(3) for _ in range(chance.randrange(9))] for _ in range(60)]
    counts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    keys = np.array([hash_of(value) for row in rows for value in row], np.uint64)
    found = windows(Units(counts, counts, counts, keys), span)
    expected = [tuple(row[i : i + span]) for row in rows for i in range(len(row) - span + 1)]
    assert found.places.tolist() == [i for row in rows for i in range(len(row) - span + 1)]
    assert found.counts.tolist() == [0, *np.cumsum([max(0, len(row) - span + 1) for row in rows]).tolist()]
    assert same_partition(found.keys.tolist(), expected)


def hash_of(value):
    return int.from_bytes(hashlib.sha1(bytes([value])).digest()[:8], "little")


def same_partition(keys, things):
    """Whether keys are equal exactly where things are."""
    return len(keys) == len(things) and len(set(zip(keys, things, strict=True))) == len(set(keys)) == len(set(things))


# --- what is cut ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["line", "sentence"])
@settings(max_examples=30)
@given(rows=st.lists(texts(), max_size=4), seed=st.integers(0, 9))
def test_a_text_is_cut_as_the_twin_cuts_it(unit, rows, seed):
    chance = random.Random(seed)
    batch = TextBatch(pa.array(rows, pa.large_string()))
    found = units_of(batch, LinesSettings(unit=unit, equal="text"))
    cut = np.array([chance.random() < 0.5 for _ in found.keys], np.bool_)
    assert edited(batch, cut_spans(batch, found, cut)) == [
        reference.cut(row, spans, {i for i in range(len(spans)) if cut[found.counts[number] + i]})
        for number, (row, spans) in enumerate(zip(rows, spans_of(batch, *found[:3]), strict=True))
    ]


def edited(batch, cuts):
    row, start, end = cuts
    spans = (start + batch.offsets[row], end + batch.offsets[row], np.zeros(len(row), np.int64))
    edits = edit_column(batch, cuts_of_spans(batch, spans, (CutKind("why"),)))
    return apply_edits(batch.texts, edits).to_pylist()


@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        ("a\nb\nc", {1}, "a\nc"),
        ("a\n\nb\n\nc", {1}, "a\n\nc"),
        ("\n a\nb\n", {0}, "b\n"),
        ("a\nb\n\n", {1}, "a"),
        ("a\nb\n\n", {0, 1}, ""),
        ("a\n\nb\nc", {0, 2}, "b"),
    ],
)
def test_lines_that_stay_are_separated_as_they_were(text, gone, left):
    batch = TextBatch(pa.array([text]))
    units = units_of(batch, LinesSettings())
    cut = np.array([i in gone for i in range(len(units.keys))])
    assert edited(batch, cut_spans(batch, units, cut)) == [left]
    assert reference.cut(text, spans_of(batch, *units[:3])[0], gone) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("One. Two. Three.", "One. Three."),
        ("One.\nTwo. Three.", "One.\nThree."),  # the stronger separation stays
        ("One. Two.\nThree.", "One.\nThree."),
        ("一。二。三。", "一。三。"),
        ("One. Two!三", "One. 三"),
    ],
)
def test_sentences_that_stay_are_not_joined(text, left):
    batch = TextBatch(pa.array([text]))
    units = units_of(batch, LinesSettings(meaning="c4"))
    assert len(units.keys) == 3
    assert edited(batch, cut_spans(batch, units, np.array([False, True, False]))) == [left]


def test_what_lies_in_a_window_goes():
    assert spread(np.array([1, 2, 6]), 3, 9).tolist() == [i in (1, 2, 3, 4, 6, 7, 8) for i in range(9)]
    assert spread(np.array([], np.int64), 3, 2).tolist() == [False, False]


# --- what goes ------------------------------------------------------------------------------------------------------

DOCUMENTS = st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 5), max_size=6)), max_size=10).map(
    lambda rows: [(order, f"d/{n}", [hash_of(key) for key in keys]) for n, (order, keys) in enumerate(rows)]
)


def table_of(documents, seed, shards=3):
    """The keys of documents, in any order, spread over shards; and the id behind each shard and row."""
    chance = random.Random(seed)
    names, rows = {}, []
    for number, (order, identity, keys) in enumerate(documents):
        shard = f"s{chance.randrange(shards)}"
        names[shard, number] = identity
        rows += [
            {"key": of, "order": order, "tie": reference.key(identity), "shard": shard, "row": number, "place": place}
            for place, of in keys
        ]
    chance.shuffle(rows)
    kinds = {"key": pa.uint64(), "order": pa.uint64(), "tie": pa.uint64(), "row": pa.int32(), "place": pa.int32()}
    columns = {name: pa.array([row[name] for row in rows], kind) for name, kind in kinds.items()}
    columns["shard"] = pa.array([row["shard"] for row in rows], pa.string()).dictionary_encode()
    return pa.table(columns), names


@given(DOCUMENTS, st.integers(1, 4), st.sampled_from(["first", "none"]), st.integers(0, 99))
def test_what_goes_is_what_the_twin_says(documents, most, kept, seed):
    table, names = table_of([(o, i, list(enumerate(keys))) for o, i, keys in documents], seed)
    meaning = MEANINGS["ccnet"]._replace(most=most, copies_kept=kept)
    found = repeats(table, meaning, len(documents))
    assert {(names[r["shard"], r["row"]], r["place"]) for r in found.to_pylist()} == reference.repeated(
        documents, most, kept
    )
    assert [(r["shard"], r["row"]) for r in found.to_pylist()] == sorted(
        (r["shard"], r["row"]) for r in found.to_pylist()
    )


@given(DOCUMENTS, st.integers(0, 99))
def test_what_was_seen_is_what_the_twin_says(documents, seed):
    """Each key is an n-gram; two in a row are a paragraph's."""
    table, names = table_of([(o, i, [(n // 2, k) for n, k in enumerate(keys)]) for o, i, keys in documents], seed)
    found = {(names[r["shard"], r["row"]], r["place"]): r["hits"] for r in seen(table).to_pylist()}
    in_pairs = [(o, i, [keys[n : n + 2] for n in range(0, len(keys), 2)]) for o, i, keys in documents]
    assert found == reference.seen(in_pairs)


def test_copies_are_counted_in_buckets():
    documents = [(0, f"d/{n}", [(0, hash_of(1))]) for n in range(40)]
    table, names = table_of(documents, 1)
    buckets = {}
    for _, identity, _ in documents:
        buckets.setdefault(reference.key(identity) % 4, []).append(identity)
    sizes = sorted(map(len, buckets.values()))
    assert len(set(sizes)) > 1, "one bucket should have few enough, and one too many"
    meaning = MEANINGS["llama3"]._replace(most=sizes[0], bucket_documents=10)
    expected = {identity for bucket in buckets.values() if len(bucket) > sizes[0] for identity in bucket}
    assert {names[r["shard"], r["row"]] for r in repeats(table, meaning, 40).to_pylist()} == expected
    assert len(repeats(table, meaning, 10)) == 40  # they fill one bucket
    assert len(repeats(table, meaning._replace(bucket_documents=None), 40)) == 40


@pytest.mark.parametrize(("size", "fewest"), [(1, 1), (3, 1), (3, 2), (3, 3), (2, 5), (13, 13)])
@settings(max_examples=30)
@given(rows=st.lists(texts(), max_size=4))
def test_ngrams_are_those_of_the_twin(size, fewest, rows):
    own = ParagraphsSettings(ngram=size, fewest_words=fewest)
    found = paragraphs.ngrams_of(TextBatch(pa.array(rows, pa.large_string())), own)
    expected = [[reference.ngrams(line, size, fewest) for line in row.splitlines()] for row in rows]
    assert found.places.tolist() == [n for row in expected for n, line in enumerate(row) for _ in line]
    assert np.diff(found.counts).tolist() == [sum(map(len, row)) for row in expected]
    assert same_partition(found.keys.tolist(), [ngram for row in expected for line in row for ngram in line])


def test_empty_columns_have_nothing():
    batch = TextBatch(pa.array([], pa.large_string()))
    for meaning in MEANINGS:
        own = LinesSettings(meaning=meaning)
        units = units_of(batch, own)
        assert [len(part) for part in (*units, *windows(units, own.meant.span))] == [1, 0, 0, 0, 1, 0, 0]
        assert [len(part) for part in cut_spans(batch, units, np.empty(0, np.bool_))] == [0, 0, 0]
    assert [len(part) for part in paragraphs.ngrams_of(batch, ParagraphsSettings())] == [1, 0, 0]
    assert character_classes()[0x200B] == 0  # what no word starts with is not white space alone
