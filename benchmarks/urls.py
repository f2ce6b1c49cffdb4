"""URL rules: the default list against datatrove's filter on the same real addresses, and what its index costs.

    .venv/bin/python benchmarks/urls.py [FOLDER OF *.provenance.jsonl.gz]

Each side runs in a process of its own, which tells its peak memory; verdicts are compared before anything is timed, and
only addresses of a named difference may differ. Times are CPU time, the median of several runs.
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "warc"
RUNS = 7


def main() -> None:
    """Measure both sides, each in its own process, and print them."""
    folder = sys.argv[1] if len(sys.argv) > 1 else str(FOLDER)
    with tempfile.TemporaryDirectory() as cache:
        built = _in_process("ours", folder, cache)
        ours = _in_process("ours", folder, cache)
        theirs = _in_process("theirs", folder, cache)
    unlike = [url for url, a, b in zip(ours["urls"], ours["fates"], theirs["fates"], strict=True) if a != b]
    print(f"{len(ours['urls']):,} addresses; verdicts differ on {len(unlike)}: {unlike[:5]}")
    print(f"index: built in {built['ready']:.1f} s CPU, {ours['size']:,} bytes, {ours['entries']:,} entries")
    print(f"{'':10} {'ready s':>9} {'addresses/s':>12} {'µs each':>9} {'peak MB':>9}")
    for name, side in (("gristmill", ours), ("building", built), ("datatrove", theirs)):
        rate = 1 / side["each"]
        print(f"{name:10} {side['ready']:9.3f} {rate:12,.0f} {side['each'] * 1e6:9.2f} {side['peak']:9.0f}")
    print(f"ratio of addresses/s: {theirs['each'] / ours['each']:.2f}")


def _in_process(side: str, folder: str, cache: str) -> dict:
    env = {**os.environ, "GRISTMILL_CACHE": cache}
    done = subprocess.run([sys.executable, __file__, folder, side], env=env, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def measure(side: str, folder: str) -> dict:
    """Return fates, times and peak of one side."""
    urls = _urls(Path(folder))
    start = time.process_time()
    judge, facts = (_ours if side == "ours" else _theirs)()
    ready = time.process_time() - start
    fates = [judge(url) for url in urls]
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        for url in urls:
            judge(url)
        times.append((time.process_time() - start) / len(urls))
    return {"urls": urls, "fates": fates, "ready": ready, "each": statistics.median(times), "peak": _peak()} | facts


def _ours() -> tuple:
    from gristmill.crawl.settings import ExtractSettings
    from gristmill.crawl.urls.index import UrlIndex, index_path
    from gristmill.crawl.urls.rules import open_rules, prepare_rules

    settings = ExtractSettings(url_blocklist="default")
    key = prepare_rules(settings.url_blocklist, settings.url_rules)
    rules = open_rules(settings.url_blocklist, settings.url_rules, key)
    facts = {"size": index_path(key).stat().st_size, "entries": len(UrlIndex(index_path(key)))}
    return lambda url: rules.judge(url) is not None, facts


def _theirs() -> tuple:
    warnings.simplefilter("ignore")
    from datatrove.data import Document
    from datatrove.pipeline.filters.url_filter import URLFilter
    from tldextract import TLDExtract

    rules = URLFilter()
    rules.tldextractor = TLDExtract(suffix_list_urls=(), cache_dir=None)
    rules.download_data()
    return lambda url: rules.filter(Document(text="", id="0", metadata={"url": url})) is not True, {}


def _urls(folder: Path) -> list[str]:
    urls = []
    for path in sorted(folder.glob("*.provenance.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            urls += [json.loads(line)["url"] for line in file]
    return urls


def _peak() -> float:
    """Return this process's own peak in MB."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1000


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[2], sys.argv[1])))
    else:
        main()
