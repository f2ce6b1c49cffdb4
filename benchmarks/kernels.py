"""Each compiled loop against the shortest Python that does the same: one that is not faster has no place in gristmill.

    python benchmarks/kernels.py [--text FILE] [--documents 300] [--rounds 5]

Texts, core and seconds as in benchmarks/signals.py. That both return the same is what the tests check.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
from datatrove.pipeline.filters import gopher_repetition_filter as peer
from signals import arguments, medians, read_texts

from gristmill.filters.signals import gopher_quality, gopher_repetition
from gristmill.filters.signals.characters.scans import characters as characters_of
from gristmill.filters.signals.characters.scans import line_lengths, visible_characters
from gristmill.text import TextBatch

Run = Callable[[], object]
MARKUP = re.compile(r"<(script|style)\b.*?</\1|<[^>]*>", re.DOTALL)
TOKEN = re.compile(r"\w+(?:['’.]\w+)*|[^\w\s]+")


def main() -> None:
    """Time each loop and what would be written without it, and print a table."""
    options = arguments(__doc__)
    name, texts = read_texts(options.text, options.documents)
    column = pa.array(texts, pa.large_string())
    megabytes = column.nbytes / 1e6
    print(f"{name}: {len(texts)} documents, {megabytes:.2f} MB, {options.rounds} rounds, one core")
    print(f"{'MB/s':28}{'kernel':>9}{'else':>9}{'×':>8}")
    for kernel, (ours, theirs) in {**segmentations(texts, column), **scans(texts, column)}.items():
        a, b = medians({"ours": ours, "theirs": theirs}, options.rounds).values()
        print(f"{kernel:28}{megabytes / a:9,.0f}{megabytes / b:9,.0f}{b / a:8.1f}")


def segmentations(texts: list[str], column: pa.Array) -> dict[str, tuple[Run, Run]]:
    """Return each kernel of gristmill.text, beside Python."""
    found, spaced = TextBatch(column), TextBatch(column, "whitespace")

    def fresh(batch: TextBatch, name: str) -> Run:
        segment = TextBatch.__dict__[name].func  # past the cache of the property

        def run() -> object:
            batch.__dict__.pop("_line_feeds", None)
            return segment(batch)

        return run

    return {
        "unicode words": (fresh(found, "words"), each(texts, TOKEN.findall)),
        "whitespace words": (fresh(spaced, "words"), each(texts, str.split)),
        "lines": (fresh(found, "lines"), each(texts, str.splitlines)),
        "lines at line feeds": (fresh(found, "feed_lines"), each(texts, lambda t: re.split(r"\n+", t))),
        "paragraphs": (fresh(found, "feed_paragraphs"), each(texts, lambda t: re.split(r"\n{2,}", t.strip()))),
    }


def scans(texts: list[str], column: pa.Array) -> dict[str, tuple[Run, Run]]:
    """Return each kernel of gristmill.filters, beside Python or pyarrow; what they read is found before."""
    batch = TextBatch(column, "whitespace")
    words = [text.split() for text in texts]
    lines = [text.splitlines() for text in texts]
    pages = ["<p class='line'>" + text.replace("\n", "</p>\n<p class='line'>") for text in texts]
    marked_up = TextBatch(pa.array(pages, pa.large_string()))
    stop_words = set(gopher_quality.STOP_WORDS)
    return {
        "# and ellipses": (
            lambda: gopher_quality.symbols(batch),
            each(texts, lambda t: (t.count("#"), t.count("...") + t.count("…"))),
        ),
        "# and ellipses (pyarrow)": (
            lambda: gopher_quality.symbols(batch),
            each(["#", "...", "…"], lambda symbol: pc.count_substring(column, symbol)),
        ),
        "bullets and cut lines": (lambda: gopher_quality.line_marks(batch), each(lines, _line_marks)),
        "words with letters": (
            lambda: gopher_quality.word_totals(batch),
            each(words, lambda w: sum(any(map(str.isalpha, word)) for word in w)),
        ),
        "stop words": (
            lambda: gopher_quality.stop_word_count.function(batch),
            each(words, lambda w: len(stop_words.intersection(w))),
        ),
        "repeated lines": (lambda: gopher_repetition.repeated_lines(batch), each(lines, peer.find_duplicates)),
        "characters and scripts": (lambda: characters_of(batch), each(texts, _kinds)),
        "lengths of lines": (
            lambda: line_lengths(batch),
            each(lines, lambda found: (sum(map(len, found)), max(map(len, found), default=0))),
        ),
        "what HTML shows": (
            lambda: visible_characters(marked_up),
            each(pages, lambda page: len(MARKUP.sub("", page))),
        ),
        "n-grams": (lambda: gopher_repetition.ngram_characters(batch), each(words, _ngrams)),
    }


def each(items: list, function: Callable) -> Run:
    """Return a run of the function on each item."""
    return lambda: [function(item) for item in items]


def _kinds(text: str) -> Counter[str]:
    return Counter(map(unicodedata.category, text))


def _line_marks(lines: list[str]) -> tuple[int, int]:
    bullets = sum(line.lstrip().startswith(("•", "-")) for line in lines)
    return bullets, sum(line.rstrip().endswith(("...", "…")) for line in lines)


def _ngrams(words: list[str]) -> list[int]:
    top = [peer.find_top_duplicate(peer.get_n_grams(words, n)) for n in (2, 3, 4) if len(words) >= n]
    return top + [peer.find_all_duplicate(words, n) for n in range(5, 11)]


if __name__ == "__main__":
    main()
