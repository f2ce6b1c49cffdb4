"""What the fork server imports and loads once, so that each worker starts in milliseconds.

It loads the kernels that the run needs, whose parts the environment names.
"""

from __future__ import annotations

import os

from loguru import logger

from gristmill.pipeline import executors, orphans, stages, warm

__all__ = ["executors", "stages"]

orphans.end_with_parent()
orphans.end_forks_with_parent()
logger.disable("datatrove.executor.local")  # it would tell the terminal of each task
warm.load_compiled(os.environ.get(executors.KERNELS_VARIABLE, "").split())
