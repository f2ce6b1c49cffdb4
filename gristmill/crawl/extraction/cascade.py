"""The cascade: a cheap text of every page first, and trafilatura only for the pages that can survive with it.

A screen tells which cheap texts are certain to be dropped by the stages that follow; such a page keeps its cheap text,
so that the stage that was foreseen drops it. All others are extracted again. What a screen knows belongs to other parts
of gristmill, so it is handed in. It is asked about many texts at once, which costs a fifth of asking one by one.

A page that has no cheap text, for whatever reason but its depth, is left to trafilatura: its fate is what it would have
been without a cascade.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import pyarrow as pa

from gristmill.crawl import fates
from gristmill.crawl.extraction.pool import Pool
from gristmill.crawl.extraction.protocol import Answer, Page

Screen = Callable[[pa.Array], Sequence[bool]]
"""Which of these texts, as they would be stored, can survive. A text's verdict does not depend on the others."""

_PAGES_AT_ONCE = 32
_BYTES_AT_ONCE = 4 << 20
_PAGES_AHEAD = 64
_BYTES_AHEAD = 8 << 20


@dataclass
class _Place:
    """A page in the order of pages, the columns that came with its cheap text, and its answer once that is settled."""

    page: Page
    columns: tuple[str | None, ...] = ()
    answer: Answer | None = None


class Cascade:
    """Extracts pages in order, by a pool and a screen. It is used as a pool is."""

    def __init__(self, pool: Pool, screen: Screen) -> None:
        """Take a pool, whose settings are a cascade's, and end it with this."""
        self._pool = pool
        self._screen = screen
        self._places: deque[_Place] = deque()
        self._asked: deque[_Place] = deque()
        self._unscreened: list[tuple[_Place, Answer]] = []
        self._bytes_ahead = 0

    def __enter__(self) -> Self:
        """Return the cascade."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the process."""
        self.close()

    @property
    def has_room(self) -> bool:
        """True if another page may be submitted before an answer is taken."""
        return len(self._places) < _PAGES_AHEAD and self._bytes_ahead < _BYTES_AHEAD

    @property
    def process_id(self) -> int | None:
        """The kernel's number of the extraction process; None if there is none now."""
        return self._pool.process_id

    def submit(self, page: Page) -> None:
        """Add a page; it is worked on while the caller goes on."""
        place = _Place(page)
        self._places.append(place)
        self._bytes_ahead += len(page.body)
        self._ask(place, page._replace(is_cheap=not page.is_plain))

    def poll(self) -> Answer | None:
        """Return the oldest page's answer if it is there; None otherwise."""
        while self._asked and (answer := self._pool.poll()):
            self._receive(answer)
        return self._leave() if self._places and self._places[0].answer else None

    def take(self) -> Answer:
        """Wait for the oldest page's answer. Raises StageError if the process cannot be started."""
        while not self._places[0].answer:
            if self._asked:
                self._receive(self._pool.take())
            else:
                self._screen_all()
        return self._leave()

    def forget(self) -> None:
        """Drop the pages whose answers were not taken; the process lives on if there are none."""
        if self._places:
            self.close()

    def close(self) -> None:
        """End the process, and drop all pages; another page starts another process."""
        self._pool.close()
        self._places.clear()
        self._asked.clear()
        self._unscreened.clear()
        self._bytes_ahead = 0

    def _ask(self, place: _Place, page: Page) -> None:
        """Ask the pool about a place's page, for its cheap text or another."""
        place.page = page
        self._asked.append(place)
        self._pool.submit(page)

    def _receive(self, answer: Answer) -> None:
        """Take the pool's answer to the page that it was asked about first."""
        place = self._asked.popleft()
        if not place.page.is_cheap or answer.fate == fates.TOO_DEEP:
            place.answer = answer._replace(columns=place.columns) if place.page.is_again and answer.text else answer
        elif answer.text is None:
            self._ask(place, place.page._replace(is_cheap=False))
        else:
            self._unscreened.append((place, answer))
            size = sum(len(place.page.body) for place, _ in self._unscreened)
            if len(self._unscreened) >= _PAGES_AT_ONCE or size >= _BYTES_AT_ONCE:
                self._screen_all()

    def _screen_all(self) -> None:
        """Settle the pages whose cheap text falls, and ask for a better text of the others."""
        waiting, self._unscreened = self._unscreened, []
        texts = pa.array([answer.text for _, answer in waiting], pa.large_binary()).cast(pa.large_string())
        for (place, answer), survives in zip(waiting, self._screen(texts), strict=True):
            if survives:
                place.columns = answer.columns
                self._ask(place, place.page._replace(is_cheap=False, is_again=True))
            else:
                place.answer = answer

    def _leave(self) -> Answer:
        """Return the oldest page's answer, which is settled, and forget the page."""
        place = self._places.popleft()
        self._bytes_ahead -= len(place.page.body)
        assert place.answer is not None
        return place.answer
