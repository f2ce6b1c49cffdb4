"""exact: documents whose texts are equal, byte for byte or in a normal form."""

from __future__ import annotations

import pyarrow as pa

from gristmill import schema
from gristmill.dedup import keys, normal
from gristmill.dedup.keys import text_digests
from gristmill.dedup.settings import DedupSettings
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup import keyed
from gristmill.pipeline.stages.dedup.kind import Kind
from gristmill.pipeline.stages.dedup.members import KEYS


def phases(run: Run, step: Step, settings: DedupSettings) -> tuple[Phase, ...]:
    """Return the phases of its exchange."""
    digests = _normal_digests if settings.exact == "normalized_text" else text_digests
    return keyed.phases(run, step, settings, schema.TEXT, digests)


def _normal_digests(texts: pa.ChunkedArray) -> pa.Array:
    return text_digests(normal.normal_texts(texts))


def _versions(settings: DedupSettings) -> dict[str, str]:
    return keys.versions() | (normal.versions() if settings.exact == "normalized_text" else {})


KIND = Kind(versions=_versions, phases=phases, keys=KEYS)
