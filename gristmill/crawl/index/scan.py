"""What asking an index came to: how much of it was read, and what was left after each condition."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Scan:
    """Row groups and bytes of Parquet files, or pages and lines of a CDX server; rows left after each condition.

    Bytes are those of footers and of columns' chunks as they lie in the files, however often they were asked for.
    """

    files: int = 0
    groups: int = 0
    groups_read: int = 0
    bytes: int = 0
    bytes_read: int = 0
    pages: int = 0
    lines: int = 0
    left: dict[str, int] = field(default_factory=dict)

    def add(self, other: Scan) -> None:
        """Add what another part of it came to."""
        for name in ("files", "groups", "groups_read", "bytes", "bytes_read", "pages", "lines"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name, rows in other.left.items():
            self.left[name] = self.left.get(name, 0) + rows

    @property
    def nothing_left_after(self) -> str | None:
        """The first condition after which no row was left; None if rows were."""
        return next((name for name, rows in self.left.items() if not rows), None)

    @property
    def words(self) -> str:
        """How much was read.

        >>> Scan(files=2, groups=40, groups_read=1, bytes=2_000_000_000, bytes_read=1_200_000).words
        'read 1 of 40 row groups in 2 files, 1.2 MB of 2 GB'
        """
        if not self.files:
            return f"read {self.lines:,} lines on {self.pages:,} pages of the CDX server"
        groups = f"{self.groups_read:,} of {self.groups:,} row groups in {self.files:,} files"
        return f"read {groups}, {_size(self.bytes_read)} of {_size(self.bytes)}"


def _size(count: int) -> str:
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"
