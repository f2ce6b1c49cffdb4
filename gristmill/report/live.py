"""One line of progress for each phase: documents, documents a second, time left. Without a terminal, warnings alone."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from gristmill.pipeline.monitor import State, Watcher
from gristmill.report.escape import for_terminal


class _Rate(ProgressColumn):
    """Rows so far, and rows a second since the phase began."""

    def render(self, task: Task) -> Text:
        rows, seconds = task.fields["rows"], task.fields["seconds"]
        if not rows:
            return Text(" " * 30)
        rate = f"{rows / seconds:,.1f}/s" if seconds > 0 else ""
        return Text(f"{rows:>9,} documents {rate:>10}")


class _Lines:
    """A watcher that draws a line for each phase."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._line = self._new_line()

    def _new_line(self) -> Progress:
        return Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(bar_width=12),
            TextColumn("{task.percentage:>4.0f}%"),
            _Rate(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=self._console,
        )

    def begin(self, step: str, total: int) -> None:
        """Draw the line of a phase."""
        self._line = self._new_line()
        self._line.add_task(step, total=1.0, rows=0, seconds=0.0)
        self._line.start()

    def update(self, state: State) -> None:
        """Draw how far it is."""
        for task in self._line.task_ids:
            self._line.update(task, completed=state.fraction, rows=state.rows, seconds=state.seconds)

    def end(self, state: State) -> None:
        """Draw the last state, and leave the line."""
        self.update(state)
        self._line.stop()

    def warn(self, sentence: str) -> None:
        """Print a warning."""
        _warn(self._console, sentence)


class _Silent:
    """A watcher that shows warnings alone."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def begin(self, step: str, total: int) -> None:
        """Show nothing."""

    def update(self, state: State) -> None:
        """Show nothing."""

    def end(self, state: State) -> None:
        """Show nothing."""

    def warn(self, sentence: str) -> None:
        """Print a warning."""
        _warn(self._console, sentence)


def _warn(console: Console, sentence: str) -> None:
    console.print(Text.assemble(("warning: ", "bold yellow"), for_terminal(sentence)), soft_wrap=True)


def watcher(console: Console) -> Watcher:
    """Return what shows progress on a terminal, and warnings alone elsewhere."""
    return _Lines(console) if console.is_terminal else _Silent(console)
