"""The parts of the report's page, one function for each: numbers in, HTML out, None where there is nothing to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from gristmill.report import charts, figures
from gristmill.report.markup import Markup, Row, code, element, join, table
from gristmill.report.section_edits import edits_section
from gristmill.report.section_models import importance_section, perplexity_section
from gristmill.report.stage_names import does_of, what_stages_do

Stats = Mapping[str, Any]

_LANGUAGES_SHOWN = 30
_TOKEN_FACTS = (
    "tokens", "documents", "text_bytes", "bytes_per_token", "sequences", "sequence_length", "vocabulary_size",
    "token_type", "order", "note",
)  # fmt: skip


def warnings_section(stats: Stats) -> Markup | None:
    """Return what is doubtful about the filters."""
    if not stats["warnings"]:
        return None
    return element("ul", None, *(element("li", None, sentence) for sentence in stats["warnings"].values()))


def funnel_section(stats: Stats) -> Markup:
    """Return a bar for each stage: what it kept and dropped of what came in, on the scale of all records."""
    rows = stats["funnel"]
    whole = next((row["documents_in"] for row in rows if row["role"] == "decides"), 0)
    key = _key({"kept": "kept", "dropped": "dropped here", "gone": "dropped before"})
    note = _records_note(rows)
    names = element("span", {"class": "numbers"}, *(element("span", None, t) for t in ("kept", "dropped", "text")))
    does = what_stages_do(stats)
    head = element("li", {"class": "head"}, element("span", None, "stage"), element("span", None), names)
    stages = (_funnel_row(row, whole, does.get(row["stage"], "")) for row in rows if row["role"] != "records")
    return join(note, key, element("ol", {"class": "funnel"}, head, *stages))


def _records_note(rows: Sequence[Stats]) -> Markup:
    for row in rows:
        if row["role"] == "records":
            text = (
                f"The WARC files hold {figures.count(row['documents_in'])} records; "
                f"{figures.count(row['documents_kept'])} are responses, revisits or damage, each with a fate below."
            )
            return element("p", {"class": "soft"}, text)
    return Markup()


def _funnel_row(row: Stats, whole: int, does: str) -> Markup:
    name = element("span", {"class": "stage"}, row["stage"], *does_of(does))
    if row["role"] == "decides":
        kept, dropped = row["documents_kept"], row["dropped"]
        label = f"{row['stage']}: {kept} kept, {dropped} dropped, of {whole}"
        numbers = (
            figures.count(kept),
            f"−{figures.count(dropped)} ({figures.share(dropped, row['documents_in'])})" if dropped else "0",
            figures.size(row["bytes_kept"]),
        )
        cells = element("span", {"class": "numbers"}, *(element("span", None, text) for text in numbers))
        return element("li", None, name, charts.bar([("kept", kept), ("dropped", dropped)], whole, label), cells)
    said = {
        "measures": f"measures {figures.count(row['documents_in'])} documents, drops none",
        "tokens": f"{figures.count(row['documents_in'])} documents became {figures.count(row['tokens'])} tokens",
        "unfinished": f"not done: {row['shards_done']} of {row['shards']} shards",
    }[row["role"]]
    return element("li", None, name, element("span", {"class": "quiet soft"}, said))


def reasons_section(stats: Stats) -> Markup | None:
    """Return a table of the reasons of every stage that decided."""
    stages = [stage for stage in stats["reasons"] if stage["reasons"]]
    if not stages:
        return None
    note = (
        "Every rule is evaluated on every document that comes into its stage. A document is charged to the first rule "
        "that it breaks; “hits” counts every document that breaks the rule, and “alone” those that no other rule of "
        "the stage drops: what would come through it without that rule."
    )
    headers = {"reason": "code", "keeps": "", "": "draw", "charged": "n", "hits": "n", "alone": "n"}
    groups = [(stage["stage"], [_reason_row(reason, stage) for reason in stage["reasons"]]) for stage in stages]
    return join(element("p", {"class": "soft"}, note), table(headers, groups))


def _reason_row(reason: Stats, stage: Stats) -> Row:
    most = max([1, *(other["first"] for other in stage["reasons"])])
    return Row(
        (
            code(reason["reason"]),
            figures.bounds(reason["bounds"]),
            charts.bar([("dropped", reason["first"])], most, f"{reason['first']} documents"),
            *(figures.count(reason[kind]) for kind in ("first", "hits", "alone")),
        ),
        quiet=reason["hits"] == 0,
    )


def languages_section(stats: Stats) -> Markup | None:
    """Return a table of languages, those with the most kept documents first."""
    languages = stats["languages"]
    if not languages:
        return None
    shown, rest = languages[:_LANGUAGES_SHOWN], languages[_LANGUAGES_SHOWN:]
    if rest:
        names = ("documents", "documents_kept", "text_bytes", "text_bytes_kept", "tokens")
        total = {name: sum(record[name] or 0 for record in rest) for name in names}
        shown = [*shown, {"language": f"{len(rest)} others"} | total]
    most = max([1, *(record["documents"] for record in shown)])
    of_tokens = ["tokens", "bytes per token"] if any(record["tokens"] for record in shown) else []
    numbers = ["documents", "kept", "share", "text kept", *of_tokens]
    headers = {"language": "label", "": "draw"} | dict.fromkeys(numbers, "n")
    headers |= dict.fromkeys(numbers[5:], "n extra")
    return table(headers, [(None, [_language_row(record, most, len(headers)) for record in shown])])


def _language_row(record: Stats, most: int, width: int) -> Row:
    kept, whole, tokens = record["documents_kept"], record["documents"], record["tokens"]
    return Row(
        (
            record["language"],
            charts.bar([("kept", kept), ("dropped", whole - kept)], most, f"{kept} of {whole} kept"),
            figures.count(whole),
            figures.count(kept),
            figures.share(kept, whole),
            figures.size(record["text_bytes_kept"]) if kept else figures.NONE,
            figures.count(tokens) if tokens else figures.NONE,
            f"{record['text_bytes_kept'] / tokens:.2f}" if tokens else figures.NONE,
        )[:width],
        quiet=kept == 0,
    )


def tokens_section(stats: Stats) -> Markup | None:
    """Return what index.json says of the token shards."""
    index = stats["tokens"]
    if index is None:
        return None
    facts = {key.replace("_", " "): figures.exact(index[key]) for key in _TOKEN_FACTS if index.get(key) is not None}
    facts |= {"token shards": figures.count(len(index.get("shards", [])))}
    pairs = (element("div", None, element("dt", None, k), element("dd", None, v)) for k, v in facts.items())
    return element("dl", {"class": "facts"}, *pairs)


def signals_section(stats: Stats) -> Markup | None:
    """Return a drawing for each signal."""
    if not stats["signals"]:
        return None
    note = (
        "Of the documents that came into the stage which bounds a signal, those that the stage kept stand above the "
        "line, those that it dropped, for whatever reason, below. Bars grow with the square root of the count."
    )
    key = _key({"kept": "kept", "dropped": "dropped", "bound": "bound"})
    stages = {step["step"]: step["stage"] for step in stats["steps"]}
    does = what_stages_do(stats)
    drawings = (_drawing(signal, does.get(stages[signal["step"]], "")) for signal in stats["signals"])
    return join(element("p", {"class": "soft"}, note), key, element("div", {"class": "grid"}, *drawings))


def _drawing(signal: Stats, does: str) -> Markup:
    medians = [
        f"median {kind} {figures.number(signal[kind]['quantiles']['0.5'])}"
        for kind in ("kept", "dropped")
        if signal[kind]["documents"]
    ]
    said = " · ".join([signal["stage"] or "in the end", *medians])
    caption = element(
        "figcaption",
        None,
        element("span", {"class": "mono"}, signal["signal"], *does_of(does)),
        element("span", None, signal["meaning"].replace("``", "")),
    )
    return element("figure", None, caption, charts.histogram(signal), element("span", {"class": "soft small"}, said))


def duplicates_section(stats: Stats) -> Markup | None:
    """Return, for each dedup stage, its clusters by size and the largest of them."""
    stages = [stage for stage in stats["duplicates"] if stage["compared"]]
    if not stages:
        return None
    does = what_stages_do(stats)
    return join(*(_duplicates_of(stage, does.get(stage["stage"], "")) for stage in stages))


def _duplicates_of(stage: Stats, does: str) -> Markup:
    compared, clusters = figures.count(stage["compared"]), figures.count(stage["clusters"])
    text = f"{compared} documents were compared. Clusters of two or more: {clusters}."
    if stage["survivors_told_apart"]:
        apart = figures.count(stage["survivors_told_apart"])
        text += f" {apart} documents survive although candidates join them to another survivor: they are not like it."
    rows = [
        Row((record["url"] or figures.NONE, code(record["survivor"]), figures.count(record["size"])))
        for record in stage["largest"]
    ]
    headers = {"survivor of the largest": "name", "id": "name", "documents": "n"}
    found = table(headers, [(None, rows)]) if rows else Markup()
    title = element("h3", None, stage["stage"], *does_of(does))
    return join(title, element("p", {"class": "soft"}, text), _components(stage), found)


def _components(stage: Stats) -> Markup:
    """Return a table of near-duplicates' components and clusters by size; nothing where there are no components."""
    components, clusters = stage.get("components_by_least_size"), stage["clusters_by_least_size"]
    if not components:
        return Markup()
    least = [int(size) for size in components]
    labels = [figures.span(low, high - 1) for low, high in pairwise(least)] + [f"{figures.count(least[-1])} or more"]
    rows = [
        Row((label, figures.count(components[str(size)]), figures.count(clusters[str(size)])))
        for label, size in zip(labels, least, strict=True)
        if components[str(size)] or clusters[str(size)]
    ]
    note = "A component is what candidates join, in however many steps; a cluster is what is like its survivor. "
    note += f"The largest component: {figures.component(stage['largest_component'])}."
    headers = {"documents in it": "name", "components": "n", "clusters": "n"}
    return join(element("p", {"class": "soft"}, note), table(headers, [(None, rows)]))


