"""Keys: a document's log weight, and noise from the hash of the seed and its id. No text is read."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.classifiers.importance.settings import ImportanceSettings
from gristmill.classifiers.importance.weights import gumbel_noise, key_layout
from gristmill.pipeline.phases import Phase, shard_phase, write_layer
from gristmill.pipeline.plan import Shard, Step
from gristmill.pipeline.progress import Progress
from gristmill.pipeline.run import Run
from gristmill.tokenize.order import keyed_hashes

KIND = "importance_key"


def phases(run: Run, step: Step) -> tuple[Phase, ...]:
    """Return the one phase: each shard's keys."""
    # of what is weighed and how many are taken nothing is read here
    settings = ImportanceSettings.model_validate({"target": "-", "take": 1, **step.settings})
    layer = key_layout(settings)

    def perform(shard: Shard, progress: Progress) -> None:
        weights = run.read(run.plan.step(step.inputs[-1]), shard)
        ids = run.read(run.plan.text_step, shard, [schema.ID]).column(schema.ID)
        batch = pa.RecordBatch.from_arrays([_keys(weights, ids, settings)], schema=layer)
        write_layer(run, step, shard, [batch], columns=layer)
        progress.update(len(ids), 1.0)

    return (shard_phase(run, step, perform),)


def _keys(weights: pa.Table, ids: pa.ChunkedArray, settings: ImportanceSettings) -> pa.Array:
    keys = weights.column(settings.log_weight).combine_chunks()
    if settings.noise:
        keys = pc.add(keys, pa.array(gumbel_noise(keyed_hashes(ids, settings.seed, "importance"))))
    words = weights.column(settings.word_count).combine_chunks()
    enough = np.asarray(pc.fill_null(pc.greater_equal(words, settings.min_words), False))
    return pc.if_else(pa.array(enough), keys, pa.scalar(None, pa.float64()))
