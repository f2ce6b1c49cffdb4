"""An explanation on a terminal. Everything crawled passes `for_terminal`: no markup, no escapes, no overrides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from gristmill import schema
from gristmill.filters.rules.serialize import to_json
from gristmill.report import figures
from gristmill.report.edited import Piece
from gristmill.report.escape import for_terminal
from gristmill.report.outcomes import BoundOutcome, Explanation, StageOutcome, Survivor

_STATES = {"kept": "green", "dropped": "red", "measured": "", "encoded": "green", "not done": "yellow"}


Shown = Literal["nothing", "edited", "original"]


def render_explanation(explanation: Explanation, *, text: Shown = "nothing") -> Group:
    """Return what Rich prints: the fate, the record, then every stage in order.

    ``text`` adds the document's text: with the marks of what edits did to it, or as it was extracted.
    """
    parts: list[RenderableType] = [_title(explanation), _fate(explanation), Text(), _record(explanation)]
    ruled = {part.rule.signal for stage in explanation.stages for rule in stage.rules for part in rule.parts}
    dropped = False
    for stage in explanation.stages:
        parts += [Text(), _stage_line(stage, dropped), *_details(stage, ruled)]
        dropped = dropped or stage.state == "dropped"
    if text == "original":
        parts += [Text(), Line("text as extracted"), _text(explanation)]
    elif text == "edited":
        parts += [Text(), *_marked(explanation)]
    return Group(*parts, Text())


def _title(explanation: Explanation) -> Text:
    if explanation.url is None:
        return Text("a record without URL", style="bold")
    return for_terminal(explanation.url, "bold")


def _fate(explanation: Explanation) -> Text:
    stage = explanation.dropped_by
    if stage is not None:
        more = f" (and {len(stage.reasons) - 1} more)" if len(stage.reasons) > 1 else ""
        why = f"{stage.reasons[0]}{_rests_on(stage)}"
        return Text.assemble(("dropped", "bold red"), " by ", stage.stage, ": ", for_terminal(why), more)
    if explanation.is_final:
        return Text("kept", style="bold green")
    waiting = ", ".join(stage.stage for stage in explanation.stages if stage.state == "not done")
    return Text.assemble(("kept so far", "bold yellow"), f"; not done yet: {waiting}")


def _rests_on(stage: StageOutcome) -> str:
    return "" if stage.detail is None else f": {stage.detail}"


def _record(explanation: Explanation) -> Padding:
    facts = explanation.facts
    answer = [facts[schema.STATUS], facts[schema.MIME], facts[schema.CHARSET]]
    answered = " ".join(str(part) for part in answer if part is not None) or "no readable response"
    body = facts[schema.BODY_BYTES]
    rows = {
        "id": explanation.id,
        "lies in": f"{facts[schema.WARC]}, at byte {figures.count(facts[schema.OFFSET])}; row {explanation.row}",
        "fetched": _when(facts[schema.DATE]),
        "dated": _when(facts[schema.HTTP_DATE]),
        "response": answered if body is None else f"{answered}, {figures.count(body)} bytes",
        "text": "none" if facts[schema.TEXT_BYTES] is None else f"{figures.count(facts[schema.TEXT_BYTES])} bytes",
    }
    return _indented(_pairs({key: value for key, value in rows.items() if value is not None}))


def _when(date: Any) -> str | None:
    return None if date is None else f"{date:%Y-%m-%d %H:%M:%S} UTC"


def _stage_line(stage: StageOutcome, dropped_before: bool) -> Text:
    """Return a stage's name and what it did; after a drop, what it would have done."""
    name = (f"{stage.stage:<14} ", "bold")
    if dropped_before and stage.state in ("kept", "dropped"):
        return Text.assemble(name, (f"would have {stage.state} it", "dim"))
    return Text.assemble(name, (stage.state, _STATES.get(stage.state, "dim")))


def _details(stage: StageOutcome, ruled: set[str]) -> Iterator[RenderableType]:
    """Yield what a stage has to say: reasons that are no rules', duplicates, rules, values that no rule looks at."""
    of_rules = {rule.code for rule in stage.rules}
    for reason in stage.reasons:
        if reason not in of_rules:
            yield _indented(for_terminal(f"{reason}{_rests_on(stage)}", "red"))
    yield from _duplicates(stage)
    values = {name: value for name, value in stage.values.items() if name not in ruled and value is not None}
    if values:
        yield _indented(_pairs({name: figures.number(value) for name, value in values.items()}))
    if stage.rules:
        yield _indented(_rules(stage))