def contamination_section(stats: Stats) -> Markup | None:
    """Return a table of the benchmarks that were found."""
    rows = [
        Row((record["benchmark"], record["stage"], figures.count(record["documents"]), figures.count(record["items"])))
        for record in stats["contamination"]
    ]
    headers = {"benchmark": "name", "stage": "name", "documents": "n", "items found": "n"}
    return table(headers, [(None, rows)]) if rows else None


def crawl_section(stats: Stats) -> Markup | None:
    """Return tables of hosts, statuses, media types and charsets."""
    hosts = [_names(stats["hosts"], "host", "Hosts of kept documents")] if stats["hosts"]["most"] else []
    wanted = {
        "statuses": ("status", "HTTP status"),
        "mimes": ("mime", "Media type"),
        "charsets": ("charset", "Charset"),
        "fate_details": ("fate", "What fates of extraction rest on"),
    }
    tables = [_names(stats[key], name, title) for key, (name, title) in wanted.items() if stats[key]["most"]]
    return element("div", {"class": "pair"}, *hosts, element("div", None, *tables)) if tables or hosts else None


def _names(names: Stats, key: str, title: str) -> Markup:
    rows = [
        Row((record[key], figures.count(record["documents"]), figures.share(record["documents"], names["documents"])))
        for record in names["most"]
    ]
    distinct = "more than could be counted" if names["distinct"] is None else figures.count(names["distinct"])
    error = f", each count too low by {figures.count(names['undercount'])} at most" if names["undercount"] else ""
    note = element("p", {"class": "soft"}, f"{distinct} in all{error}")
    found = table({key: "name", "documents": "n", "share": "n"}, [(None, rows)])
    return element("div", None, element("h3", None, title), note, found)


