r"""The layout of KenLM's files, read far enough to know that a file is whole.

KenLM maps a binary file and believes it: one that was cut short ends the process when its missing part is read. Layout
(``lm/binary_format.cc``): magic, test values, the order, how full the tables are, the kind, whether words follow, the
counts of n-grams; the tables; and, if they follow, the words from ``<unk>`` on, each ended by NUL. An ARPA file begins
with ``\data\`` and ends with ``\end\``.
"""

from __future__ import annotations

import mmap
import re
import struct
from pathlib import Path
from typing import Final

import numpy as np

from gristmill.errors import CorruptError

MAGIC: Final = b"mmap lm http://kheafield.com/code"
ARPA: Final = b"\\data\\"

_MAGIC_LINE: Final = MAGIC + b" format version 5\n\0"
_TESTS: Final = struct.Struct("<3f3IQ")
_TEST_VALUES: Final = (0.0, 1.0, -0.5, 1, 0xFFFFFFFF, 0, 1)
_TESTS_AT: Final = 56
_FIXED: Final = struct.Struct("<B3xfi?3xI")
_COUNTS_AT: Final = _TESTS_AT + _TESTS.size + _FIXED.size
_KINDS: Final = 6
_FIRST_PROBING_KINDS: Final = 2
_MOST_ORDER: Final = 16
_ARPA_HEAD: Final = re.compile(rb"\s*\\data\\\s*\nngram\s+1\s*=\s*\d")
_UNKNOWN: Final = b"<unk>\0"
_TAIL: Final = 4096
_LONGEST_MEAN_WORD: Final = 256


def check_kenlm_file(path: Path) -> None:
    """Check that a file is a whole KenLM model, binary or ARPA. Raises CorruptError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size == 0:
            raise CorruptError(f"model {path} is empty; fetch it again")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[: len(MAGIC)] == MAGIC:
                _check_binary(data, path)
            else:
                _check_arpa(data, path)


def _check_arpa(data: mmap.mmap, path: Path) -> None:
    if _ARPA_HEAD.match(data[:_TAIL]) is None:
        raise CorruptError(f"model {path} is neither KenLM's binary format nor ARPA, or cut short at its begin")
    if not data[-_TAIL:].rstrip().endswith(b"\n\\end\\"):
        raise CorruptError(f"model {path} is cut short: {len(data):,} bytes without \\end\\; fetch or train it again")


def _check_binary(data: mmap.mmap, path: Path) -> None:
    try:
        needed, words = _measured(data, path)
    except struct.error as error:
        raise CorruptError(f"model {path} is cut short: it has {len(data):,} bytes; fetch it again") from error
    if len(data) < needed:
        raise CorruptError(
            f"model {path} is cut short: {len(data):,} bytes, its tables alone need {needed:,}; fetch it again"
        )
    if words:
        _check_words(data, needed, words, path)


def _measured(data: mmap.mmap, path: Path) -> tuple[int, int]:
    """Return the least bytes of the header and the tables, and how many words follow them."""
    if data[: len(_MAGIC_LINE)] != _MAGIC_LINE or _TESTS.unpack_from(data, _TESTS_AT) != _TEST_VALUES:
        raise CorruptError(f"model {path} is of another version of KenLM, or of another kind of machine: build it anew")
    order, multiplier, kind, has_words, _ = _FIXED.unpack_from(data, _TESTS_AT + _TESTS.size)
    if not 1 <= order <= _MOST_ORDER or not 0 <= kind < _KINDS or not multiplier > 0:
        raise CorruptError(f"model {path} has a damaged header: order {order}, kind {kind}; fetch it again")
    counts = struct.unpack_from(f"<{order}Q", data, _COUNTS_AT)
    header = -(-(_COUNTS_AT + 8 * order) // 8) * 8
    tables = _hashed(counts, multiplier) if kind < _FIRST_PROBING_KINDS else 24 * counts[0]
    return header + tables, counts[0] if has_words else 0


def _hashed(counts: tuple[int, ...], multiplier: float) -> int:
    """Return the bytes of hash tables: 12 an entry for words and the longest n-grams, 16 between, and 8 a unigram."""
    buckets = [max(n + 1, int(np.float32(multiplier) * np.float32(n))) for n in counts]
    longer = [16 * n for n in buckets[1:-1]] + [12 * n for n in buckets[1:][-1:]]
    return 8 + 12 * buckets[0] + 8 * (counts[0] + 1) + sum(longer)


def _check_words(data: mmap.mmap, start: int, words: int, path: Path) -> None:
    """Check that all words are there; in a trie, the tables end somewhere behind ``start``."""
    first = data.rfind(_UNKNOWN, max(start, len(data) - _LONGEST_MEAN_WORD * (words + 1)))
    found = data[first:].count(b"\0") if first >= 0 else 0
    if found < words or data[-1] != 0:
        raise CorruptError(
            f"model {path} is cut short: {found:,} of its {words:,} words are in {len(data):,} bytes; fetch it again"
        )
