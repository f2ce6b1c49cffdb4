"""The sample's prose: paragraphs written for gristmill, by language and subject, and the articles made of them.

`prose/<language>.txt` holds blocks separated by blank lines. A first block of `@key value` lines gives what fills
the gaps (names, places, months), the phrases around an article (menu, footer, cookie notice), and the leads: opening
sentences with gaps. A block that starts with `# name: topic` opens a subject and lists its titles as `= title` lines.
Every other block is one paragraph.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import count

from gristmill.sample.draw import choose, draw, shuffled

MOST_OVERLAP = 0.5
"""Largest share of paragraphs that two articles have in common (of those that either has)."""

_SIZES = (3, 3, 4, 4, 4, 5, 5, 6)
_TRIES = 400


@dataclass(frozen=True)
class Subject:
    """One subject's titles and paragraphs."""

    name: str
    topic: str
    titles: tuple[str, ...]
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Prose:
    """All that is written in one language; ``phrases`` maps each ``@key`` to its values."""

    language: str
    phrases: dict[str, tuple[str, ...]]
    subjects: tuple[Subject, ...]


@dataclass(frozen=True)
class Article:
    """A title and paragraphs; the first paragraph is a lead that no other article has. Numbered within its language."""

    language: str
    number: int
    subject: str
    title: str
    paragraphs: tuple[str, ...]

    @property
    def text(self) -> str:
        """The title and the paragraphs, one a line: what an extractor should find."""
        return "\n".join((self.title, *self.paragraphs))


@cache
def load_prose(language: str) -> Prose:
    """Return the prose of a language that `prose/` has a file for."""
    text = files("gristmill.sample").joinpath("prose", f"{language}.txt").read_text(encoding="utf-8")
    head, *blocks = text.strip().split("\n\n")
    subjects: list[Subject] = []
    for block in blocks:
        if block.startswith("# "):
            subjects.append(_subject(block))
        else:
            last = subjects.pop()
            subjects.append(Subject(last.name, last.topic, last.titles, (*last.paragraphs, block)))
    return Prose(language, _phrases(head), tuple(subjects))


def articles(language: str, seed: int) -> Iterator[Article]:
    """Yield articles that share at most half of their paragraphs pairwise, subject by subject in turn.

    Ends when no subject has a further set of paragraphs that keeps to this.
    """
    prose = load_prose(language)
    taken: dict[str, list[frozenset[int]]] = {subject.name: [] for subject in prose.subjects}
    missed = 0
    for number in count():
        subject = prose.subjects[number % len(prose.subjects)]
        chosen = _paragraphs(subject, taken[subject.name], (seed, language, number))
        if chosen:
            missed = 0
            taken[subject.name].append(frozenset(chosen))
            yield _article(prose, subject, chosen, seed, number)
        else:
            missed += 1
        if missed == len(prose.subjects):
            return


def _subject(block: str) -> Subject:
    first, *rest = block.splitlines()
    name, _, topic = first.removeprefix("# ").partition(": ")
    return Subject(name, topic, tuple(line.removeprefix("= ") for line in rest), ())


def _phrases(head: str) -> dict[str, tuple[str, ...]]:
    """Return the values of each key: split at `; `, except for leads, which are one a line."""
    phrases: dict[str, tuple[str, ...]] = {}
    for line in head.splitlines():
        key, _, value = line.removeprefix("@").partition(" ")
        values = (value,) if key == "lead" else tuple(value.split("; "))
        phrases[key] = phrases.get(key, ()) + values
    return phrases


def _paragraphs(subject: Subject, taken: list[frozenset[int]], key: tuple[object, ...]) -> list[int] | None:
    """Return which paragraphs to take, in order, or None when no try was far enough from those taken."""
    for attempt in range(_TRIES):
        size = min(choose(_SIZES, *key, "size", attempt), len(subject.paragraphs))
        chosen = shuffled(range(len(subject.paragraphs)), *key, "paragraphs", attempt)[:size]
        if all(_overlap(frozenset(chosen), other) <= MOST_OVERLAP for other in taken):
            return chosen
    return None


def _overlap(first: frozenset[int], second: frozenset[int]) -> float:
    return len(first & second) / len(first | second)


def _article(prose: Prose, subject: Subject, chosen: list[int], seed: int, number: int) -> Article:
    phrases, key = prose.phrases, (seed, prose.language, number)
    lead = choose(phrases["lead"], *key, "lead").format(
        name=choose(phrases["names"], *key, "name"),
        place=choose(phrases["places"], *key, "place"),
        month=choose(phrases["months"], *key, "month"),
        year=1998 + draw(26, *key, "year"),
        number=7 + draw(42, *key, "number"),
        topic=subject.topic,
    )
    title = choose(subject.titles, *key, "title")
    body = (subject.paragraphs[place] for place in chosen)
    return Article(prose.language, number, subject.name, title, (lead, *body))