def recipe_section(stats: Stats) -> Markup | None:
    """Return the digest of each step, and the recipe in full."""
    rows = [Row((step["step"], step["kind"], element("code", None, step["digest"]))) for step in stats["steps"]]
    steps = table({"step": "name", "kind": "name", "digest": "name"}, [(None, rows)])
    if stats["recipe"] is None:
        return steps
    recipe = element("pre", None, element("code", None, _lines(stats["recipe"])))
    return join(steps, element("details", None, element("summary", None, "The recipe in full"), recipe))


def _lines(text: str) -> Markup:
    return Markup("\n".join(join(line) for line in text.replace("\t", "    ").splitlines()))


def _key(entries: Mapping[str, str]) -> Markup:
    return element("ul", {"class": "key"}, *(element("li", {"class": kind}, name) for kind, name in entries.items()))


SECTIONS: dict[str, Callable[[Stats], Markup | None]] = {
    "Warnings": warnings_section,
    "Funnel": funnel_section,
    "Reasons": reasons_section,
    "Languages": languages_section,
    "Tokens": tokens_section,
    "Signals": signals_section,
    "Perplexity": perplexity_section,
    "Importance": importance_section,
    "Edits": edits_section,
    "Duplicates": duplicates_section,
    "Contamination": contamination_section,
    "Crawl": crawl_section,
    "Recipe": recipe_section,
}
