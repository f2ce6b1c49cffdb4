"""exact: documents whose texts are equal, byte for byte."""

from __future__ import annotations

from gristmill import schema
from gristmill.dedup.keys import text_digests, versions
from gristmill.dedup.settings import DedupSettings
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup import keyed
from gristmill.pipeline.stages.dedup.kind import Kind


def phases(run: Run, step: Step, settings: DedupSettings) -> tuple[Phase, ...]:
    """Return the phases of its exchange."""
    return keyed.phases(run, step, schema.TEXT, text_digests)


KIND = Kind(versions=lambda settings: versions(), phases=phases)
