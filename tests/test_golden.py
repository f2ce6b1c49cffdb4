"""Thirty documents of the sample, their signals and their reasons: a change shows here as a diff to be read.

To write the file anew: GRISTMILL_WRITE_GOLDEN=1 python -m pytest tests/test_golden.py, then read the diff.
"""

import json
import os
from pathlib import Path

import pyarrow as pa
import pytest

from gristmill.filters.rules.evaluate import evaluate, rules_of
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.families import FAMILIES, families_with_needs, measure
from gristmill.filters.signals.settings import SignalsSettings

OF_TEXT = [family for family in FAMILIES if family not in families_with_needs()]
GOLDEN = Path(__file__).parent / "golden" / "signals.jsonl"
RULES = rules_of(FilterSettings(use=("gopher_repetition", "gopher_quality")))


def rows():
    with GOLDEN.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def decided(texts):
    """Return signals and reasons of each text, as JSON reads them back."""
    batch = measure(pa.array(texts, pa.large_string()), SignalsSettings(families=OF_TEXT))
    reasons = evaluate(RULES, batch, len(texts)).column("reasons").to_pylist()
    return [{"signals": signals, "reasons": why} for signals, why in zip(batch.to_pylist(), reasons, strict=True)]


def test_signals_and_reasons_are_as_before():
    known = rows()
    found = decided([row["text"] for row in known])
    if os.environ.get("GRISTMILL_WRITE_GOLDEN"):
        lines = [json.dumps(row | new, ensure_ascii=False) + "\n" for row, new in zip(known, found, strict=True)]
        GOLDEN.write_text("".join(lines), encoding="utf-8")
        pytest.fail(f"{GOLDEN} was written anew: read its diff, and run again without GRISTMILL_WRITE_GOLDEN")
    for row, new in zip(known, found, strict=True):
        assert {"signals": row["signals"], "reasons": row["reasons"]} == new, row["case"]


def test_the_cases_are_of_all_kinds():
    known = rows()
    assert len(known) >= 30
    assert sum(not row["reasons"] for row in known) >= 10
    assert len({reason for row in known for reason in row["reasons"]}) >= 10
