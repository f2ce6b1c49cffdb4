"""Order statistics of a run against NumPy's sort: ties, infinities, denormals, groups, weights, any shards."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from corpora import Document, NoProgress, make_run
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gristmill import schema
from gristmill.errors import UsageError
from gristmill.pipeline import order_statistics
from gristmill.pipeline.order_counts import COUNTS, Round, at_round, counted, documents_in, narrowed, summed
from gristmill.pipeline.order_statistics import Ordered, OrderStatistics, Place, at_shares, largest
from gristmill.pipeline.phases import as_batch, write_layer
from gristmill.pipeline.plan import Step, with_digest

NUMBERS = st.one_of(
    st.floats(allow_nan=False),
    st.sampled_from([0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, 5e-324, -5e-324, 1e308, 0.5, 0.5000000000000001]),
)
ROWS = st.lists(
    st.tuples(NUMBERS, st.integers(1, 10**12), st.sampled_from(["en", "de", "", None, "NUL\0"])), max_size=40
)


def place_of(values, weights, place):
    """The slow twin: sort, then walk until the weight is there."""
    below = 0
    for value in sorted(set(values)):
        at = sum(weight for other, weight in zip(values, weights, strict=True) if other == value)
        if below + at >= place:
            return Place(value, below, at)
        below += at
    raise AssertionError(place)


def in_rounds(rows, wanted, shifts, cuts):
    """What rounds of some shifts find, over the shards that ``cuts`` make of the rows."""
    keys = order_statistics.order_keys(pa.array([value for value, *_ in rows], pa.float64()))
    weights = pa.array([weight for _, weight, _ in rows], pa.int64())
    documents = counted(0, keys, weights, pa.array([group for *_, group in rows], pa.string()))
    bounds = sorted({0, len(rows), *(cut % (len(rows) + 1) for cut in cuts)})
    shards = [documents.slice(a, b - a) for a, b in pairwise(bounds)]
    at = Round(shifts[0], None, None)
    for after in (*shifts[1:], None):
        found = narrowed(summed(at_round(shard, at) for shard in shards), at, wanted)
        at = Round(after, at.shift, found) if after is not None else at
    return found.to_pylist()


@settings(max_examples=60, deadline=None)
@given(ROWS, st.lists(st.fractions(0, 1), min_size=1, max_size=4), st.lists(st.integers(0, 99), max_size=3))
@example([(0.5, 1, None)] * 3, [Fraction(0), Fraction(1)], [1])
def test_rounds_find_what_sorting_finds(rows, shares, cuts):
    wanted = at_shares(shares)
    several = in_rounds(rows, wanted, order_statistics.SHIFTS, cuts)
    assert several == in_rounds(rows, wanted, (48, 0), [])
    found = {}
    for row in several:
        value = order_statistics._value_of(row[schema.KEY])
        place = Place(value, row[schema.BELOW], row[schema.WEIGHT])
        found.setdefault(row[schema.GROUP], []).append(place)
    expected = {}
    for group in {group for *_, group in rows}:
        values, weights = zip(*((value, weight) for value, weight, of in rows if of == group), strict=True)
        expected[group] = [place_of(values, weights, max(1, math.ceil(share * sum(weights)))) for share in shares]
    assert found == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=60), st.integers(1, 99))
def test_percentiles_are_numpys_inverted_cdf(values, percent):
    with np.errstate(all="ignore"):
        found = in_rounds([(v, 1, "en") for v in values], at_shares([Fraction(percent, 100)]), (48, 0), [7])
    exact = np.sort(np.array(values))[max(1, -(-len(values) * percent // 100)) - 1]
    assert [order_statistics._value_of(row[schema.KEY]) for row in found] == [exact]


def test_a_range_that_holds_two_places_is_counted_once():
    rows = [(1.0, 1, None), (1.0, 1, None), (2.0, 1, None)]
    keys = order_statistics.order_keys(pa.array([value for value, *_ in rows]))
    documents = counted(0, keys, pa.array([1, 1, 1]), pa.nulls(3, pa.string()))
    at = Round(48, None, None)
    assert documents_in(narrowed(summed([at_round(documents, at)]), at, lambda total: [1, 2, total])) == 3
    assert narrowed(COUNTS.empty_table(), at, lambda total: [total]).num_rows == 0


def test_the_largest_of_too_few_is_an_error():
    assert largest(1)(3) == [3]
    with pytest.raises(UsageError, match="4-th largest of 3"):
        largest(4)(3)


# over a run

DECIDES = """\
  - signals: {families: [gopher_quality]}
  - filter: {use: [], house: {word_count: {min: 1}}}
