"""How good and how fast each extractor is, on pages with gold text, and what the cascade gives up for its speed.

    python benchmarks/extraction.py quality [--subset]     precision, recall, F1 per set and language; pages/s
    python benchmarks/extraction.py update                 the same, and raises the floors; refuses to lower any
    python benchmarks/extraction.py direct [--rounds 5]    the extraction process against calling trafilatura itself
    python benchmarks/extraction.py cascade [--mode fast]  speed and fates against trafilatura alone, on WARCs

Gold pages and WARCs are in ../shared/data (`--data`). CPU seconds, one core. Floors are F1 in extraction_floors.json;
a test holds every change to those of the subset.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import extraction_speed as speed
from extraction_gold import GOLD, SETS, GoldPage, corpus_digests, gold_pages, score

from gristmill.crawl.settings import ExtractSettings

FLOORS = Path(__file__).with_name("extraction_floors.json")
_FEWEST_OF_A_LANGUAGE = 10

Results = dict[str, dict[str, float]]


def settings_by_name() -> dict[str, ExtractSettings]:
    """Return every extractor that is scored, and for trafilatura every mode."""
    modes = ("precision", "default", "fast", "recall")
    return {
        **{f"trafilatura {mode}": ExtractSettings(mode=mode) for mode in modes},
        "cascade, keeping English": ExtractSettings(extractor="cascade"),
        "resiliparse": ExtractSettings(extractor="resiliparse"),
        "justext": ExtractSettings(extractor="justext"),
    }


def main() -> None:
    """Run the part that the command line names."""
    options = _arguments()
    if options.part == "quality":
        print_quality(options.data / "gold", subset=options.subset)
    elif options.part == "update":
        update_floors(options.data / "gold")
    elif options.part == "direct":
        speed.print_direct(options.data / "warc", options.rounds)
    else:
        speed.print_cascade(options.data, options.mode)


def measured(settings: ExtractSettings, pages_of: dict[str, list[GoldPage]]) -> dict[str, float]:
    """Return the F1 of an extractor on the pages of each set."""
    with speed.opened(settings) as pool:
        return {
            gold: score(pages, speed.texts_of(pool, [speed.page_of(page.html) for page in pages])).f1
            for gold, pages in pages_of.items()
        }


def print_quality(folder: Path, *, subset: bool = False) -> Results:
    """Print a table for each set, and the whole sets' F1; return F1 by set and extractor."""
    results: Results = {}
    rates: Counter[str] = Counter()
    pages_of = {name: list(gold_pages(name, folder, subset=subset)) for name in SETS}
    for name, settings in settings_by_name().items():
        with speed.opened(settings) as pool:
            for gold, pages in pages_of.items():
                texts, seconds = speed.extracted(pool, [speed.page_of(page.html) for page in pages])
                rates[name] += seconds
                results.setdefault(gold, {})[name] = score(pages, texts).f1
                print("\n".join(_lines(f"{gold:22}{name:24}", pages, texts, seconds)), flush=True)
    total = sum(map(len, pages_of.values()))
    print(f"\n{'F1':24}" + "".join(f"{gold.split('-')[0]:>14}" for gold in SETS) + f"{'pages/s':>10}")
    for name in settings_by_name():
        row = "".join(f"{results[gold][name]:14.4f}" for gold in SETS)
        print(f"{name:24}{row}{total / rates[name]:10.0f}")
    return results


def update_floors(folder: Path) -> None:
    """Measure, and raise the floors. Raises SystemExit if any would have to be lowered, or the gold has changed."""
    found = {part: print_quality(folder, subset=part == "subset") for part in ("whole", "subset")}
    FLOORS.write_text(json.dumps(raised(read_floors(), corpus_digests(folder), found), indent=1) + "\n")
    print(f"\nwritten: {FLOORS}")


def read_floors() -> dict[str, object]:
    """Return what the floors' file holds; empty if there is none yet."""
    return json.loads(FLOORS.read_text()) if FLOORS.exists() else {}


def raised(floors: dict, corpus: dict[str, str], found: dict[str, Results]) -> dict:
    """Return the floors with what was measured, rounded down to three places, where that is higher.

    Raises SystemExit naming what was measured below its floor, and for floors of another corpus.
    """
    if floors and floors["corpus"] != corpus:
        raise SystemExit(f"{FLOORS.name} is about other gold files: delete it in a commit that says why, and run again")
    low = [
        f"{part} {gold} {name}: {f1:.4f} < {floor}"
        for part, gold, name, f1 in _each(found)
        if f1 < (floor := floors.get(part, {}).get(gold, {}).get(name, 0.0))
    ]
    if low:
        raise SystemExit("floors only rise; these were measured below theirs:\n" + "\n".join(low))
    new: dict = {"corpus": corpus}
    for part, gold, name, f1 in _each(found):
        new.setdefault(part, {}).setdefault(gold, {})[name] = math.floor(f1 * 1000) / 1000
    return new


def _each(found: dict[str, Results]) -> Iterator[tuple[str, str, str, float]]:
    for part, results in found.items():
        for gold, scores in results.items():
            for name, f1 in scores.items():
                yield part, gold, name, f1


def _lines(title: str, pages: list[GoldPage], texts: list[str], seconds: float) -> Iterator[str]:
    """Yield the line of a set, and one for each language with enough pages if there are several."""
    whole = score(pages, texts)
    numbers = f"P {whole.precision:.3f}  R {whole.recall:.3f}  F1 {whole.f1:.3f}"
    yield f"{title}{len(pages):5} pages  {numbers}  {len(pages) / seconds:7.0f} pages/s"
    counts = Counter(page.language for page in pages)
    for language, count in counts.most_common():
        if len(counts) > 1 and count >= _FEWEST_OF_A_LANGUAGE:
            chosen = [(page, text) for page, text in zip(pages, texts, strict=True) if page.language == language]
            part = score(*zip(*chosen, strict=True))
            numbers = f"P {part.precision:.3f}  R {part.recall:.3f}  F1 {part.f1:.3f}"
            yield f"{'':22}{'in ' + language:24}{count:5} pages  {numbers}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["quality", "update", "direct", "cascade"])
    parser.add_argument("--data", type=Path, default=GOLD.parent)
    parser.add_argument("--subset", action="store_true", help="only the eighth of the pages that the test takes")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mode", default="precision", help="trafilatura's mode, in the cascade too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