def _duplicates(stage: StageOutcome) -> Iterator[RenderableType]:
    if stage.survivor is not None:
        yield _indented(_pairs(_survivor(stage, stage.survivor)))
    elif stage.cluster_size is not None and stage.cluster_size > 1:
        yield _indented(Text(f"kept for {figures.count(stage.cluster_size)} copies, itself included"))
    elif stage.cluster_size == 1:
        yield _indented(Text("compared: it has no copy", style="dim"))
    if stage.component_size is not None and stage.component_size != stage.cluster_size:
        joined = figures.count(stage.component_size)
        yield _indented(Text(f"candidates join {joined} documents to it; not all are like one survivor", style="dim"))


def _survivor(stage: StageOutcome, survivor: Survivor) -> dict[str, str]:
    """Return what is shown of the survivor of a document that was dropped."""
    return {
        "like" if stage.is_near else "same as": _named(survivor.id),
        **({"similarity": figures.number(stage.similarity)} if stage.is_near else {}),
        "URL": survivor.url or figures.NONE,
        "fetched": _when(survivor.date) or figures.NONE,
        "of": _kept_of(survivor.id, figures.count(stage.cluster_size)),
    }


def _named(identity: str) -> str:
    """Return an id, or, where only its run is known, that."""
    return f"some document of run {identity[:-1]}" if identity.endswith(":") else identity


def _kept_of(identity: str, size: str) -> str:
    run, colon, _ = identity.partition(":")
    return f"{size} copies in this run; run {run} has an older one" if colon else f"{size} copies, this one was kept"


def _rules(stage: StageOutcome) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    table.add_column("rule", overflow="fold")
    for header in ("value", "bound", "room"):
        table.add_column(header, justify="right", overflow="fold")
    for rule in stage.rules:
        code = for_terminal(rule.code, "red" if rule.hit else "")
        if len(rule.parts) == 1:
            table.add_row(_mark(rule.hit), code, *_against(rule.parts[0], rule.asked, rule.hit))
            continue
        table.add_row(_mark(rule.hit), code)
        for part in rule.parts:
            asked = figures.bound(to_json(part.rule))
            label = Text.assemble("  ", _mark(part.outside), " ", for_terminal(part.rule.label))
            table.add_row("", label, *_against(part, asked, part.outside))
    return table


def _mark(hit: bool) -> Text:
    return Text("✗", style="red") if hit else Text("✓", style="green")


def _against(part: BoundOutcome, asked: str, hit: bool) -> tuple[Text, Text, Text]:
    """Return a value, its bound, and the room between them."""
    room = "" if part.room is None else figures.number(part.room)
    value = for_terminal(figures.number(part.value), "bold" if hit else "")
    return value, for_terminal(asked), Text(room, style="red" if hit else "dim")


def _text(explanation: Explanation) -> Text:
    text = explanation.text()
    return Text("it has none", style="dim") if text is None else for_terminal(text, keep="\n\t")


def _marked(explanation: Explanation) -> Iterator[RenderableType]:
    """Yield the text with its edits marked: readable without colour."""
    pieces = explanation.pieces()
    edits = any(piece.state != "stays" for piece in pieces)
    yield Line(Text("text: [-cut-]{why} [+put there+]" if edits else "text"))
    yield Text.assemble(*map(_piece, pieces)) if pieces else Text("it has none", style="dim")


def _piece(piece: Piece) -> Text:
    """Return a piece: what was cut with its reason; white space that was cut is written out."""
    text = piece.text.decode("utf-8", "replace")
    if piece.state == "stays":
        return for_terminal(text, keep="\n\t")
    if piece.state == "new":
        return Text.assemble(
            ("[+", "green"), for_terminal(text, "green", keep="" if text.isspace() else "\n\t"), ("+]", "green")
        )
    shown = for_terminal(text, "red", keep="" if text.isspace() else "\n\t")
    return Text.assemble(
        ("[-", "red"), shown, ("-]", "red"), ("{", "dim"), for_terminal(piece.reason, "dim"), ("}", "dim")
    )


def _pairs(values: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for key, value in values.items():
        table.add_row(for_terminal(key), for_terminal(value))
    return table


def _indented(part: RenderableType) -> Padding:
    return Padding(part, (0, 0, 0, 2))
