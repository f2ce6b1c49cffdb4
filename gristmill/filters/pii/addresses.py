"""E-mail addresses and public IPv4 addresses, as spans of a batch."""

from __future__ import annotations

import functools
import string
from typing import Final

import numpy as np
import numpy.typing as npt

from gristmill.characters import character_classes
from gristmill.filters.pii import _kernels
from gristmill.text import Integers, TextBatch

Pairs = tuple[Integers, Integers]

# Networks that are not globally reachable: IANA's special-purpose registry of IPv4, as Python's `is_global` reads it
# since 3.12.4. Multicast counts as public there.
RESERVED: Final = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/29",
    "192.0.0.8/32", "192.0.0.11/32", "192.0.0.12/30", "192.0.0.16/28", "192.0.0.32/27", "192.0.0.64/26",
    "192.0.0.128/25", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "240.0.0.0/4",
)  # fmt: skip


def emails(batch: TextBatch) -> Pairs:
    """Return where e-mail addresses start and end: those that datatrove's pattern finds, from the left."""
    at = batch.with_bounds(np.flatnonzero(batch.data == ord("@")))
    starts, ends = np.empty(len(at[0]), np.int64), np.empty(len(at[0]), np.int64)
    total = _kernels.find_emails(batch.data, at, (_byte_kinds(), character_classes()), (starts, ends))
    return starts[:total], ends[:total]


def ips(batch: TextBatch) -> Pairs:
    """Return where public IPv4 addresses start and end: four numbers, not part of a longer dotted number."""
    data = batch.data
    dots = np.flatnonzero(data == ord("."))
    dots = dots[(dots > 0) & (dots < len(data) - 1)]
    dots = dots[_is_digit(data[dots - 1]) & _is_digit(data[dots + 1])]
    at = batch.with_bounds(dots)
    inside = (dots > at[1]) & (dots < at[2] - 1)
    at = (at[0][inside], at[1][inside], at[2][inside])
    starts, ends = np.empty(len(at[0]), np.int64), np.empty(len(at[0]), np.int64)
    total = _kernels.find_ips(data, at, _reserved(), (starts, ends))
    return starts[:total], ends[:total]


def _is_digit(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    digit: npt.NDArray[np.bool_] = (data >= ord("0")) & (data <= ord("9"))
    return digit


@functools.cache
def _byte_kinds() -> npt.NDArray[np.uint8]:
    kinds = np.zeros(256, np.uint8)
    alphanumeric = string.ascii_letters + string.digits
    for characters, bit in (
        (alphanumeric + "!#$%&'*+/=?^_`{|}~-", _kernels.LOCAL),
        (alphanumeric, _kernels.LABEL),
        (alphanumeric + "-", _kernels.INNER),
    ):
        kinds[[ord(character) for character in characters]] |= bit
    kinds.flags.writeable = False
    return kinds


@functools.cache
def _reserved() -> Pairs:
    networks, masks = [], []
    for text in RESERVED:
        address, _, bits = text.partition("/")
        first = int.from_bytes(bytes(map(int, address.split("."))), "big")
        networks.append(first)
        masks.append(0xFFFFFFFF << (32 - int(bits)) & 0xFFFFFFFF)
    arrays = np.array(networks, np.int64), np.array(masks, np.int64)
    for array in arrays:
        array.flags.writeable = False
    return arrays
