"""The dataset card: README.md with a header for the Hugging Face Hub, written from the run's own numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gristmill import __version__
from gristmill.errors import MissingError
from gristmill.pipeline.run import MANIFEST_FILE, Run
from gristmill.report import figures
from gristmill.report.card_steps import steps_section
from gristmill.report.escape import fenced, for_markdown, for_text
from gristmill.report.stage_names import named, what_stages_do

Stats = Mapping[str, Any]

_LABEL = re.compile(r"([a-z]{2,3})(?:_[A-Z][a-z]{3})?")
_LANGUAGES_NAMED = 50
_ROWS_SHOWN = 20
_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
    (10**10, "1B<n<10B"),
    (10**11, "10B<n<100B"),
    (10**12, "100B<n<1T"),
)
_LICENSE = """\
# license: choose one for what is yours (the selection and its annotations), such as odc-by, and say in the text that
# the pages remain under the terms of their sites. See https://huggingface.co/docs/hub/repositories-licenses
"""
_LIMITS = """\
## Limits

- The pages remain the property of their authors and sites. This card grants no rights to them.
- Text is what the extractor took for the main content of a page: navigation may have stayed, and tables, code and
  formulas may have been lost.
- Rules and classifiers err in both directions. What they dropped can be read: `gristmill explain RUN URL` gives the
  reasons, the values and the text of any record, and `gristmill fates RUN -o fates.parquet` lists them all.
- Nothing here removes personal data or harmful content unless a step above says so.
- Decontamination finds only the benchmarks named above, and only overlap of the length named there.
"""


def render_card(run: Run, stats: Stats) -> str:
    """Return README.md for a run and what `stats.collect` gathered of it; crawled names are escaped."""
    parts = [
        f"---\n{_LICENSE}{_yaml(_front(stats))}---\n",
        f"# {for_text(stats['name'])}\n",
        _summary(stats),
        *(made for section in _SECTIONS if (made := section(stats)) is not None),
        _reproduce(run, stats),
        _LIMITS,
    ]
    return "\n".join(parts)


def _front(stats: Stats) -> dict[str, Any]:
    kept, _ = _kept(stats)
    front: dict[str, Any] = {"pretty_name": stats["name"]}
    labels = (_LABEL.fullmatch(record["language"]) for record in stats["languages"] if record["documents_kept"])
    if languages := list(dict.fromkeys(label[1] for label in labels if label)):
        front["language"] = languages[:_LANGUAGES_NAMED]
    front["size_categories"] = [next((name for limit, name in _SIZES if (kept or 0) < limit), "n>1T")]
    front["task_categories"] = ["text-generation"]
    front["tags"] = ["pretraining", "web", "gristmill"]
    if stats["tokens"] and stats["tokens"].get("shards"):
        files = [{"split": "train", "path": "tokens/train-*.parquet"}]
        front["configs"] = [{"config_name": "tokens", "data_files": files}]
    return front


def _yaml(front: Mapping[str, Any]) -> str:
    """Return a header's entries; every value is JSON, which YAML 1.1 and 1.2 read alike (Norwegian is "no")."""
    lines = []
    for key, value in front.items():
        items = [f"- {json.dumps(item, ensure_ascii=False)}" for item in value] if isinstance(value, list) else []
        lines += [f"{key}:", *items] if items else [f"{key}: {json.dumps(value, ensure_ascii=False)}"]
    return "\n".join(lines) + "\n"


def _summary(stats: Stats) -> str:
    kept, whole = _kept(stats)
    if kept is None:
        return "This run is not finished: nothing is decided yet.\n"
    first, last = (str(stats["dates"][end] or "unknown")[:10] for end in ("first", "last"))
    when = f"on {first}" if first == last else f"from {first} to {last}"
    sentences = [
        f"{figures.count(kept)} documents, {figures.share(kept, whole)} of {figures.count(whole)} crawl records "
        f"fetched {when}, selected by gristmill {__version__}.",
    ]
    tokens = stats["tokens"]
    if tokens:
        sentences.append(f"{figures.count(tokens['tokens'])} tokens, packed for training.")
    if not stats["complete"]:
        waiting = [row["stage"] for row in stats["funnel"] if row["role"] == "unfinished"]
        sentences.append(f"**The run is not finished**: {', '.join(waiting)} is still to be done.")
    return " ".join(sentences) + "\n"


def _funnel(stats: Stats) -> str | None:
    rows = [
        (
            named(row["stage"], row["does"]),
            *map(figures.count, (row["documents_in"], row["documents_kept"], row["dropped"])),
            figures.share(row["documents_kept"], row["documents_in"]),
            figures.size(row["bytes_kept"]),
        )
        for row in stats["funnel"]
        if row["role"] == "decides"
    ]
    headers = ("stage", "in", "kept", "dropped", "share kept", "text kept")
    return f"## What was kept\n\n{_table(headers, rows)}" if rows else None


