"""Writing what people read of a run into its folder: the report and the dataset card."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from gristmill.pipeline.run import Run
from gristmill.pipeline.shards import ShardWriter
from gristmill.pipeline.storage import Folder
from gristmill.report.card import render_card
from gristmill.report.html import render_html
from gristmill.report.stats import collect

STATS_FILE = "report/stats.json"
PAGE_FILE = "report/index.html"
CARD_FILE = "README.md"


def write_report(run: Run) -> str:
    """Write report/stats.json and report/index.html; return the page's path. An unfinished run is reported as such."""
    stats = collect(run)
    run.folder.write_json(STATS_FILE, stats)
    run.folder.write_bytes(PAGE_FILE, render_html(stats).encode())
    return run.folder.path(PAGE_FILE)


def write_table(table: pa.Table, path: Path, digest: str) -> None:
    """Write a table as a Parquet file that names what it was computed from."""
    with Folder(str(path.parent)).writing(path.name) as sink:
        writer = ShardWriter(sink, table.schema, digest)
        for batch in table.to_batches():
            writer.write(batch)
        writer.close()


def write_card(run: Run) -> str:
    """Write README.md, the dataset card; return its path."""
    run.folder.write_bytes(CARD_FILE, render_card(run, collect(run)).encode())
    return run.folder.path(CARD_FILE)
