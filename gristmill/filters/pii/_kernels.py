"""The loops that find e-mail and IP addresses: each byte is looked at a bounded number of times, whatever the text.

``lows`` and ``highs`` are where the row of each candidate starts and ends in ``data``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gristmill._kernels import decode
from gristmill.characters import ALPHANUMERIC
from gristmill.jit import inlined, kernel

Array = Any  # a NumPy array; its items are ints to a reader and machine integers to a kernel
Integer = Any  # an int or a NumPy integer: the same to a kernel

# bits of a byte's kind
LOCAL = 1  # may stand in the part before the @
LABEL = 2  # letter or digit, which a host's label starts and ends with
INNER = 4  # may stand within a label


@inlined
def _is_word(data: Array, i: Integer, classes: Array) -> bool:
    r"""Return whether the character at ``i`` is one of those that a pattern's ``\w`` means."""
    point, _ = decode(data, i)
    return bool(point == 0x5F or classes[point] & ALPHANUMERIC != 0)


@inlined
def _local_start(data: Array, low: Integer, at: Integer, row: Integer, kinds: Array, classes: Array) -> Integer:
    """Return the leftmost start of a local part that ends at ``at``, at a word boundary; ``at`` if there is none."""
    if at == low or data[at - 1] == 0x2E:
        return at
    i = at
    while i > low:
        byte = data[i - 1]
        if not (kinds[byte] & LOCAL or (byte == 0x2E and data[i] != 0x2E)):
            break
        i -= 1
    while i < at:
        if data[i] != 0x2E:
            word = kinds[data[i]] & LABEL != 0 or data[i] == 0x5F
            before = False
            if i > row:
                p = i - 1
                while data[p] & 0xC0 == 0x80:
                    p -= 1
                before = _is_word(data, p, classes)
            if word != before:
                return i
        i += 1
    return at


@inlined
def _host_end(data: Array, start: Integer, high: Integer, kinds: Array) -> Integer:
    """Return the end of the host name of two labels or more that starts at ``start``; 0 if there is none."""
    end = labels = 0
    i = start
    while i < high and kinds[data[i]] & LABEL:
        last = i + 1
        while i < high and kinds[data[i]] & INNER:
            i += 1
            if kinds[data[i - 1]] & LABEL:
                last = i
        if labels:
            end = last
        if i >= high or data[i] != 0x2E or last != i:
            break
        labels += 1
        i += 1
    return end


@inlined
def _octet_end(data: Array, i: Integer, high: Integer) -> Integer:
    """Return the end of the digits at ``i`` if they are 1 to 3 and at most 255, else 0."""
    start = i
    value = 0
    while i < high and 0x30 <= data[i] <= 0x39 and i - start < 4:
        value = value * 10 + data[i] - 0x30
        i += 1
    return i if 1 <= i - start <= 3 and value <= 255 else 0


@inlined
def _bracket_end(data: Array, start: Integer, high: Integer, kinds: Array) -> Integer:
    """Return the end of an address in brackets, as RFC 2822 has it, that starts at ``start``; 0 if there is none."""
    i = start + 1
    for _ in range(3):
        i = _octet_end(data, i, high)
        if not i or i >= high or data[i] != 0x2E:
            return 0
        i += 1
    octet = _octet_end(data, i, high)
    if octet and octet < high and data[octet] == 0x5D:
        return octet + 1
    begin = i
    while i < high and kinds[data[i]] & INNER:
        i += 1
    if i > begin and kinds[data[i - 1]] & LABEL and i + 1 < high and data[i] == 0x3A and data[i + 1] == 0x5D:
        return i + 2
    return 0


@kernel
def find_emails(data: Array, ats: tuple[Array, Array, Array], tables: tuple[Array, Array], spans: Any) -> int:
    """Fill in the spans of e-mail addresses; return their number.

    ``ats`` are the positions of ``@`` with the bounds of their rows; ``tables`` the kinds of bytes and of characters.
    """
    at, lows, highs = ats
    kinds, classes = tables
    starts, ends = spans
    n = done = 0
    for k in range(at.shape[0]):
        start = _local_start(data, max(lows[k], done), at[k], lows[k], kinds, classes)
        if start == at[k] or at[k] + 1 >= highs[k]:
            continue
        end = _host_end(data, at[k] + 1, highs[k], kinds)
        if data[at[k] + 1] == 0x5B:
            end = _bracket_end(data, at[k] + 1, highs[k], kinds)
        if end:
            starts[n] = start
            ends[n] = done = end
            n += 1
    return n


@kernel
def find_ips(data: Array, dots: tuple[Array, Array, Array], reserved: tuple[Array, Array], spans: Any) -> int:
    """Fill in the spans of public IPv4 addresses; return their number.

    ``dots`` are full stops between two digits with the bounds of their rows; ``reserved`` are the first addresses and
    the masks of networks that are not public. Numbers with more or fewer than three such stops are no addresses.
    """
    at, lows, highs = dots
    networks, masks = reserved
    starts, ends = spans
    n = done = 0
    for k in range(at.shape[0]):
        if at[k] < done:
            continue
        start = at[k]
        while start > lows[k] and 0x30 <= data[start - 1] <= 0x39:
            start -= 1
        address = np.int64(0)
        groups = 0
        valid = True
        i = start
        while i < highs[k] and 0x30 <= data[i] <= 0x39:
            begin = i
            value = np.int64(0)
            while i < highs[k] and 0x30 <= data[i] <= 0x39:
                value = min(value * 10 + data[i] - 0x30, np.int64(999))
                i += 1
            valid &= bool(value <= 255 and (data[begin] != 0x30 or i - begin == 1))
            address = (address << 8 | value) & 0xFFFFFFFFFF
            groups += 1
            if i + 1 >= highs[k] or data[i] != 0x2E or not 0x30 <= data[i + 1] <= 0x39:
                break
            i += 1
        done = i
        if valid and groups == 4:
            public = True
            for m in range(networks.shape[0]):
                public = public and address & masks[m] != networks[m]
            if public:
                starts[n] = start
                ends[n] = i
                n += 1
    return n
