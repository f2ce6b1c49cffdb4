"""Published lists that signals read: read when a recipe is planned, and kept under the digest of what they say.

That digest is among the versions of the step, so another list is another layer, and the same list is the same wherever
it lies and however it is packed. Processes that measure read what was kept, and the list itself only where nothing was.
A list whose files have the names, sizes and times that they had before is not read again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final

from gristmill.cache import cache_folder
from gristmill.crawl.urls.categories import keep_categories, open_categories
from gristmill.errors import CorruptError, GristmillError, MissingError, RecipeError, StaleError
from gristmill.filters.signals.families import FAMILIES, SIGNALS, lists_needed, selected
from gristmill.filters.signals.settings import LISTS, SignalsSettings
from gristmill.filters.signals.word_lists import WordLists
from gristmill.pipeline.list_files import find_files, state_of
from gristmill.pipeline.plan import digest_of
from gristmill.pipeline.storage import Folder
from gristmill.pipeline.word_files import read_words

FORMAT: Final = 1
"""Raise it when what is kept of a list changes."""


@dataclass(frozen=True)
class ListKind:
    """One of the lists: how to get it, how it is read from where it lies and kept, and how what was kept is opened.

    ``read`` returns the digest of what a list says after it is kept; ``opened`` raises MissingError and CorruptError
    where nothing, or nothing whole, is kept under a digest.
    """

    way_out: str
    read: Callable[[str], str]
    opened: Callable[[str], Any]


def list_digests(settings: SignalsSettings) -> dict[str, str]:
    """Return the digest of each list that the chosen signals need, by its name among a step's versions.

    Labels that a recipe gives to languages of the lists count as what these say. Raises RecipeError for a list that is
    needed and not named, or named and not needed, and for a label of a language that is not in them; MissingError and
    CorruptError for a list that cannot be read.
    """
    needed = lists_needed(settings)
    for name in LISTS:
        if name not in needed and getattr(settings.lists, name) is not None:
            families = [family for family in FAMILIES if any(name in SIGNALS[s].lists for s in FAMILIES[family])]
            raise RecipeError(f"no family here reads lists.{name}; add {' or '.join(families)} to families, or drop it")
    digests = {_version(name): _digest(name, _where(name, settings)) for name in needed}
    if not settings.lists.labels:
        return digests
    _check_labels(settings.lists.labels, {name: digests[_version(name)] for name in needed if name in WORDS})
    return digests | {_version("labels"): digest_of(settings.lists.labels)}


def _check_labels(labels: Mapping[str, str], digests: Mapping[str, str]) -> None:
    """Raise RecipeError for labels that no list needs, or whose languages are in none."""
    if not digests:
        raise RecipeError("no family here reads lists.labels; they are of lists of words, so drop them")
    opened = [KINDS[name].opened(digest).words for name, digest in digests.items()]
    for language in labels:
        if not any(language in words for words in opened):
            near = get_close_matches(language, {name for words in opened for name in words}, n=3)
            hint = f"; did you mean {' or '.join(sorted(near))}?" if near else ""
            raise RecipeError(f"lists.labels: no list here has words of '{language}'{hint}")


def open_lists(settings: SignalsSettings, versions: Mapping[str, str]) -> dict[str, Any]:
    """Return the lists that the chosen signals need, as they were when the plan was made.

    Raises MissingError and CorruptError, and StaleError if a list says something else by now.
    """
    found = {name: _opened(name, _where(name, settings), versions[_version(name)]) for name in lists_needed(settings)}
    return found | _labelled(settings, {name: opened for name, opened in found.items() if name in WORDS})


def open_words(settings: SignalsSettings, versions: Mapping[str, str]) -> dict[str, WordLists]:
    """Return the lists of words among them, with the labels that a recipe gives. Raises as `open_lists`."""
    needed = [name for name in lists_needed(settings) if name in WORDS]
    return _labelled(settings, {name: KINDS[name].opened(versions[_version(name)]) for name in needed})


def _labelled(settings: SignalsSettings, opened: Mapping[str, WordLists]) -> dict[str, WordLists]:
    labels = {label: language for language, label in settings.lists.labels.items()}
    return {name: replace(words, labels=labels) for name, words in opened.items()}


def _where(name: str, settings: SignalsSettings) -> str:
    where: str | None = getattr(settings.lists, name)
    if where is None:
        family = next(s.family for s in selected(settings) if name in s.lists)
        raise RecipeError(
            f"family '{family}' needs a list that gristmill does not hold: write lists: {{{name}: PATH}}, the path or "
            f"URL of a folder or an archive; {KINDS[name].way_out}"
        )
    return where


def _digest(name: str, where: str) -> str:
    """Return a list's digest; the list is read only if its files, or what was kept of it, are not as they were."""
    kind = KINDS[name]
    try:
        seen = _seen(name, where)
        if seen is not None and _kept().exists(seen):
            digest = _kept().read_bytes(seen).decode("ascii", "replace")
            if _is_kept(kind, digest):
                return digest
        digest = kind.read(find_files(where).address)
        if seen is not None and _seen(name, where) == seen:
            _kept().write_bytes(seen, digest.encode())
    except GristmillError as error:
        way_out = f"; {kind.way_out}" if isinstance(error, MissingError) else ""
        error.args = (f"lists.{name}: {error}{way_out}",)
        raise
    return digest


def _seen(name: str, where: str) -> str | None:
    """Return under which name the digest is kept of a list whose files are as they are now; None while they are new."""
    state = state_of(find_files(where))
    return None if state is None else f"{digest_of(FORMAT, name, where, state)}.seen"


def _opened(name: str, where: str, digest: str) -> Any:
    with suppress(MissingError, CorruptError):
        return KINDS[name].opened(digest)
    if _digest(name, where) != digest:
        raise StaleError(f"lists.{name} does not say what it did when the plan was made; run the recipe again")
    return KINDS[name].opened(digest)


def _is_kept(kind: ListKind, digest: str) -> bool:
    try:
        kind.opened(digest)
    except (MissingError, CorruptError):
        return False
    return True


def _read_words(where: str) -> str:
    words = read_words(where)
    digest = digest_of(words)
    _kept().write_bytes(f"{digest}.json", json.dumps(words, ensure_ascii=False).encode())
    return digest


def _open_words(digest: str) -> WordLists:
    words = _kept().read_json(f"{digest}.json")
    if digest_of(words) != digest:
        raise CorruptError(f"{_kept().path(digest)}.json was altered; delete it")
    return WordLists({label: tuple(listed) for label, listed in words.items()})


def _kept() -> Folder:
    return Folder(str(cache_folder("lists")))


def _version(name: str) -> str:
    return f"list.{name}"


WORDS: Final = ("stop_words", "bad_words")
"""The lists of words by language."""

KINDS: Final[Mapping[str, ListKind]] = MappingProxyType(
    {
        "stop_words": ListKind(
            "FineWeb-2's are in https://github.com/huggingface/fineweb-2, in its folder configs",
            _read_words,
            _open_words,
        ),
        "bad_words": ListKind(
            "git clone https://github.com/LDNOOBW/List-of-Dirty-Naughty-Obscene-and-Otherwise-Bad-Words",
            _read_words,
            _open_words,
        ),
        "ut1": ListKind(
            "UT1's archive is https://dsi.ut-capitole.fr/blacklists/download/blacklists.tar.gz",
            keep_categories,
            open_categories,
        ),
    }
)
