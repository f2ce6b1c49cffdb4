"""How much CPU time extraction takes: in its process, called directly, and in a cascade, whose fates are compared.

What the extraction process costs is read from the kernel: the time of all children that have ended, less that of a
process that extracts one page.
"""

from __future__ import annotations

import gc
import resource
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pyarrow as pa
from extraction_gold import SETS, gold_pages

from gristmill.classifiers.language import LanguageIdentifier
from gristmill.classifiers.models import find_model
from gristmill.classifiers.settings import LanguageSettings
from gristmill.crawl.extraction.cascade import Cascade, Screen
from gristmill.crawl.extraction.depth import is_too_deep
from gristmill.crawl.extraction.extractors import EXTRACTORS
from gristmill.crawl.extraction.pool import Pool
from gristmill.crawl.extraction.protocol import Page
from gristmill.crawl.http.charset import decode
from gristmill.crawl.http.response import HEAD_BYTES
from gristmill.crawl.records import WholeFile
from gristmill.crawl.rows import TYPES_WITH_ROWS, draft
from gristmill.crawl.settings import ExtractSettings
from gristmill.crawl.urls.gate import open_gate
from gristmill.filters.rules.evaluate import evaluate, rules_of
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.families import measure
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.pipeline.recipe import build_recipe
from gristmill.pipeline.screens import foresee, screen_of
from gristmill.pipeline.yaml import parse_yaml

LEAST_ENGLISH = 0.65
KEPT = "kept"
_TURN = 200
PRESETS = ("gopher_repetition", "gopher_quality")
_RECIPE = f"""
name: benchmark
source: none
stages:
  - extract: {{extractor: cascade}}
  - language: {{keep: {{en: {LEAST_ENGLISH}}}}}
"""
_FILTERS = f"""\
  - signals
  - filter: {{use: [{", ".join(PRESETS)}]}}
"""


def page_of(html: str) -> Page:
    """Return a decoded page as the extraction process takes it."""
    return Page(html.encode("utf-8", "replace"), "utf-8")


def screen(*, has_filters: bool) -> Screen:
    """Return the screen of a recipe that keeps English, and then applies Gopher's rules if it has filters."""
    recipe = _RECIPE + _FILTERS if has_filters else _RECIPE
    foreseen = foresee(build_recipe(parse_yaml(recipe, "benchmark")).stages)
    return screen_of(find_model(foreseen.model), foreseen.settings())


@contextmanager
def opened(settings: ExtractSettings, *, has_filters: bool = False) -> Iterator[Pool | Cascade]:
    """Yield what extracts pages, a cascade with the screen of `screen`."""
    pool = Pool(settings)
    with Cascade(pool, screen(has_filters=has_filters)) if settings.extractor == "cascade" else pool as extraction:
        yield extraction


def texts_of(pool: Pool | Cascade, pages: Sequence[Page]) -> list[str]:
    """Return the pages' texts, empty where there is none."""
    texts = []
    waiting = 0
    for page in pages:
        while not pool.has_room:
            texts.append(pool.take().text)
            waiting -= 1
        pool.submit(page)
        waiting += 1
    texts += [pool.take().text for _ in range(waiting)]
    return [(text or b"").decode() for text in texts]


def extracted(pool: Pool | Cascade, pages: Sequence[Page]) -> tuple[list[str], float]:
    """Return the pages' texts, empty where there is none, and the CPU seconds of the process and the pipe."""
    start_up = _seconds(lambda: texts_of(pool, pages[:1]), pool)
    texts: list[str] = []
    seconds = _seconds(lambda: texts.extend(texts_of(pool, [*pages[:1], *pages])[1:]), pool)
    return texts, max(seconds - start_up, 1e-6)


def print_direct(folder: Path, rounds: int) -> None:
    """Print the process's CPU time against that of calling the extractor on text that is decoded already."""
    bodies = list(islice(_bodies(folder), 600))
    decoded = [decode(bytes(page.body), page.label).text for page in bodies]
    decoded = [html for html in decoded if not is_too_deep(html.encode("utf-8", "replace"), 1000)]
    print(f"{len(decoded)} pages, {rounds} rounds, CPU ms a page, medians")
    for mode in ("precision", "default", "fast", "recall"):
        settings = ExtractSettings(mode=mode)
        ours, theirs = [], []
        for _ in range(rounds):
            with opened(settings) as pool:
                ours.append(extracted(pool, bodies)[1] / len(bodies))
            theirs.append(_directly(decoded, settings) / len(decoded))
        own, direct = statistics.median(ours) * 1e3, statistics.median(theirs) * 1e3
        print(f"  trafilatura {mode:10} process {own:6.2f}  direct {direct:6.2f}  {own / direct:.3f}", flush=True)


def print_cascade(data: Path, mode: str) -> None:
    """Print the cascade's speed and fates against those of trafilatura alone, on the WARCs and on the gold pages."""
    warcs = list(_bodies(data / "warc"))
    gold = [page_of(page.html) for name in SETS for page in gold_pages(name, data / "gold")]
    print(f"keep en from {LEAST_ENGLISH}, filter by {' and '.join(PRESETS)}; mode {mode}; CPU ms a page")
    for title, pages in (("WARCs", warcs), ("gold pages", gold)):
        print(f"{title}: {len(pages)} pages", flush=True)
        _print_comparison(pages, mode)


