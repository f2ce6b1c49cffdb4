"""Conditions: what they mean, against a twin, and what is said of those that mean nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest
import reference_quality
from hypothesis import given, settings
from hypothesis import strategies as st

from gristmill.errors import MissingError, UsageError
from gristmill.pipeline.where.conditions import columns, fates
from gristmill.pipeline.where.evaluate import Chooser, Fates
from gristmill.pipeline.where.parse import parse_condition

ROWS = [(number, word) for number in (0, 1, 2, None) for word in ("en", "fr", None)]
TESTS = st.one_of(
    st.tuples(st.sampled_from(["==", "!=", "<", ">="]), st.just("n"), st.integers(0, 2)),
    st.tuples(st.sampled_from(["==", "!="]), st.just("w"), st.sampled_from(["en", "fr"])),
    st.tuples(st.just("in"), st.just("w"), st.sampled_from([("en",), ("fr", "de")])),
    st.tuples(st.just("null"), st.sampled_from(["n", "w"])),
)
CONDITIONS = st.recursive(
    TESTS,
    lambda inner: (
        st.tuples(st.just("not"), inner) | st.tuples(st.sampled_from(["and", "or"]), inner, inner)
    ),
    max_leaves=8,
)  # fmt: skip


def written(condition):
    kind, *rest = condition
    if kind == "not":
        return f"not ({written(rest[0])})"
    if kind in ("and", "or"):
        return f"({written(rest[0])}) {kind} ({written(rest[1])})"
    if kind == "null":
        return f"{rest[0]} is null"
    if kind == "in":
        return f"{rest[0]} in ({', '.join(rest[1])})"
    return f"{rest[0]} {kind} {rest[1]}"


def chosen(text, given_columns, known=None):
    rows = len(next(iter(given_columns.values())))
    return Chooser(parse_condition(text)).chosen(given_columns, known, rows).to_pylist()


@settings(max_examples=100)
@given(condition=CONDITIONS)
def test_conditions_choose_what_the_twin_does(condition):
    given_columns = {"n": pa.array([n for n, _ in ROWS], pa.int64()), "w": pa.array([w for _, w in ROWS], pa.string())}
    expected = [reference_quality.chosen(condition, {"n": n, "w": w}) is True for n, w in ROWS]
    assert chosen(written(condition), given_columns) == expected


def test_and_binds_more_than_or_and_not_most():
    given_columns = {"a": pa.array([True, False]), "b": pa.array([False, False])}
    assert chosen("a == true or a == false and b == true", given_columns) == [True, False]
    assert chosen("not a == true and b == false", given_columns) == [False, True]


def test_values_are_read_as_the_column_has_them():
    given_columns = {
        "d": pa.array([datetime(2024, 4, 21, tzinfo=UTC), None], pa.timestamp("ms", tz="UTC")),
        "f": pa.array([0.65, None]),
        "t": pa.array(["1", "two words"]),
        "nothing": pa.nulls(2),
    }
    assert chosen("d >= 2024-04-21 and d < '2024-04-21T06:00:00'", given_columns) == [True, False]
    assert chosen("f in (0.65, 2)", given_columns) == [True, False]
    assert chosen('t == 1 or t == "two words"', given_columns) == [True, True]
    assert chosen("t not in (1)", given_columns) == [False, True]
    assert chosen("nothing == 1 or nothing in (1)", given_columns) == [False, False]
    assert chosen("nothing is null and f is not null", given_columns) == [True, False]


def test_urls_and_hosts_are_looked_up_in_lists(tmp_path):
    (tmp_path / "cited.txt").write_text(
        "# pages that are cited\nhttp://www.mill.example/grain/\n\nhttps://b.example/?x=1#top\n"
    )
    urls = ["https://mill.example/grain", "http://mill.example/", "http://b.example/?x=1", None]
    given_columns = {"url": pa.array(urls)}
    assert chosen(f"url in {tmp_path}/cited.txt", given_columns) == [True, False, True, False]
    (tmp_path / "hosts.txt").write_text(".Example\nMill.org.\n")
    hosts = pa.array(["http://a.mill.org/", "https://mill.org:8080/x", "http://windmill.org/", "http://b.example/"])
    assert chosen(f"host in {tmp_path}/hosts.txt", {"url": hosts}) == [False, True, False, True]
    assert chosen("not host in (.mill.org)", {"url": hosts}) == [False, False, True, True]
    (tmp_path / "none.txt").write_text("# nothing\n")
    with pytest.raises(MissingError, match="lists nothing; it needs a url"):
        chosen(f"url in {tmp_path}/none.txt", given_columns)


def test_fates_are_those_of_the_stages():
    known = Fates(pa.array([None, "filter", "dedup"], pa.string()), ["extract", "filter", "dedup"])
    given_columns = {"url": pa.array(["a", "b", "c"])}
    for text, expected in (
        ("kept", [True, False, False]),
        ("dropped", [False, True, True]),
        ("kept by filter", [True, False, True]),
        ("kept by extract", [True, True, True]),
        ("dropped by dedup and not kept", [False, False, True]),
    ):
        assert chosen(text, given_columns, known) == expected
    assert [fate.stage for fate in fates(parse_condition("kept by a or n > 1 and dropped"))] == ["a", None]
    assert columns(parse_condition("kept == 1 or n > 1 and n < 3")) == ("kept", "n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the condition is empty; an example: word_count"),
        ("n = 1", "needs after 'n' one of ==, .*, not '='"),
        ("n >=", "needs a value, not its end"),
        ("(n > 1", r"needs '\)'"),
        ("n > 1 n", "needs 'and', 'or' or the end, not 'n'"),
        ("'n' > 1", "needs a column"),
        ("n is 3", "needs 'null', not '3'"),
        ("n in ()", r"needs a value, not '\)'"),
        ("w == 'en", "cannot be read from ''en' on; is a quote missing"),
        ("nn > 1", "no column 'nn' to choose by; did you mean 'n'"),
        ("n > many", "column 'n' is int64, and 'many' is no value of it"),
        ("n in (1.5)", "'1.5' is no value of it"),
        ("kept by filtre", "no stage 'filtre' .*; did you mean 'filter'"),
        ("(" * 60 + "n > 1", "more than 50 deep"),
        ("not " * 60 + "n > 1", "fewer 'not'"),
    ],
)
def test_what_cannot_be_meant_says_what_was_expected(text, message):
    known = Fates(pa.array([None], pa.string()), ["extract", "filter"])
    with pytest.raises(UsageError, match=message):
        chosen(text, {"n": pa.array([1]), "w": pa.array(["en"])}, known)


def test_a_file_has_no_fates():
    with pytest.raises(UsageError, match="only a finished run"):
        chosen("kept", {"n": pa.array([1])})
