"""minhash: documents that share most of their shingles; its buckets are of bands of signatures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np
import pyarrow as pa

from gristmill import schema
from gristmill.dedup.components import Edges
from gristmill.dedup.minhash.bands import candidate_edges
from gristmill.dedup.minhash.clusters import clusters
from gristmill.dedup.minhash.shingles import versions
from gristmill.dedup.settings import DedupSettings
from gristmill.errors import MissingError
from gristmill.pipeline.exchange import KeyFiles
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup.decisions import write_decisions
from gristmill.pipeline.stages.dedup.kind import Kind
from gristmill.pipeline.stages.dedup.minhash.signed import Signed
from gristmill.pipeline.stages.dedup.minhash.tables import BANDS
from gristmill.pipeline.stages.dedup.near import NearDuplicates
from gristmill.pipeline.stages.dedup.older_keys import OlderKeys
from gristmill.schema import CLUSTER_SIZE, COMPONENT_SIZE, NEAR_DUPLICATES, SIMILARITY
from gristmill.spacy_words import installed as spacy_words

_VERSION = "1"


def phases(run: Run, step: Step, settings: DedupSettings) -> tuple[Phase, ...]:
    """Return the phases, in order."""
    assert settings.minhash is not None
    minhash = settings.minhash
    signed = Signed(run, step, minhash, settings.scope)
    bands = KeyFiles(run, step, BANDS, name="bands")
    return NearDuplicates(
        signed=signed,
        buckets=bands,
        emit=signed.bands,
        edges=lambda there, partition: _edges(bands, there, partition),
        clusters=lambda rows, older: clusters(rows, minhash, older),
        decide=lambda shard, decided: write_decisions(run, step, shard, decided, NEAR_DUPLICATES),
    ).phases()


def _edges(bands: KeyFiles, there: OlderKeys, partition: int) -> Edges:
    """Return the edges of a partition's buckets; ``there`` are older documents that are in them too."""
    found = chain(bands.read(partition), _older_bands(bands, there, partition))
    return candidate_edges((np.asarray(t[schema.KEY]), np.asarray(t[schema.NODE])) for t in found)


def _older_bands(bands: KeyFiles, there: OlderKeys, partition: int) -> Iterator[pa.Table]:
    """Yield the older documents' rows that have a key of a partition, which is read again for that."""
    if there.runs:
        keys = [np.asarray(table[schema.KEY]) for table in bands.read(partition)]
        yield from there.buckets(np.unique(np.concatenate([np.empty(0, np.uint64), *keys])))


def _versions(settings: DedupSettings) -> dict[str, str]:
    """Return the versions of what decides. Raises MissingError for shingles whose package is not installed."""
    assert settings.minhash is not None
    scheme = settings.minhash.scheme
    if scheme in ("fineweb", "datatrove") and not spacy_words.is_installed():
        raise MissingError(f"`scheme: {scheme}` needs spaCy; install it with: pip install 'gristmill[spacy]'")
    return {"minhash": _VERSION, **versions(settings.minhash.kind_of_shingles)}


KIND = Kind(versions=_versions, phases=phases, columns=(CLUSTER_SIZE, SIMILARITY, COMPONENT_SIZE), keys=BANDS)
