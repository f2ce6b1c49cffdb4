"""One pass over the shards of a run that someone waits for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from gristmill.pipeline.monitor import State, Watcher
from gristmill.pipeline.plan import Shard


def passed(shards: Sequence[Shard], watcher: Watcher, label: str) -> Iterator[Shard]:
    """Yield shards in order, and show a watcher how many have been passed."""
    began = time.monotonic()

    def state(done: int) -> State:
        return State(label, 0, done, len(shards), done / max(1, len(shards)), time.monotonic() - began)

    watcher.begin(label, len(shards))
    done = 0
    try:
        for done, shard in enumerate(shards, 1):
            yield shard
            watcher.update(state(done))
    finally:
        watcher.end(state(done))
