"""Every error that gristmill raises on purpose.

    GristmillError                  something a user can act on; exit code 1
    ├── UsageError                  a command or its arguments are wrong; exit code 2
    │   ├── RecipeError             a recipe is wrong: names the file, the line and the nearest right name
    │   └── MissingError            a model, an extra or an input is not there
    ├── ShardError                  a file on disk is not what the plan says it is
    │   ├── StaleError              computed from something else than the plan names
    │   ├── MisalignedError         rows differ in number or order from the documents
    │   └── CorruptError            unreadable, truncated or altered
    ├── AccessError                 a file of the crawl could not be read to its end, or changed meanwhile
    ├── StageError                  shards failed in a stage; the others finished
    └── AuditError                  a law of the design does not hold

A message says what is wrong, where, how many, and what to do. Nothing below the command line catches these but to
add context.
"""

from __future__ import annotations


class GristmillError(Exception):
    """Something a user can act on."""

    exit_code = 1


class UsageError(GristmillError):
    """A command or its arguments are wrong."""

    exit_code = 2


class RecipeError(UsageError):
    """A recipe is wrong; the message ends in ``(file:line)`` where a line is known."""


class MissingError(UsageError):
    """A model, an optional package or an input is not there; the message says how to get it."""


class ShardError(GristmillError):
    """A file on disk is not what the plan says it is."""


class StaleError(ShardError):
    """A file was computed from something else than the plan names."""


class MisalignedError(ShardError):
    """A layer's rows differ in number or order from its documents."""


class CorruptError(ShardError):
    """A file is unreadable, truncated or altered."""


class AccessError(GristmillError):
    """A file that lies elsewhere could not be read: the tries are used up, or it changed meanwhile."""


class StageError(GristmillError):
    """One or more shards failed in a stage; the message names them and their logs."""


class AuditError(GristmillError):
    """A law of the design does not hold; the message names what is broken."""
