"""Repeated substrings: each loop against its twin, and the whole against a dictionary of all windows."""

from __future__ import annotations

import multiprocessing

import numpy as np
import pyarrow as pa
import pytest
import reference
import reference_substrings as twin
from hypothesis import given, settings
from hypothesis import strategies as st
from pydivsufsort import divsufsort, kasai
from real_texts import real_texts
from strategies import text_columns

from gristmill import schema
from gristmill.dedup.substrings import _kernels
from gristmill.dedup.substrings import snippets as made
from gristmill.dedup.substrings.anchors import find_anchors, find_words, gram_size
from gristmill.dedup.substrings.compared import _suffix_array
from gristmill.dedup.substrings.cuts import byte_cuts
from gristmill.dedup.substrings.repeats import repeats

MEMBERS = (schema.ORDER, schema.ID, schema.SHARD, schema.ROW, schema.TEXT)
WORDS = st.lists(st.sampled_from(["a", "b", "c,", "d"]), max_size=30)
TEXTS = st.lists(
    st.one_of(WORDS, st.lists(WORDS, max_size=3).map(lambda parts: [word for part in parts * 2 for word in part])),
    max_size=8,
)


def words_of(text):
    """The words of one text."""
    found = find_words(pa.array([text], pa.large_string()))
    return [bytes(found.data[a:b]).decode() for a, b in zip(found.starts, found.ends, strict=True)]


def documents_of(rows, shard):
    columns = zip(*rows, strict=True) if rows else [()] * 4
    orders, ids, places, texts = columns
    values = [pa.array(orders, pa.uint64()), pa.array(ids, pa.string()), pa.repeat(pa.scalar(shard), len(rows))]
    return pa.table([*values, pa.array(places, pa.int64()), pa.array(texts, pa.large_string())], names=MEMBERS)


def found_in(shards, n, *, batch=100, partitions=1, chunk=1 << 20, scope=None):
    """The words in repeated windows by (shard, row): what the stage does, without files.

    ``shards``: by name, rows of order, id, row, text. ``scope`` gives a number for a text.
    """
    batches = [
        documents_of(rows[i : i + batch], name) for name, rows in shards.items() for i in range(0, len(rows), batch)
    ]
    scopes = [
        None if scope is None else np.array([scope(t) for t in b[schema.TEXT].to_pylist()], np.uint64) for b in batches
    ]
    keys = [made.keys_of(b[schema.TEXT].combine_chunks(), n, s) for b, s in zip(batches, scopes, strict=True)]
    values, counts = np.unique(np.concatenate([np.empty(0, np.uint64), *keys]), return_counts=True)
    tables = [made.snippets(b, values[counts > 1], n, s) for b, s in zip(batches, scopes, strict=True)]
    table = pa.concat_tables([made.SNIPPETS.empty_table(), *tables])
    of = np.asarray(table[schema.KEY]) % np.uint64(partitions)
    found = {}
    for partition in range(partitions):
        for row in repeats(table.filter(pa.array(of == partition)), n, chunk).to_pylist():
            words = found.setdefault((row[schema.SHARD], row[schema.ROW]), set())
            words |= set(range(row[schema.START], row[schema.END]))
    return found


def expected(documents, n):
    """The same by the twin, of documents (order, id, shard, row, words)."""
    ordered = sorted(documents)
    windows = twin.repeated_windows([words for *_, words in ordered], n)
    pairs = zip(ordered, windows, strict=True)
    return {(shard, row): twin.cut_words(places, n) for (_, _, shard, row, _), places in pairs if places}


@given(column=text_columns())
def test_words_lie_where_they_are_found(column):
    rows, texts = column
    found = find_words(texts)
    bounds = [int(offset) for offset in found.offsets]
    for row, text in enumerate(rows):
        spans = slice(found.counts[row], found.counts[row + 1])
        pieces = list(zip(found.starts[spans].tolist(), found.ends[spans].tolist(), strict=True))
        assert [bytes(found.data[a:b]).decode() for a, b in pieces] == reference.unicode_words(text or "")
        assert all(bounds[row] <= a < b <= bounds[row + 1] for a, b in pieces)


