"""Lists of words by language, from the files that projects publish.

A file of words is named after its language, such as ``fr.txt`` or LDNOOBW's ``fr``, with a word a line; or it is
FineWeb-2's of a language, such as ``fra_Latn.yml``, whose stop words are taken; or one JSON file, packed by gzip or
not, maps languages to their words. Files of one language are one list. All else in a folder or an archive is passed
over, unread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from gristmill.errors import CorruptError
from gristmill.filters.rules.fineweb2 import read_stop_words
from gristmill.filters.rules.labels import names_of
from gristmill.pipeline.list_files import contents, find_files, unpacked

_JSON: Final = (".json", ".json.gz")
_TEXT = re.compile(r"([a-z][\w-]*)\.txt|([a-z]{2,3}(?:[_-][A-Za-z0-9]+)*)")
_CONFIG = re.compile(r"([a-z]{3}_[A-Z][a-z]{3})\.yml")
_LINE_END = re.compile(r"\r\n|\r|\n")


def read_words(where: str) -> dict[str, list[str]]:
    """Return the words of each language, sorted, each once, under every label that the language may have.

    Labels are in order. A language that has a list of its own under a label keeps it. Raises MissingError if there is
    nothing, CorruptError if what is there is no list of words.
    """
    found: dict[str, list[str]] = {}
    for path, data in contents(find_files(where), _is_list):
        for label, words in _words(path, data).items():
            _check_text(path, label, words)
            found.setdefault(label, []).extend(words)
    if not any(found.values()):
        raise CorruptError(f"{where} holds no list of words: no fr.txt, fra_Latn.yml or the like with words in it")
    return _by_label({label: sorted(set(words)) for label, words in found.items()})


def _is_list(name: str) -> bool:
    return name.endswith(_JSON) or (_CONFIG.fullmatch(name) or _TEXT.fullmatch(name)) is not None


def _words(path: str, data: bytes) -> Mapping[str, Sequence[str]]:
    """Return the words by language that a file holds, whose name tells its kind."""
    name = path.rpartition("/")[2]
    if name.endswith(_JSON):
        return _from_json(path, data)
    if match := _CONFIG.fullmatch(name):
        return {match[1]: read_stop_words(match[1], data)}
    match = _TEXT.fullmatch(name)
    assert match is not None, name
    return {match[1] or match[2]: _lines(path, data)}


def _check_text(path: str, label: str, words: Sequence[str]) -> None:
    """Raise CorruptError for what no text can hold: half of a pair of surrogates, which JSON and YAML can write."""
    try:
        "".join((label, *words)).encode()
    except UnicodeEncodeError as error:
        raise CorruptError(f"{path} has words of {label!r} that are no text: {error}") from error


def _by_label(found: dict[str, list[str]]) -> dict[str, list[str]]:
    by_label = dict(found)
    for name in sorted(found):
        for label in names_of(name):
            by_label.setdefault(label, found[name])
    return dict(sorted(by_label.items()))


def _lines(path: str, data: bytes) -> list[str]:
    """Return the lines, which LF, CR or both end, without white space around them, and without the empty ones."""
    try:
        lines = _LINE_END.split(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise CorruptError(f"{path} is no list of words: {error}") from error
    return [word for line in lines if (word := line.strip())]


def _from_json(path: str, data: bytes) -> dict[str, list[str]]:
    try:
        value = json.loads(unpacked(path, data))
    except RecursionError as error:
        raise CorruptError(f"{path} is no JSON: it is nested too deep") from error
    except ValueError as error:
        raise CorruptError(f"{path} is no JSON: {error}") from error
    is_sound = isinstance(value, dict) and all(
        isinstance(words, list) and all(isinstance(word, str) for word in words) for words in value.values()
    )
    if not is_sound:
        raise CorruptError(f"{path} does not map languages to lists of words")
    return {label: [word.strip() for word in words if word.strip()] for label, words in value.items()}
