"""Bloom filters before what compares digests: only what a filter was given twice, or an older run may have, is held.

    files.py   a filter for each partition, made from its keys in a stream, and saved
    two.py     8 bytes of each document go out, then the keys of candidates alone
    one.py     the keys of all documents go out, and those of candidates alone are held
    older.py   older runs: what their filters claim to have, and what their keys tell

Whatever the passes, documents of one run are copies of each other exactly when their digests are equal: who survives is
what it is without filters. Only what an older run's filter claims to have may be dropped wrongly, in one pass.
"""

from __future__ import annotations

from gristmill.dedup.bloom.settings import BloomSettings
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup.bloom import one, two
from gristmill.pipeline.stages.dedup.bloom.kind import Emit


def phases(run: Run, step: Step, settings: BloomSettings, emit: Emit) -> tuple[Phase, ...]:
    """Return the phases of a step that has filters."""
    passes = two.phases if settings.passes == "two" else one.phases
    return passes(run, step, settings, emit)
