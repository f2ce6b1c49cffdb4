"""url: documents that were fetched from the same address, after it is normalized. No text is read."""

from __future__ import annotations

import importlib.metadata

import pyarrow as pa

from gristmill import schema
from gristmill.dedup import keys, urls
from gristmill.dedup.settings import DedupSettings
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup import keyed
from gristmill.pipeline.stages.dedup.kind import Kind
from gristmill.pipeline.stages.dedup.members import KEYS


def phases(run: Run, step: Step, settings: DedupSettings) -> tuple[Phase, ...]:
    """Return the phases of its exchange."""
    own = settings.url
    assert own is not None
    normalized = urls.url_normalizer(cut_www=own.cut_www, cut_parameters=own.cut_parameters)

    def digests(column: pa.ChunkedArray) -> pa.Array:
        found = [None if url is None else normalized(url) for url in column.to_pylist()]
        return keys.text_digests(pa.array(found, pa.large_string()))

    return keyed.phases(run, step, settings, schema.URL, digests)


def _versions(settings: DedupSettings) -> dict[str, str]:
    return keys.versions() | urls.versions() | {"idna": importlib.metadata.version("idna")}


KIND = Kind(versions=_versions, phases=phases, reads_text=False, keys=KEYS)