def _print_comparison(pages: Sequence[Page], mode: str) -> None:
    cascade = ExtractSettings(extractor="cascade", mode=mode)
    with (
        opened(ExtractSettings(mode=mode)) as alone,
        opened(cascade) as by_language,
        opened(cascade, has_filters=True) as by_both,
    ):
        (expected, seconds), *others = in_turns([alone, by_language, by_both], pages)
    print(f"  trafilatura alone {seconds / len(pages) * 1e3:.2f}")
    for stages, (texts, cascade_seconds) in zip(("language", "language and filter"), others, strict=True):
        speed = f"{cascade_seconds / len(pages) * 1e3:.2f}, {seconds / cascade_seconds:.2f} times as fast"
        agreement = _agreement(expected, texts, has_filters=stages != "language")
        print(f"  {stages}: {speed}; {agreement}", flush=True)


def in_turns(pools: Sequence[Pool | Cascade], pages: Sequence[Page]) -> list[tuple[list[str], float]]:
    """Return of each pool the pages' texts and the CPU seconds of its process and the pipe.

    All take the same few pages before any takes the next, so that what else the machine does strikes all alike.
    """
    found: list[tuple[list[str], float]] = [([], 0.0) for _ in pools]
    for pool in pools:
        texts_of(pool, pages[:1])
    gc.collect()
    for start in range(0, len(pages), _TURN):
        for number, pool in enumerate(pools):
            before = _used() + _live_seconds(pools)
            texts = texts_of(pool, pages[start : start + _TURN])
            found[number] = found[number][0] + texts, found[number][1] + _used() + _live_seconds(pools) - before
    return found


def _live_seconds(pools: Sequence[Pool | Cascade]) -> float:
    """Return the CPU seconds of the processes that have not ended, whose own time the kernel tells by their clocks."""
    running = [pool.process_id for pool in pools if pool.process_id is not None]
    return sum(time.clock_gettime(~process << 3 | 2) for process in running)


def _agreement(alone: list[str], cascade: list[str], *, has_filters: bool) -> str:
    """Return in words how often a page has the same fate at the end of the recipe: kept, or why it was dropped."""
    one, other = fates(alone, has_filters=has_filters), fates(cascade, has_filters=has_filters)
    pairs = Counter(zip(one, other, strict=True))
    same = sum(count for (a, b), count in pairs.items() if a == b) / len(one)
    lost = sum(count for (a, b), count in pairs.items() if a == KEPT != b)
    more = sum(count for (a, b), count in pairs.items() if a != KEPT == b)
    alike = 1 - (lost + more) / len(one)
    kept = f"{one.count(KEPT)} kept alone, {lost} of them lost, {more} more"
    return f"{same:.2%} have the same fate and reason, {alike:.2%} are kept or dropped alike: {kept}"


def fates(texts: list[str], *, has_filters: bool) -> list[str]:
    """Return of each text the first reason why the recipe drops it, or ``KEPT``."""
    column = pa.array([text or None for text in texts], pa.large_string())
    found = LanguageIdentifier(find_model("lid176"), LanguageSettings()).identify(column).to_pydict()
    rules = rules_of(FilterSettings(use=PRESETS))
    reasons = evaluate(rules, measure(column, SignalsSettings()), len(column)).column("reason").to_pylist()
    rows = zip(texts, found["language"], found["language_score"], reasons, strict=True)
    return [_fate(text, label, score, reason if has_filters else None) for text, label, score, reason in rows]


def _fate(text: str, label: str, score: float, reason: str | None) -> str:
    if not text:
        return "extract.empty"
    if label != "en":
        return "language.language.in"
    return "language.language_score.min" if score < LEAST_ENGLISH else reason or KEPT


def _bodies(folder: Path) -> Iterator[Page]:
    """Yield the pages of the WARCs in a folder, as the reader gives them to extraction."""
    settings = ExtractSettings()
    gate = open_gate(settings)
    for path in sorted(folder.glob("*.warc.gz")):
        for origin, record in WholeFile(str(path), path.stem).records(settings.max_body + HEAD_BYTES):
            page = draft(origin, record, settings, gate)[1] if record.type in TYPES_WITH_ROWS else None
            if isinstance(page, Page):
                yield page


def _seconds(work: Callable[[], object], pool: Pool | Cascade) -> float:
    """Return the CPU seconds of this process and of the extraction processes that end meanwhile, all of them."""
    pool.close()
    gc.collect()
    before = _used()
    work()
    pool.close()
    return _used() - before


def _used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _directly(pages: Sequence[str], settings: ExtractSettings) -> float:
    extractor = EXTRACTORS[settings.extractor]
    extractor(pages[0], settings)
    gc.collect()
    start = time.process_time()
    for html in pages:
        extractor(html, settings)
    return time.process_time() - start
