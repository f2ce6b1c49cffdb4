"""What a kind of deduplication is to the stage: one module for each ends with its `Kind`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from gristmill import schema
from gristmill.dedup.settings import DedupSettings
from gristmill.pipeline.phases import Phase
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run


@dataclass(frozen=True)
class Kind:
    """One kind.

    ``versions`` returns the versions of what decides; ``phases`` the work of a step, which ends with the layers (see
    `decisions`). ``reads_text`` is true if it compares texts: then the edits so far are among the step's inputs.
    ``columns`` are what its layer offers to later rules. ``keys`` are the columns of its key files, which later
    runs go against; of the kinds whose copies are not equal, those of one of their files.
    """

    versions: Callable[[DedupSettings], dict[str, str]]
    phases: Callable[[Run, Step, DedupSettings], tuple[Phase, ...]]
    keys: pa.Schema
    reads_text: bool = True
    columns: tuple[str, ...] = (schema.CLUSTER_SIZE,)
