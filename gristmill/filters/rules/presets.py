"""All presets, each named after the system whose meaning and bounds it has.

To add some, name the module that ends with them here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gristmill.filters.rules.published import (
    c4,
    dclm,
    deepseek_code,
    dolma,
    fineweb,
    gopher,
    massivetext,
    mc4,
    redpajama,
)
from gristmill.filters.rules.published.preset import Preset

FINEWEB2: Final = "fineweb2"
_FINEWEB2 = re.compile(rf"{FINEWEB2}/([a-z]{{3}}_[A-Z][a-z]{{3}})")

_MODULES: Final = (gopher, fineweb, c4, mc4, massivetext, dclm, dolma, redpajama, deepseek_code)

PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {preset.name: preset for module in _MODULES for preset in module.PRESETS}
)
ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {alias: preset.name for preset in PRESETS.values() for alias in preset.aliases}
)


def is_fineweb2(name: str) -> bool:
    """Return whether a preset is one of FineWeb-2's, whose bounds are read from its published files.

    >>> is_fineweb2("fineweb2/fra_Latn"), is_fineweb2("fineweb2")
    (True, False)
    """
    return _FINEWEB2.fullmatch(name) is not None


def source_of(name: str) -> str | None:
    """Return where a preset comes from; None for a rule set that is none."""
    if is_fineweb2(name):
        return f"Penedo et al. 2025, arXiv:2506.20920, the bounds in its file configs/{name.partition('/')[2]}.yml"
    return PRESETS[name].source if name in PRESETS else None
