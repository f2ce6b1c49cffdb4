"""What a file is, by how it begins, and whether it is a whole model of a kind."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from gristmill.classifiers.fasttext_file import check_fasttext_file
from gristmill.classifiers.models.kenlm_file import ARPA, MAGIC, check_kenlm_file
from gristmill.classifiers.models.registry import KINDS, Kind
from gristmill.classifiers.models.sentencepiece_file import check_sentencepiece_file
from gristmill.errors import CorruptError, MissingError, UsageError

_HEAD: Final = 512
_FETCH_AGAIN: Final = "fetch it again from the right address"


class _Sign(NamedTuple):
    """How a file begins, what it is then, what to do if a model was meant, and the kind of model that it is."""

    begins: bytes
    what: str
    advice: str = "name the model's file"
    kind: Kind | None = None


_SIGNS: Final = (
    _Sign(struct.pack("<i", 793712314), KINDS["fasttext"], kind="fasttext"),
    _Sign(MAGIC, KINDS["kenlm"], kind="kenlm"),
    _Sign(ARPA, f"{KINDS['kenlm']} (ARPA)", kind="kenlm"),
    _Sign(b"version https://git-lfs", "a pointer of Git LFS", "fetch what it points at: `git lfs pull`"),
    _Sign(b"\x1f\x8b", "packed by gzip", "unpack it: `gzip -d`"),
    _Sign(b"PK\x03\x04", "a ZIP archive", "unpack it"),
    _Sign(b"\x28\xb5\x2f\xfd", "packed by Zstandard", "unpack it: `zstd -d`"),
    _Sign(b"\xfd7zXZ", "packed by xz", "unpack it: `xz -d`"),
    _Sign(b"BZh", "packed by bzip2", "unpack it: `bzip2 -d`"),
    _Sign(b"PAR1", "a Parquet file"),
    _Sign(b"<!doctype", "a web page, as servers send with an error", _FETCH_AGAIN),
    _Sign(b"<html", "a web page, as servers send with an error", _FETCH_AGAIN),
    _Sign(b"<?xml", "XML, as stores send with an error", _FETCH_AGAIN),
    _Sign(b'{"', "JSON, as servers send with an error", _FETCH_AGAIN),
)

_CHECKS: Final[dict[Kind, Callable[[Path], None]]] = {
    "fasttext": check_fasttext_file,
    "kenlm": check_kenlm_file,
    "sentencepiece": check_sentencepiece_file,
}


def check_file(path: Path, kind: Kind) -> None:
    """Check that a file is a whole model of a kind.

    Raises UsageError for another kind of model, CorruptError for anything else and for a file that is not whole,
    MissingError for one that cannot be read.
    """
    try:
        sign = _sign_of(path)
        if sign is not None and sign.kind != kind:
            refusal = UsageError if sign.kind else CorruptError
            raise refusal(f"model {path} is {sign.what}; {KINDS[kind]} is needed here: {sign.advice}")
        _CHECKS[kind](path)
    except OSError as error:
        raise MissingError(f"model {path} cannot be read: {error.strerror or error}") from error


def found_at(path: Path) -> str:
    """Return what a file is, for the end of a clause; nothing if it is not known, or may be a model."""
    sign = _sign_of(path)
    return f": it is {sign.what}" if sign is not None and sign.kind is None else ""


def _sign_of(path: Path) -> _Sign | None:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    start = head.lstrip().lower()
    return next((sign for sign in _SIGNS if head.startswith(sign.begins) or start.startswith(sign.begins)), None)
