"""The manifest: what ran, with which versions, and what each step wrote.

It knows no clock and no worker count: it is the same for the same recipe, sources and versions, however they ran.
"""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

from gristmill import __version__
from gristmill.pipeline.doubts import doubts
from gristmill.pipeline.ledger import finished_deciders, flows
from gristmill.pipeline.plan import Step, digest_of
from gristmill.pipeline.run import MANIFEST_FILE, Run

PACKAGES = (
    "datatrove", "deflate", "fasttext-numpy2", "ftfy", "numba", "numpy", "nupunkt", "pyarrow", "resiliparse",
    "tokenizers", "trafilatura", "xxhash",
)  # fmt: skip
EXTRAS = ("kenlm", "sentencepiece")
"""Packages that are named where a step has their version."""


def write_manifest(run: Run) -> dict[str, Any]:
    """Write manifest.json; return what it says."""
    manifest = {
        "gristmill": __version__,
        "plan": run.plan.digest,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _packages(run)},
        "shards": len(run.plan.shards),
        "steps": [_step(run, step) for step in run.plan.steps],
        "stages": [
            {
                "stage": flow.stage,
                "documents_in": flow.documents_in,
                "documents_kept": flow.documents_kept,
                "text_bytes_in": flow.bytes_in,
                "text_bytes_kept": flow.bytes_kept,
            }
            for flow in flows(run, finished_deciders(run))
        ],
        "warnings": doubts(run),
    }
    run.folder.write_json(MANIFEST_FILE, manifest)
    return manifest


def _packages(run: Run) -> list[str]:
    """Return the packages whose versions are told."""
    used = {key.partition(" ")[0] for step in run.plan.steps for key in step.versions or {}}
    return sorted((*PACKAGES, *used.intersection(EXTRAS)))


def _step(run: Run, step: Step) -> dict[str, Any]:
    """Return what a step wrote: rows, a digest over the contents of its files, and each file's seal, in order."""
    done = [shard for shard in run.plan.shards if run.is_done(step, shard)]
    footers = [run.footer(step, shard) for shard in done]
    return {
        "step": step.name,
        "folder": step.folder,
        "digest": step.digest,
        "versions": dict(step.versions or {}),
        "shards": len(done),
        "rows": sum(footer.rows for footer in footers),
        "content": digest_of([footer.content for footer in footers]),
        "seals": [footer.seal for footer in footers],
    }