"""
LAYER = pa.schema([("score", pa.float64()), ("label", pa.string())])


def statistics_of(folder, shards, wanted, ordered, few, reverse=False):
    """The statistics of scores, over documents (id, score, label, text) by shard; a text of None was dropped."""
    run = make_run(folder, {name: [Document(i, text) for i, *_, text in rows] for name, rows in shards.items()}, "")
    scores = with_digest(
        Step("scores", "scores", "scores", {}, ("extract",), columns=("score", "label")), run.plan.steps
    )
    step = Step("ranks", "ranks", "ranks", {}, ("extract", "scores"), scope="corpus")
    steps = (*run.plan.steps, scores)
    object.__setattr__(run.plan, "steps", (*steps, with_digest(step, steps)))
    for shard in run.plan.shards:
        rows = [{"score": score, "label": label} for _, score, label, _ in shards[shard.name]]
        batch = as_batch(pa.Table.from_pylist(rows, LAYER))
        write_layer(run, run.plan.step("scores"), shard, [batch], columns=LAYER)
    statistics = OrderStatistics(run, run.plan.step("ranks"), ordered, wanted, few=few)
    for phase in statistics.phases():
        items = list(phase.items())
        for item in reversed(items) if reverse else items:
            assert not phase.is_done(item)
            phase.perform(item, NoProgress())
            assert phase.is_done(item)
    return statistics


ROWS_OF_RUN = {
    "a": [("a/1", 3.0, "en", "abc"), ("a/2", 1.0, "en", "a"), ("a/3", math.nan, "en", "xx"), ("a/4", 9.0, "en", None)],
    "b": [("b/1", 2.0, "de", "four"), ("b/2", None, "de", "x"), ("b/3", 5.0, "en", ""), ("b/4", 3.0, None, "é")],
    "c": [],
}


@pytest.mark.parametrize("few", [0, 1 << 21])
def test_of_a_run_only_kept_documents_with_a_value_count(tmp_path, few):
    wanted = at_shares([Fraction(1, 2), Fraction(1)])
    found = statistics_of(tmp_path / "n", ROWS_OF_RUN, wanted, Ordered(("score",)), few).found
    assert found[("score", None)].total == 5
    assert found[("score", None)].places == (Place(3.0, 2, 2), Place(5.0, 4, 1))
    by_label = statistics_of(tmp_path / "g", ROWS_OF_RUN, wanted, Ordered(("score",), by="label"), few).found
    assert {group: of.values for (_, group), of in by_label.items()} == {
        "en": [3.0, 5.0],
        "de": [2.0] * 2,
        None: [3.0] * 2,
    }
    weighed = statistics_of(tmp_path / "b", ROWS_OF_RUN, wanted, Ordered(("score",), weight="bytes"), few).found
    assert weighed[("score", None)] == (10, (Place(2.0, 1, 4), Place(3.0, 5, 5)))


def test_the_shards_and_their_order_do_not_matter(tmp_path):
    rng = np.random.default_rng(7)
    rows = [(f"{i:04d}", float(v), "x", "t" * (i % 7 + 1)) for i, v in enumerate(rng.normal(size=300).round(2))]
    wanted = at_shares([Fraction(i, 20) for i in range(1, 20)])
    ordered = Ordered(("score",), weight="bytes")
    one = statistics_of(tmp_path / "1", {"a": rows}, wanted, ordered, 0).found
    split = {name: rows[::-1][k::3] for k, name in enumerate("abc")}
    assert statistics_of(tmp_path / "3", split, wanted, ordered, 1 << 21, reverse=True).found == one
    assert statistics_of(tmp_path / "4", split, wanted, ordered, 20).found == one
    values, weights = [row[1] for row in rows], [len(row[3]) for row in rows]
    total = sum(weights)
    assert list(one[("score", None)].places) == [place_of(values, weights, -(-total * i // 20)) for i in range(1, 20)]


def test_a_run_without_values_has_no_places(tmp_path):
    empty = {"a": [("a/1", None, None, "text")], "b": []}
    assert statistics_of(tmp_path, empty, at_shares([Fraction(1, 2)]), Ordered(("score",)), 0).found == {}