@given(texts=TEXTS, n=st.integers(4, 9))
def test_each_window_has_the_anchor_that_its_twin_says(texts, n):
    words = find_words(pa.array([" ".join(text) for text in texts], pa.large_string()))
    found = find_anchors(words, n)
    anchor = {}
    for row, position, first, stop in zip(*found[1:], strict=True):
        for window in range(first, stop - n + 1):
            assert anchor.setdefault(window, position) == position
            assert words.counts[row] <= window <= position <= window + n - gram_size(n)
    windows = [
        w for low, high in zip(words.counts[:-1], words.counts[1:], strict=True) for w in range(low, high - n + 1)
    ]
    assert sorted(anchor) == windows
    for window in windows:
        hashes = [int(value) for value in words.hashes[window : window + n]]
        assert anchor[window] - window == twin.anchor_of(hashes, gram_size(n))


@settings(max_examples=60)
@given(
    texts=TEXTS,
    n=st.integers(4, 7),
    chance=st.randoms(use_true_random=False),
    partitions=st.sampled_from([1, 3]),
    chunk=st.sampled_from([1, 40, 1 << 20]),
    batch=st.sampled_from([1, 3, 100]),
)
def test_exactly_the_repeated_windows_are_found(texts, n, chance, partitions, chunk, batch):
    shards, documents = {"a": [], "b": []}, []
    for i, words in enumerate(chance.sample(texts, len(texts))):
        text, order, name = " ".join(words), chance.choice([1, 2, 2**64 - 1]), chance.choice("ab")
        documents.append((order, f"d/{i:02d}", name, len(shards[name]), words_of(text)))
        shards[name].append((order, f"d/{i:02d}", len(shards[name]), text))
    found = found_in(shards, n, batch=batch, partitions=partitions, chunk=chunk)
    assert found == expected(documents, n)
    assert_each_cut_word_stays_elsewhere(documents, found, n)


def assert_each_cut_word_stays_elsewhere(documents, found, n):
    """From a word that is cut to the same one in the first copy of a window that has it, and on: one of them stays."""
    first, ordered = {}, sorted(documents)
    for *_, shard, row, words in ordered:
        for place in range(len(words) - n + 1):
            first.setdefault(tuple(words[place : place + n]), (shard, row, place))
    texts = {(shard, row): words for *_, shard, row, words in ordered}
    for (shard, row), places in found.items():
        for place in places:
            here = (shard, row, place)
            while here[2] in found.get(here[:2], ()):
                words = texts[here[:2]]
                starts = range(max(0, here[2] - n + 1), min(here[2], len(words) - n) + 1)
                copies = [(start, first[tuple(words[start : start + n])]) for start in starts]
                start, copy = next((start, copy) for start, copy in copies if copy != (*here[:2], start))
                here = (*copy[:2], copy[2] + here[2] - start)


@settings(max_examples=30)
@given(texts=TEXTS, n=st.integers(4, 6), chunk=st.sampled_from([40, 1 << 20]), batch=st.sampled_from([2, 100]))
def test_windows_of_unlike_scopes_are_not_compared(texts, n, chunk, batch):
    rows = [(0, f"d/{i:02d}", i, " ".join([*words, "even" if i % 2 else "odd"])) for i, words in enumerate(texts)]
    found = found_in({"a": rows}, n, batch=batch, chunk=chunk, scope=lambda text: text.endswith("even"))
    one_scope = [[(0, i, "a", row, words_of(t)) for _, i, row, t in rows if row % 2 == rest] for rest in (0, 1)]
    assert found == expected(one_scope[0], n) | expected(one_scope[1], n)


def travelling(rows, n):
    """The snippets of a batch of documents, all of whose anchors count as repeated."""
    documents = documents_of(rows, "a")
    return made.snippets(documents, np.unique(made.keys_of(documents[schema.TEXT].combine_chunks(), n)), n)


def test_identical_pages_of_a_batch_travel_once():
    page = " ".join(f"w{i}" for i in range(400))
    one, many = (travelling([(9 - i % 10, f"{i:05d}", i, page) for i in range(count)], 50) for count in (1, 1000))
    assert many.num_rows == one.num_rows + 999
    found = repeats(many, 50)
    spans = [(row, 0, 400) for row in range(1000) if row != 9]
    assert (
        list(zip(*(found[name].to_pylist() for name in (schema.ROW, schema.START, schema.END)), strict=True)) == spans
    )