def _composition(stats: Stats) -> str | None:
    languages = [record for record in stats["languages"] if record["documents_kept"]]
    if not languages:
        return None
    rows = [
        (
            for_text(record["language"]),
            figures.count(record["documents_kept"]),
            figures.size(record["text_bytes_kept"]),
            figures.count(record["tokens"] or None),
        )
        for record in languages[:_ROWS_SHOWN]
    ]
    more = len(languages) - len(rows)
    note = f"\nand {more} languages more.\n" if more else ""
    return f"## Composition\n\n{_table(('language', 'documents', 'text', 'tokens'), rows)}{note}"


def _hosts(stats: Stats) -> str | None:
    hosts = stats["hosts"]
    if not hosts["most"]:
        return None
    rows = [
        (for_markdown(r["host"]), figures.count(r["documents"]), figures.share(r["documents"], hosts["documents"]))
        for r in hosts["most"]
    ]
    distinct = "Too many hosts to count." if hosts["distinct"] is None else f"{figures.count(hosts['distinct'])} hosts."
    return f"### Hosts\n\n{distinct} Those with the most documents:\n\n{_table(('host', 'documents', 'share'), rows)}"


def _duplicates(stats: Stats) -> str | None:
    does = what_stages_do(stats)
    lines = [_duplicates_of(stage, does.get(stage["stage"])) for stage in stats["duplicates"] if stage["largest"]]
    return "## Duplicates\n\n" + "\n".join(lines) + "\n" if lines else None


def _duplicates_of(stage: Stats, does: str | None) -> str:
    compared, clusters = figures.count(stage["compared"]), figures.count(stage["clusters"])
    largest = figures.count(stage["largest"][0]["size"])
    return (
        f"- {named(stage['stage'], does)}: {compared} documents compared; {clusters} clusters of two or more, the "
        f"largest of {largest}.{_component(stage)}"
    )


def _component(stage: Stats) -> str:
    largest = stage.get("largest_component")
    return f" The largest component that candidates join: {figures.component(largest)}." if largest else ""


def _contamination(stats: Stats) -> str | None:
    rows = [
        (for_markdown(r["benchmark"]), figures.count(r["documents"]), figures.count(r["items"]))
        for r in stats["contamination"]
    ]
    return f"## Contamination\n\n{_table(('benchmark', 'documents', 'items found'), rows)}" if rows else None


def _tokens(stats: Stats) -> str | None:
    index = stats["tokens"]
    if not index:
        return None
    keys = ("tokens", "documents", "sequences", "sequence_length", "vocabulary_size", "token_type", "bytes_per_token")
    rows = [(key.replace("_", " "), figures.exact(index[key])) for key in keys if index.get(key) is not None]
    tokenizer = index.get("tokenizer", {}).get("sha256")
    rows += [("tokenizer (SHA-256)", f"`{tokenizer}`")] if tokenizer else []
    rows += [("shards", figures.count(len(index["shards"])))]
    rows += [("order", for_text(index["order"]))] if index.get("order") else []
    return f"## Tokens\n\n{_table(('', ''), rows)}\nThe tokenizer lies in `tokens/tokenizer.json`.\n"


def _reproduce(run: Run, stats: Stats) -> str:
    parts = ["## How to reproduce\n"]
    if stats["recipe"] is not None:
        parts.append("Save the recipe, point its `source` at the same WARC files, and run it:\n")
        parts.append(fenced("gristmill run recipe.yaml", "console"))
        parts.append(fenced(stats["recipe"], "yaml"))
    parts.append(
        f"The same WARC files and versions give the same bytes, with any number of workers. Plan `{stats['plan']}`, "
        f"{figures.count(stats['shards']['count'])} WARC files.\n"
    )
    versions = _versions(run)
    if versions:
        parts.append(_table(("package", "version"), [(name, for_text(number)) for name, number in versions.items()]))
    return "\n".join(parts)


def _versions(run: Run) -> dict[str, str]:
    """Return the versions that the manifest names; none before it is written."""
    try:
        manifest = run.folder.read_json(MANIFEST_FILE)
    except MissingError:
        return {}
    return {"gristmill": manifest["gristmill"]} | dict(manifest["versions"])


def _kept(stats: Stats) -> tuple[int | None, int | None]:
    """Return documents kept, and records, of the deciding stages that are done."""
    decided = [row for row in stats["funnel"] if row["role"] == "decides"]
    return (decided[-1]["documents_kept"], decided[0]["documents_in"]) if decided else (None, None)


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(headers)} |", f"|{'|'.join('---' if i == 0 else '---:' for i in range(len(headers)))}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


_SECTIONS: tuple[Callable[[Stats], str | None], ...] = (
    _funnel, _composition, _hosts, _duplicates, _contamination, _tokens, steps_section,
)  # fmt: skip
