"""The command line, and how it ends: ``gristmill`` or ``python -m gristmill``."""

from __future__ import annotations

import errno
import sys
from typing import Any, NoReturn

import typer

from gristmill.cli import app
from gristmill.errors import GristmillError

_INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line; exit 0 when done, 1 when it failed, 2 for wrong usage or a wrong recipe."""
    try:
        code = app(standalone_mode=False)
    except GristmillError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            _fail(f"the disk is full ({error.filename or error}); free some space and run the same command again", 1)
        if error.filename is None:
            raise
        _fail(f"{error.filename}: {error.strerror}", 1)
    except Exception as error:
        code = _usage_code(error)
        if code is None:
            raise
    if code == _INTERRUPTED:
        _fail("interrupted; what is finished stays, and the same command goes on from there", _INTERRUPTED)
    sys.exit(code or 0)


def _usage_code(error: Exception) -> int | None:
    """Show what Typer makes of wrong usage; return its exit code, or None for any other error."""
    show: Any = getattr(error, "show", None)
    code = getattr(error, "exit_code", None)
    if show is not None and code is not None:
        show()
        return int(code)
    return int(code) if type(error).__name__ in ("Exit", "Abort") and code is not None else None


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"gristmill: {message}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
