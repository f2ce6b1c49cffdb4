"""The sample as a crawl: which page is fetched when, and into which of the WARC files it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gristmill.sample.copies import copies
from gristmill.sample.draw import draw, shuffled
from gristmill.sample.failing import failing
from gristmill.sample.pages import Chain, Page, ordinary, supply
from gristmill.sample.strange import strange
from gristmill.sample.wire import odd_responses

FILES = 3
START = datetime(2024, 5, 12, 4, 0, tzinfo=UTC)
_EVERY = timedelta(minutes=34)
_ORDINARY = {"en": 128, "de": 28, "fr": 26, "es": 26}


@dataclass(frozen=True)
class Visit:
    """A page, when it is fetched, and the number of the WARC file that it goes into."""

    page: Page
    date: datetime
    file: int


def visits(seed: int) -> list[Visit]:
    """Return the whole crawl in the order of its files, and in each by time; a truncated record ends the last."""
    supplied = supply(seed)
    planted = (*copies(supplied), *failing(supplied, seed), *odd_responses(supplied), *strange(supplied))
    chains = [*planted, *ordinary(supplied, _ORDINARY)]
    found = [_visit(page, date, seed) for page, date in _scheduled(chains, seed)]
    return sorted(found, key=lambda visit: (visit.file, visit.page.damage == "truncated", visit.date, visit.page.url))


def _scheduled(chains: Sequence[Chain], seed: int) -> list[tuple[Page, datetime]]:
    """Return every page with its time: chains keep their order, and everything else is mixed."""
    owners = shuffled([number for number, chain in enumerate(chains) for _ in chain], seed, "schedule")
    waiting = [list(chain) for chain in chains]
    times: dict[int, datetime] = {}
    scheduled = []
    for place, owner in enumerate(owners):
        page = waiting[owner].pop(0)
        date = START + place * _EVERY + timedelta(seconds=draw(1800, seed, "second", place))
        times[owner] = times[owner] if page.same_second else date
        scheduled.append((page, times[owner]))
    return scheduled


def _visit(page: Page, date: datetime, seed: int) -> Visit:
    if page.damage == "truncated":
        return Visit(page, START + 10_000 * _EVERY, FILES - 1)
    return Visit(page, date, draw(FILES, seed, "file", page.url, date.isoformat()))
