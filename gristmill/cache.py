"""Where gristmill keeps what it can make or fetch again: one folder a kind, the same for every run of a user."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """Return the folder of one kind: ``$GRISTMILL_CACHE/<kind>``, or else ``~/.cache/gristmill/<kind>``."""
    own = os.environ.get("GRISTMILL_CACHE")
    shared = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(own) if own else shared / "gristmill") / kind
