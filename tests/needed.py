"""What a test cannot do without: where it is missing the test is skipped, or fails if this run must have it."""

from __future__ import annotations

import importlib.util
import os
from typing import NoReturn

import pytest


def do_without(need: str, reason: str) -> NoReturn:
    """Skip the test, or the module, that needs something; fail it if GRISTMILL_TESTS_REQUIRE names the need."""
    if need in os.environ.get("GRISTMILL_TESTS_REQUIRE", "").split():
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)


def need_kenlm() -> None:
    """Skip a module where KenLM, which is compiled when it is installed, is not there."""
    if importlib.util.find_spec("kenlm") is None:
        do_without("kenlm", "KenLM is not installed: pip install 'gristmill[kenlm]' needs a C++ compiler")
