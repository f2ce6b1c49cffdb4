"""Slow, obvious twins of the kernels and signals: one text at a time, plain strings, no sharing.

Each says what its fast twin must return; nothing here is tuned. ``re`` and ``str`` methods are the definitions.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from datatrove.utils.text import TERMINAL_PUNCTUATION, split_into_words

from gristmill import characters
from gristmill.filters.signals.gopher_quality import STOP_WORDS

# --- words -----------------------------------------------------------------------------------------------------------

RUN = {characters.LETTER, characters.HEBREW, characters.NUMBER, characters.JOINER}
MIDS = {characters.MID_LETTER, characters.MID_NUMBER, characters.MID_BOTH, characters.DOUBLE_QUOTE}
LETTERS = {characters.LETTER, characters.HEBREW}
MARKS = {characters.FORMAT, characters.EXTEND}


@functools.cache
def break_classes() -> bytes:
    return characters.word_breaks().tobytes()


def break_class(character: str) -> int:
    return break_classes()[ord(character)]


def unicode_words(text: str) -> list[str]:
    """Grow a word character by character; start anew where the next one may not join it."""
    words: list[str] = []
    core: list[int] = []  # classes of the last word's characters that are neither marks nor invisible
    growing = False
    for i, character in enumerate(text):
        kind = break_class(character)
        if kind == characters.BLANK:
            growing = False
        elif kind in MARKS and growing:
            words[-1] += character
        elif kind == characters.FORMAT:
            pass
        elif growing and _may_join(core, list(itertools.islice(_visible_classes(text, i), 2))):
            words[-1] += character
            core.append(kind)
        else:
            words.append(character)
            core = [] if kind in MARKS else [kind]
            growing = True
    return words


def _visible_classes(text: str, start: int) -> Iterator[int]:
    """The classes of the characters from ``start`` on that are neither marks nor invisible."""
    kinds = (break_class(text[i]) for i in range(start, len(text)))
    return (kind for kind in kinds if kind not in MARKS)


def _may_join(core: list[int], after: list[int]) -> bool:
    """Whether a character, the first of ``after``, continues a word of the classes ``core``."""
    if core and core[0] == characters.SINGLE:
        return False
    if core and core[0] in RUN:
        if after[0] in RUN:
            return True
        return after[0] in MIDS and len(after) > 1 and _is_joined(core[-1], *after)
    return after[0] == characters.OTHER or after[0] in MIDS  # symbols, or marks that nothing goes before


def _is_joined(before: int, mid: int, after: int) -> bool:
    """UAX 29: WB6 and WB7 (letters), WB11 and WB12 (digits), WB7b and WB7c (Hebrew)."""
    if before in LETTERS and after in LETTERS:
        if mid == characters.DOUBLE_QUOTE:
            return before == after == characters.HEBREW
        return mid in (characters.MID_LETTER, characters.MID_BOTH)
    if before == after == characters.NUMBER:
        return mid in (characters.MID_NUMBER, characters.MID_BOTH)
    return False


def words_of(text: str, words: str = "unicode") -> list[str]:
    """The words of a kind; spaCy's are those that datatrove asks it for."""
    if words == "spacy":
        return split_into_words(text) if text else []
    return text.split() if words == "whitespace" else unicode_words(text)


# --- characters ------------------------------------------------------------------------------------------------------


def character_class(character: str, punctuation: frozenset[str]) -> int:
    bits = {
        characters.ALPHA: character.isalpha(),
        characters.SPACE: character.isspace(),
        characters.PUNCTUATION: character in punctuation,
        characters.LINE_BREAK: len(f"a{character}b".splitlines()) == 2,
        characters.ALPHANUMERIC: character.isalnum(),
        characters.TERMINAL: character in TERMINAL_PUNCTUATION,
        characters.MARK: unicodedata.category(character).startswith("M"),
    }
    return sum(bit for bit, held in bits.items() if held)


def is_punctuation(character: str) -> bool:
    return bool(characters.character_classes()[ord(character)] & characters.PUNCTUATION)


# --- signals ---------------------------------------------------------------------------------------------------------


def ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def quality(text: str, words: list[str]) -> dict[str, float]:
    with_text = [w for w in words if not all(is_punctuation(c) for c in w)]
    lines = text.splitlines()
    return {
        "word_count": len(with_text),
        "mean_word_length": ratio(sum(map(len, with_text)), len(with_text)),
        "hash_word_ratio": ratio(text.count("#"), len(words)),
        "ellipsis_word_ratio": ratio(text.count("...") + text.count("…"), len(words)),
        "bullet_line_ratio": ratio(sum(line.lstrip().startswith(("•", "-")) for line in lines), len(lines)),
        "ellipsis_line_ratio": ratio(sum(line.rstrip().endswith(("...", "…")) for line in lines), len(lines)),
        "alphabetic_word_ratio": ratio(sum(any(c.isalpha() for c in w) for w in words), len(words)),
        "stop_word_count": len(set(STOP_WORDS) & set(words)),
    }


def repetition(text: str, words: list[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, pieces in (
        ("paragraph", re.split(r"\n{2,}", text.strip())),
        ("line", re.split(r"\n+", text)),
    ):
        copies = further_copies(pieces)
        found[f"dup_{name}_ratio"] = ratio(len(copies), len(pieces))
        found[f"dup_{name}_char_ratio"] = ratio(sum(map(len, copies)), len(text))
    for n in (2, 3, 4):
        found[f"top_{n}gram_char_ratio"] = ratio(top_ngram_characters(words, n), len(text))
    for n in range(5, 11):
        found[f"dup_{n}gram_char_ratio"] = ratio(repeated_ngram_characters(words, n), len(text))
    return found


def further_copies(pieces: list[str]) -> list[str]:
    return [piece for i, piece in enumerate(pieces) if piece in pieces[:i]]


def ngrams(words: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def top_ngram_characters(words: list[str], n: int) -> int:
    counts = Counter(ngrams(words, n))
    if not counts:
        return 0
    top, count = max(counts.items(), key=lambda item: item[1])  # the first of the most frequent, as Counter keeps order
    return len(" ".join(top)) * count


def repeated_ngram_characters(words: list[str], n: int) -> int:
    met: set[tuple[str, ...]] = set()
    characters_, i = 0, 0
    while i + n <= len(words):
        ngram = tuple(words[i : i + n])
        if ngram in met:
            characters_ += len("".join(ngram))
            i += n
        else:
            met.add(ngram)
            i += 1
    return characters_
