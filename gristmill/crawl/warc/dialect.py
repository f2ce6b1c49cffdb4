"""What records look like in WARC. What they look like in ARC, which came before it, stands in `arc`."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from gristmill.crawl.warc.record import all_fields, type_and_length

if TYPE_CHECKING:
    from gristmill.crawl.warc.window import Window

_VERSION = re.compile(rb"(?:WARC|warc)/\d{1,2}\.\d{1,4}[ \t]{0,8}\r{0,2}\n")
_VERSION_BYTES = 24
_NAME = b"WARC/"


class Head(NamedTuple):
    """What a record's header says: its type, its block's bytes or None if they are unreadable, and its fields."""

    kind: str
    length: int | None
    fields: Mapping[bytes, bytes]


class Dialect(ABC):
    """How records are written.

    ``start``: how one starts, for finding it; ``start_bytes``: how many bytes that takes at most; ``ahead_bytes``: how
    many `begins` looks at; ``line_ends``: how many follow a block.
    """

    start: ClassVar[re.Pattern[bytes]]
    start_bytes: ClassVar[int]
    ahead_bytes: ClassVar[int]
    line_ends: ClassVar[int]

    @abstractmethod
    def begins(self, ahead: bytes | bytearray) -> bool:
        """Return whether a record seems to begin with these bytes, line ends before it apart."""

    @abstractmethod
    def take_head(self, window: Window) -> Head | None:
        """Move past a record's header and return what it says; None, without moving, if none stands here."""


class WarcDialect(Dialect):
    """A version, fields up to a blank line, the block, two line ends."""

    start = re.compile(_VERSION.pattern + rb"(?=(?i:warc|content)-[!-9;-~])")
    start_bytes = 64
    ahead_bytes = len(_NAME)
    line_ends = 2

    def begins(self, ahead: bytes | bytearray) -> bool:
        """Return whether these bytes begin with WARC's name, line ends before it apart."""
        return ahead.startswith(_NAME) or ahead.lstrip(b"\r\n")[: len(_NAME)].upper() == _NAME

    def take_head(self, window: Window) -> Head | None:
        """Move past the fields, of which the type and the length are read; see `Dialect`."""
        lines = window.take_lines() if _VERSION.match(window.peek(_VERSION_BYTES)) else None
        return None if lines is None else Head(*type_and_length(lines), all_fields(lines))


WARC = WarcDialect()
