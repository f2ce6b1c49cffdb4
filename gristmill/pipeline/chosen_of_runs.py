"""Documents of a finished run, chosen by what its layers measured and by what became of each."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.errors import UsageError
from gristmill.pipeline.ledger import fates
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.recipe import nearest
from gristmill.pipeline.run import Run
from gristmill.pipeline.where import conditions
from gristmill.pipeline.where.evaluate import Chooser, Fates

NAME = "name"
_OF_FATES = (schema.STAGE, schema.REASON)


def tables_of_run(run: Run, chooser: Chooser | None, columns: tuple[str, ...]) -> Iterator[pa.Table]:
    """Yield text, url, name and some columns of the documents that a condition chooses; of those kept without one.

    The text is as the run's last edit left it. ``columns`` are those of the documents and of any layer, the latest that
    has it; and ``stage`` and ``reason``, which say where and why a document was dropped. Raises UsageError naming the
    nearest column, MissingError and StaleError for a run that is not finished.
    """
    layers = _layers(run)
    _check(columns, run, layers)
    read = [name for name in columns if name not in _OF_FATES and name != schema.URL]
    wanted = dict.fromkeys([schema.TEXT, schema.ID, schema.URL, *read])
    inputs = tuple(dict.fromkeys([*(step.name for step in run.plan.edits), *(layers[c] for c in read if c in layers)]))
    reader = Step(name="reader", stage="reader", kind="reader", settings={}, inputs=_in_order(run, inputs))
    deciders = _deciders(run, chooser, columns)
    for shard in run.plan.shards:
        row = 0
        known = _fates(run, shard, deciders)
        for table in run.texts(reader, shard, list(wanted)):
            yield _chosen(table, known.slice(row, table.num_rows), chooser, [step.stage for step in deciders])
            row += table.num_rows


def _layers(run: Run) -> dict[str, str]:
    """Return the step that is read for each column of the layers: the latest that has it."""
    return {column: step.name for step in run.plan.steps for column in step.columns}


def _in_order(run: Run, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(step.name for step in run.plan.steps if step.name in names)


def _check(columns: tuple[str, ...], run: Run, layers: dict[str, str]) -> None:
    """Raise UsageError for a column that the run does not have."""
    first = run.footer(run.plan.text_step, run.plan.shards[0]).schema.names
    known = sorted({*first, *layers, *_OF_FATES, "host"} - {schema.TEXT})
    for name in columns:
        if name not in known:
            raise UsageError(f"the run '{run.plan.name}' has no column '{name}'{nearest(name, known)}")


def _deciders(run: Run, chooser: Chooser | None, columns: tuple[str, ...]) -> tuple[Step, ...]:
    """Return the deciding steps whose decisions matter: those up to the last stage that the condition names, or all."""
    asked = conditions.fates(chooser.condition) if chooser is not None else ()
    if chooser is None or any(fate.stage is None for fate in asked) or set(columns) & set(_OF_FATES):
        return run.plan.deciders
    stages = [step.stage for step in run.plan.deciders]
    last = max((stages.index(fate.stage) for fate in asked if fate.stage in stages), default=-1)
    return run.plan.deciders if any(fate.stage not in stages for fate in asked) else run.plan.deciders[: last + 1]


def _fates(run: Run, shard: Shard, deciders: tuple[Step, ...]) -> pa.Table:
    known = fates(run, shard, deciders).select([schema.STAGE, schema.REASON])
    return known.combine_chunks()


def _chosen(table: pa.Table, known: pa.Table, chooser: Chooser | None, stages: list[str]) -> pa.Table:
    """Return the rows that are chosen, with name, stage and reason."""
    for name in _OF_FATES:
        table = table.append_column(name, known.column(name))
    table = table.append_column(NAME, pc.coalesce(table.column(schema.URL), table.column(schema.ID)))
    if chooser is None:
        return table.filter(pc.is_null(table.column(schema.STAGE)))
    given = {name: pa.concat_arrays(table.column(name).chunks) for name in table.column_names if table.num_rows}
    if not table.num_rows:
        return table
    return table.filter(chooser.chosen(given, Fates(given[schema.STAGE], stages), table.num_rows))