@pytest.mark.parametrize("line", ["one ", "The quick brown fox jumps over the lazy dog.\n", "文"])
def test_a_page_of_one_line_over_and_over_travels_as_one(line):
    period, total = len(words_of(line)), len(words_of(line * 2000))
    table = travelling([(0, "x", 0, line * 2000)], 50)
    assert table.num_rows - table[schema.TEXT].null_count <= 3
    spans = [(row[schema.START], row[schema.END]) for row in repeats(table, 50).to_pylist()]
    assert min(start for start, _ in spans) == period
    assert set().union(*(range(*span) for span in spans)) == set(range(period, total))


def test_texts_that_share_fewer_words_than_a_window_share_nothing():
    shared = " ".join(f"w{i}" for i in range(49))
    rows = [(0, f"{i:03d}", i, f"a{i} {shared} b{i}") for i in range(100)]
    assert found_in({"a": rows}, 50) == {}
    assert set(found_in({"a": rows}, 49)) == {("a", row) for row in range(1, 100)}


@given(column=text_columns(), data=st.data())
def test_a_cut_leaves_the_other_words_and_joins_none(column, data):
    rows, texts = column
    words = find_words(texts)
    counts = np.diff(words.counts).tolist()
    spans, gone = [], set()
    some = [row for row, count in enumerate(counts) if count]
    for row in data.draw(st.lists(st.sampled_from(some), max_size=6)) if some else []:
        first = data.draw(st.integers(0, counts[row] - 1))
        stop = data.draw(st.integers(first + 1, counts[row]))
        spans.append((row, first, stop))
        gone |= {(row, word) for word in range(first, stop)}
    cuts = byte_cuts(words, *np.array(spans or np.empty((0, 3)), np.int64).T)
    left = [(text or "").encode() for text in rows]
    for row, _, start, end, spaced in reversed(list(zip(*cuts, strict=True))):
        base = words.offsets[row]
        left[row] = left[row][: start - base] + b" " * int(spaced) + left[row][end - base :]
    for row, text in enumerate(rows):
        found = reference.unicode_words(text or "")
        kept = [word for i, word in enumerate(found) if (row, i) not in gone]
        assert reference.unicode_words(left[row].decode()) == kept
        assert left[row] == b"" or kept or not found


@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        ("wanted(once upon a time)store", (1, 7), "wanted store"),
        ("one two three four", (1, 3), "one four"),
        ("one\ttwo three four", (1, 3), "one\tfour"),
        ("first\n\nthe second\n\nthird", (1, 3), "first\n\nthird"),
        ("first the end\n\nthird", (1, 3), "first\n\nthird"),
        ("first\nthe second third", (1, 3), "first\nthird"),
        (" one two ", (0, 1), "two "),
        (" one two \n", (1, 2), " one"),
        (" one \n", (0, 1), ""),
        ("中文字", (1, 2), "中 字"),
    ],
)
def test_what_stays_around_a_cut(text, gone, left):
    cuts = byte_cuts(find_words(pa.array([text])), *(np.array([i]) for i in (0, *gone)))
    data = text.encode()
    assert (data[: cuts.starts[0]] + b" " * int(cuts.spaced[0]) + data[cuts.ends[0] :]).decode() == left


