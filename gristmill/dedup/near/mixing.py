"""Mixing of 64-bit keys."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_MIX: Final = np.uint64(0xD6E8FEB86659FD93)
_HALF: Final = np.uint64(32)


def mixed(values: Array) -> Array:
    """Return each of 64 bits mixed, so that each depends on all; one to one."""
    values = (values ^ (values >> _HALF)) * _MIX
    values = (values ^ (values >> _HALF)) * _MIX
    final: Array = values ^ (values >> _HALF)
    return final
