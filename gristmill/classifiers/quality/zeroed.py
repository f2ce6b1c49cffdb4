"""Memory that starts as zeros, for a library that trusts it to.

fastText initializes a matrix in ten parts, of which one thread does the first alone; the other nine tenths are what the
memory held (fastText 0.9.2, ``densematrix.cc``: ``uniformThread``, over an ``AlignedVector`` that nothing sets). A
fresh process mostly finds zeros there, and one that has worked before finds what it left: other bytes in each model,
and "Encountered NaN". glibc can fill what it hands out (mallopt(3), M_PERTURB): with zeros for the byte 255.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_M_PERTURB: Final = -6
_ZEROS: Final = 255


@contextmanager
def zeroed_memory() -> Iterator[None]:
    """Let memory that is taken within the block start as zeros; of C libraries other than glibc nothing is asked."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        yield
        return
    mallopt(_M_PERTURB, _ZEROS)
    try:
        yield
    finally:
        mallopt(_M_PERTURB, 0)
