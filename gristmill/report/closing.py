"""What is said when a run has ended: its funnel, and where to look next."""

from __future__ import annotations

import os

from rich.console import Console

from gristmill.pipeline.run import Run
from gristmill.report.funnel import funnel, render_funnel


def tell(run: Run, complete: bool) -> None:
    """Print the funnel, and where to look next; a run that is not complete has no report yet."""
    console = Console()
    console.print(render_funnel(funnel(run)))
    root = shown(run.folder.url)
    lines = [f"run      {root}/   (try: gristmill explain {root} URL)"]
    if complete and run.folder.exists("tokens/index.json"):
        lines.insert(0, f"tokens   {root}/tokens/")
    if complete:
        lines.insert(0, f"report   {root}/report/index.html\ncard     {root}/README.md")
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def shown(path: str) -> str:
    """Return a path relative to here if it lies below."""
    relative = os.path.relpath(path) if "://" not in path else path
    return path if relative.startswith("..") else relative
