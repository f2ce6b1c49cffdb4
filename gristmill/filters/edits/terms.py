"""Finding a few fixed terms in every line, whatever their case, in one pass over the bytes (Aho and Corasick 1975)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

Automaton = tuple[npt.NDArray[np.int16], npt.NDArray[np.uint32]]

# The only character outside ASCII whose lower case is a letter of ASCII: the Kelvin sign.
_ALSO = {"k": ("k", "\u212a")}


def automaton(terms: Sequence[str]) -> Automaton:
    """Return the next state by state and byte, and the bits of each state: bit *i* says that term *i* ends here.

    Terms are lower-case ASCII, at most 32 of them. They are found where ``term in line.lower()`` finds them.
    """
    states: list[dict[int, int]] = [{}]
    bits = [0]
    for number, term in enumerate(terms):
        for spelling in _spellings(term):
            _insert(spelling.encode(), 1 << number, states, bits)
    following = np.zeros((len(states), 256), np.int16)
    fails = [0] * len(states)
    queue = [0]
    for state in queue:
        following[state] = following[fails[state]] if state else 0
        for byte, after in states[state].items():
            fails[after] = int(following[state, byte]) if state else 0
            bits[after] |= bits[fails[after]]
            following[state, byte] = after
            queue.append(after)
    following[:, ord("A") : ord("Z") + 1] = following[:, ord("a") : ord("z") + 1]
    found = np.array(bits, np.uint32)
    for array in (following, found):
        array.flags.writeable = False
    return following, found


def _spellings(term: str) -> list[str]:
    return ["".join(letters) for letters in product(*(_ALSO.get(letter, (letter,)) for letter in term))]


def _insert(term: bytes, bit: int, states: list[dict[int, int]], bits: list[int]) -> None:
    state = 0
    for byte in term:
        if byte not in states[state]:
            states[state][byte] = len(states)
            states.append({})
            bits.append(0)
        state = states[state][byte]
    bits[state] |= bit
