"""What the words of an n-gram model are: words between spaces, or the pieces of a trained vocabulary.

SentencePiece's ``.model`` files and Hugging Face's ``tokenizer.json``. What is written in a page is text: a special
token written there is cut into pieces like any other text, and nothing is random (a dropout that a ``tokenizer.json``
asks for is switched off, as are truncation and padding).

Not here: the training of a vocabulary (SentencePiece's own, or ``gristmill``'s tokenizers).
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Final

from gristmill.classifiers.models import FoundModel, find_model
from gristmill.errors import CorruptError, MissingError, StaleError

WORDS: Final = "words"
_WHITE: Final = str.maketrans("\n\r\t\0", "    ")

Split = Callable[[list[str]], list[str]]


@dataclass(frozen=True)
class Pieces:
    """A vocabulary's file, None for words between spaces, under the name that led to it.

    It can be sent to other processes.
    """

    file: FoundModel | None = None
    name: str = field(default=WORDS, compare=False)

    @property
    def digest(self) -> str:
        """The sha256 of the vocabulary's file, or ``words``."""
        return WORDS if self.file is None else self.file.digest

    @property
    def is_tokenizer_json(self) -> bool:
        """Whether the file is a tokenizer.json, and not SentencePiece's."""
        return self.file is not None and self.file.path.suffix == ".json"

    def versions(self) -> dict[str, str]:
        """Return the version of the library that splits; it belongs into the stage's hash."""
        if self.file is None:
            return {}
        library = "tokenizers" if self.is_tokenizer_json else "sentencepiece"
        return {library: version(library)}

    def check(self) -> None:
        """Raise MissingError if the library is not installed, CorruptError if the file is no vocabulary."""
        self.split(["a"])

    def split(self, lines: Sequence[str]) -> list[str]:
        """Return the pieces of each line with spaces between them. Lines hold no line feed, nor do the answers."""
        if self.file is None:
            return list(lines)
        loaded = _tokenizer_json(self.file) if self.is_tokenizer_json else _sentencepiece(self.file)
        return loaded(list(lines))


WORDS_ALONE: Final = Pieces()


def find_pieces(name: str) -> Pieces:
    """Return the vocabulary that a recipe names: ``words``, a path or a URL. Raises MissingError if it is not there."""
    return WORDS_ALONE if name == WORDS else Pieces(find_model(name), name)


@functools.lru_cache(maxsize=64)
def _sentencepiece(file: FoundModel) -> Split:
    if find_spec("sentencepiece") is None:
        raise MissingError(
            f"{file.path} is a vocabulary of SentencePiece's, which is not installed: "
            "pip install 'gristmill[sentencepiece]'"
        )
    from sentencepiece import SentencePieceProcessor

    data = _read(file)
    processor = SentencePieceProcessor()
    try:
        is_loaded = bool(data) and processor.LoadFromSerializedProto(data)
    except RuntimeError as error:
        raise _damaged(file, "a SentencePiece model", error) from error
    if not is_loaded:
        raise _damaged(file, "a SentencePiece model", "it is empty")

    def split(lines: list[str]) -> list[str]:
        return [" ".join(pieces) for pieces in processor.encode(lines, out_type=str, num_threads=1)]

    return split


@functools.lru_cache(maxsize=64)
def _tokenizer_json(file: FoundModel) -> Split:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer

    data = _read(file)
    try:
        tokenizer = Tokenizer.from_str(json.dumps(_without_chance(json.loads(data))))
    except Exception as error:  # tokenizers raises Exception itself
        raise _damaged(file, "a tokenizer.json", error) from error
    tokenizer.encode_special_tokens = True

    def split(lines: list[str]) -> list[str]:
        encoded = tokenizer.encode_batch(lines, add_special_tokens=False)
        return [" ".join(found.tokens).translate(_WHITE) for found in encoded]

    return split


def _read(file: FoundModel) -> bytes:
    """Return a vocabulary's file. Raises StaleError if it is not the one that was found."""
    data = file.path.read_bytes()
    if hashlib.sha256(data).hexdigest() != file.digest:
        raise StaleError(f"{file.path} is not the file it was when the plan was made: plan the run again")
    return data


def _without_chance(tokenizer: dict[str, Any]) -> dict[str, Any]:
    """Return a tokenizer.json without what loses, adds or changes tokens at random."""
    model = {key: value for key, value in tokenizer["model"].items() if key != "dropout"}
    return tokenizer | {"model": model, "truncation": None, "padding": None}


def _damaged(file: FoundModel, kind: str, why: object) -> CorruptError:
    return CorruptError(f"{file.path} is not {kind}, or is cut short: {why}")