def plainly_repeated(texts, n):
    """The words in repeated windows of texts, from one suffix array over all of them and its common prefixes."""
    found = find_words(pa.array(texts, pa.large_string()))
    pieces = [found.data[a:b].tobytes() for a, b in zip(found.starts, found.ends, strict=True)]
    data = np.frombuffer(b"".join(piece + b"\xff" for piece in pieces), np.uint8)
    ends = np.cumsum([len(piece) + 1 for piece in pieces])
    of = np.repeat(np.arange(len(texts)), np.diff(found.counts))
    word = np.flatnonzero(of[n - 1 :] == of[: len(of) - n + 1])
    starts, sizes = np.append(0, ends)[word], ends[word + n - 1] - np.append(0, ends)[word]
    suffixes = divsufsort(data.copy())  # it refuses what is read-only
    window = np.full(len(data), -1)
    window[starts] = np.arange(len(word))
    places = np.flatnonzero(window[suffixes] >= 0)
    window = window[suffixes[places]]
    shared = np.minimum.reduceat(np.append(0, kasai(data.copy(), suffixes)[:-1]), np.append(0, places[:-1] + 1))
    group = np.cumsum(~((shared >= sizes[window]) & (sizes[window] == np.append(0, sizes[window][:-1]))))
    first = np.full(group[-1] + 1, len(word))
    np.minimum.at(first, group, window)
    copies = word[window[window != first[group]]]
    cut = {}
    for copy in copies.tolist():
        place = copy - int(found.counts[of[copy]])
        cut.setdefault(("all", int(of[copy])), set()).update(range(place, place + n))
    return cut


@pytest.mark.data
def test_of_real_texts_it_finds_what_one_suffix_array_over_all_of_them_finds(data):
    texts = [text for text in real_texts(data, 2_500) if len(text) > 250][::3]
    found = found_in({"all": [(0, f"{i:05d}", i, text) for i, text in enumerate(texts)]}, 20, batch=500, partitions=3)
    assert found == plainly_repeated(texts, 20)
    assert len(found) > 50


def test_snippets_are_equal_if_their_keys_and_their_words_are_whatever_slots_they_share():
    texts = ["ab c d", "ab c d", "a bc d", "ab c e", "ab c d"] * 8
    words = find_words(pa.array(texts))
    keys = np.repeat(np.arange(4, dtype=np.uint64), 10)
    same, table = np.empty(40, np.int64), np.full(16, -1)  # room for all 16 pairs, and none to spare
    _kernels.first_equals(words.data, words[3:], (keys, words.counts[:-1], words.counts[1:]), table, same)
    pairs = list(zip(keys.tolist(), texts, strict=True))
    assert same.tolist() == [pairs.index(pair) for pair in pairs]


def test_a_window_of_another_scope_is_no_copy_though_its_anchor_is_repeated_in_both():
    names = [f"w{i}" for i in range(13)]
    hashes = [int(value) for value in find_words(pa.array([" ".join(names)])).hashes]
    least = names.pop(twin.anchor_of(hashes, 1))
    one, two, three = (" ".join([*names[i : i + 2], least, *names[i + 2 : i + 4]]) for i in (0, 4, 8))
    rows = [(0, f"d/{i}", i, text) for i, text in enumerate([one, two, f"{one} even", f"{three} even"])]
    assert found_in({"a": rows}, 5) == {("a", 2): set(range(5))}
    assert found_in({"a": rows}, 5, scope=lambda text: text.endswith("even")) == {}


def test_equal_snippets_of_unlike_scopes_and_batches_are_not_compared():
    rows = [(0, "d/0", 0, "a b c d e"), (0, "d/1", 1, "a b c d e\n")]
    assert found_in({"a": rows}, 5, batch=1) == {("a", 1): set(range(5))}
    twice = [*rows, *((0, f"e/{i}", 2 + i, f"{text} f g h i j") for i, (*_, text) in enumerate(rows))]
    assert ("a", 1) not in found_in({"a": twice}, 5, batch=1, scope=lambda text: "\n" in text)


def test_spans_that_touch_are_one_cut():
    cuts = byte_cuts(find_words(pa.array(["one two three four"])), np.zeros(2, int), np.array([1, 2]), np.array([2, 3]))
    assert (cuts.starts.tolist(), cuts.ends.tolist(), cuts.words.tolist()) == ([4], [14], [2])


def test_a_process_that_is_forked_after_a_suffix_array_was_made_makes_one_too():
    data = np.frombuffer(b"one two three " * 20_000, np.uint8)
    expected = _suffix_array(data)
    child = multiprocessing.get_context("fork").Process(target=_suffix_array, args=(data,))
    child.start()
    child.join(60)
    ended = child.exitcode
    child.kill()
    assert ended == 0
    assert (_suffix_array(data) == expected).all()
