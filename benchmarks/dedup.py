"""How fast the keys of exact and URL deduplication are made: `python benchmarks/dedup.py [URLS]`.

Texts are two sentences, over and over. URLs are the file's, one a line, or made up. Medians of
five runs on one thread; the twins of the tests are timed on a hundredth, and answers are compared before.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import reference_dedup

from gristmill.dedup.keys import scoped, text_digests
from gristmill.dedup.normal import normal_texts
from gristmill.dedup.urls import url_normalizer

_REPEATS = 5
_TEXT = "The miller's Grain ran from the hopper, in 1923, into the eye of the stone. Überall fiel Mehl in den Kasten! "


def median_seconds(work: Callable[[], Any]) -> float:
    """Return the median time of a call."""
    times = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def urls(path: str | None) -> list[str]:
    """Return the URLs of a file, or 200,000 made up."""
    if path is not None:
        return Path(path).read_text("utf-8", "replace").splitlines()
    hosts = [f"https://www.example{number}.com" for number in range(5000)]
    return [f"{hosts[n % 5000]}/path/page-{n}.html?id={n}&utm_source=feed" for n in range(200_000)]


def main() -> None:
    """Print one line for each kind of key."""
    texts = pa.array([_TEXT * (1 + number % 60) for number in range(10_000)], pa.large_string())
    few = texts[:100].to_pylist()
    assert normal_texts(texts[:100]).to_pylist() == [reference_dedup.normal_text(text) for text in few]
    size = texts.nbytes / 1e6
    fast = size / median_seconds(lambda: normal_texts(texts))
    slow = sum(map(len, few)) / 1e6 / median_seconds(lambda: [reference_dedup.normal_text(text) for text in few])
    print(f"normal texts    {fast:9,.0f} MB/s   the twin {slow:,.1f} MB/s   {fast / slow:,.0f}x")
    print(f"text digests    {size / median_seconds(lambda: text_digests(texts)):9,.0f} MB/s")
    both = median_seconds(lambda: text_digests(normal_texts(texts)))
    print(f"normal digests  {size / both:9,.0f} MB/s")
    rows, normalized = urls(sys.argv[1] if len(sys.argv) > 1 else None), url_normalizer()
    seconds = median_seconds(lambda: text_digests(pa.array([normalized(url) for url in rows], pa.large_string())))
    print(f"URLs            {len(rows) / seconds:9,.0f} URLs/s, digests included")
    digests, scopes = text_digests(pa.array(rows)), pa.array([str(n % 100) for n in range(len(rows))])
    print(f"scopes          {len(rows) / median_seconds(lambda: scoped(digests, scopes)):9,.0f} documents/s more")


if __name__ == "__main__":
    main()
