"""What the commands print fits a terminal of 80 columns, and a wide one."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from gristmill.filters.catalogue import signals_listing
from gristmill.filters.signals.families import SIGNALS
from gristmill.pipeline.status import PhaseStatus
from gristmill.report.compare import Change, Comparison, Sample, Side
from gristmill.report.compare_view import render_comparison
from gristmill.report.reasons_why import Why
from gristmill.report.sweep import Sweep, SweptBound, bounds_between
from gristmill.report.sweep_view import render_sweep
from gristmill.report.tables import status_table


def lines_of(shown, width):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(shown)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_the_listing_of_signals_is_wrapped(width):
    listing = signals_listing(width)
    assert max(map(len, listing.splitlines())) <= width
    assert listing.split() == signals_listing().replace("``", "`").split()
    assert len(signals_listing().splitlines()) > len(SIGNALS)
    assert "``" not in listing


@given(st.floats(-1e308, 1e308), st.floats(-1e308, 1e308), st.integers(1, 40))
@example(0.0, 5e-324, 3)
@example(-1e308, 1e308, 1)
@example(1.0, 1.0000000000000002, 9)
def test_bounds_lie_between_the_ends_in_order(low, high, number):
    found = bounds_between(low, high, number)
    assert found[0] == low
    assert found == sorted(found, reverse=low > high)
    assert len(found) <= number
    if number > 1:
        assert found[-1] == high


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((0.5, 0.8, 4), [0.5, 0.6, 0.7, 0.8]),
        ((0, 0.9, 8), [0, 0.129, 0.257, 0.386, 0.514, 0.643, 0.771, 0.9]),
        ((10, 100_000, 5), [10, 25_008, 50_005, 75_002, 100_000]),
        ((0.123456789, 0.2, 2), [0.123456789, 0.2]),
        ((1, 2, 1), [1]),
    ],
)
def test_bounds_between_the_ends_are_short(ends, expected):
    assert bounds_between(*ends) == expected


def swept(bound, *, is_current=False):
    """What a bound does to a corpus of a hundred million documents."""
    rules = ("refinedweb.cut_word_ratio_refinedweb.max", "gopher_repetition@dclm.dup_paragraph_char_ratio_dclm.max")
    return SweptBound(
        bound=bound,
        is_current=is_current,
        documents_kept=98_765_432,
        bytes_kept=123_456_789_012,
        hits=12_345_678,
        alone=1_234_567,
        alone_bytes=1,
        overlap=dict.fromkeys(rules, 12345678),
    )


def test_a_sweep_of_a_large_corpus_fits_80_columns():
    bounds = [swept(bound) for bound in bounds_between(0.1234, 0.9, 9)]
    bounds.insert(3, swept(0.335, is_current=True))
    found = Sweep(
        rule="gopher_repetition@dclm.dup_paragraph_char_ratio_dclm.max",
        asked="≤ 0.335",
        stage="filter",
        documents_in=111_111_111,
        bytes_in=1,
        bounds=tuple(bounds),
    )
    shown = lines_of(render_sweep(found), 80)
    assert not [line for line in shown if "…" in line]
    assert len([line for line in shown if line.count("98,765,432") == 1]) == len(bounds)
    assert max(map(len, shown)) <= 80


def why(reason):
    return Why(reason, {"cut_word_ratio": 0.123456}, "≤ 0.05")


@pytest.mark.parametrize("width", [80, 120])
def test_a_comparisons_samples_stand_in_columns(width):
    before, after = "edit-2.refinedweb_lines.cut_word_ratio.max", "gopher_repetition@dclm.dup_line_ratio_dclm.max"
    identity = "CC-MAIN-20240421062415-20240421092415-00000/401523000"
    sample = Sample(identity, f"https://www.example.org/{'long/' * 20}", why(before), why(after))
    side = Side("runs/a-name", 1000, 500, 0, 0, ())
    found = Comparison(side, side, 1000, 900, 0, (Change(before, after, 100, 12345, 12345, (sample,)),))
    shown = lines_of(render_comparison(found), width)
    assert max(map(len, shown)) <= width
    assert f"    id      {identity}" in [line.rstrip() for line in shown]
    assert [line[:12] for line in shown if line.startswith(("    before", "    after"))] == [
        "    before  ",
        "    after   ",
    ]
    assert [line.strip() for line in shown if not line.startswith(" ") and "example.org" in line] == []


def phase(name, total, step="dedup", failed=()):
    return PhaseStatus(step, name, done=0, total=total, working=0, rows=0, failed=dict(failed))


def test_phases_without_work_are_left_out_of_the_status():
    phases = [phase("keys", 3), phase("round-2", 0), phase("later", None), phase("broken", 0, failed={"a": "why"})]
    shown = "\n".join(lines_of(status_table([*phases, phase("shards", 0, "alone")]), 80))
    assert "round-2" not in shown
    assert all(name in shown for name in ("keys", "later", "broken", "alone"))
