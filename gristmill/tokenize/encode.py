"""Text to token ids, by any Hugging Face ``tokenizer.json``; each document ends with the end-of-text token.

Crawled text is hostile: ``<|endoftext|>`` written in a page is text like any other, and so is every other special
token. A tokenizer that would take it for the real one is refused. (Added tokens that a tokenizer does not call special,
such as runs of spaces, are part of its vocabulary and are used.) What a ``tokenizer.json`` says of truncation, padding
and dropout is for models, and is switched off: no token may be lost, made up or random.

Shards are the parallelism here, so a worker uses one thread: importing this module sets TOKENIZERS_PARALLELISM to
``false`` unless it is set. The tokens are the same either way.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
from functools import cached_property
from importlib.metadata import version
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Final

import fsspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from tokenizers import AddedToken, Tokenizer

from gristmill.columns import text_column
from gristmill.errors import MissingError, UsageError
from gristmill.tokenize.lookup import WordLookup, pattern_of
from gristmill.tokenize.words import text_slices

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# Raised when the same input would give other tokens, sequences or merges.
_VERSIONS: Final = {"encode": "1", "pack": "1", "train": "2"}
_MOST_16_BIT: Final = (1 << 16) - 1
_CANDIDATES: Final = ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<|eot_id|>", "<|im_end|>", "[SEP]")
# In byte-level vocabularies Ġ is a space, ĉĊċČč are other white space, and Âł is U+00A0.
_SPACE_INSIDE: Final = re.compile(r"(?:[^\sĠ▁ĉĊċČčł]|(?<!Â)ł)[Ġ▁ ]")
_TEXTS: Final = ("a b", "The end", "12 34", "été à", "Hund 7 Katzen", "слово за словом", "x1 Y", "हिन्दी में")
_PROBES: Final = tuple((text, space.start()) for text in _TEXTS for space in re.finditer(" ", text))

Array = npt.NDArray[Any]


def versions() -> dict[str, str]:
    """Return the versions of what decides the token shards; they belong into the stage's hash."""
    return _VERSIONS | {"tokenizers": version("tokenizers")}


def load_tokenizer(path: str) -> bytes:
    """Return the tokenizer.json at a path or an fsspec URL, unpacked if it is gzip.

    Nothing is looked up on a hub, so that a run never waits for a network. Raises MissingError where there is no file,
    UsageError for a file that is no tokenizer.
    """
    try:
        data = Path(path).read_bytes() if Path(path).is_file() else _fetched(path)
        data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    except (OSError, EOFError, ValueError) as error:
        raise MissingError(
            f"there is no tokenizer at '{path}' ({error}); give the path or URL of a tokenizer.json, or leave "
            "`tokenizer` out to train one (the name of a model on a hub is not looked up)"
        ) from error
    _parsed(data, path)
    return data


class Encoder:
    """A tokenizer, ready to encode columns of text."""

    def __init__(self, tokenizer_json: bytes, end_of_text: str) -> None:
        """``end_of_text``: the token that ends each document.

        Raises UsageError if the tokenizer lacks it, or would take text of a page for a special token.
        """
        tokenizer = _parsed(tokenizer_json, "the tokenizer")
        end = tokenizer.token_to_id(end_of_text)
        if end is None:
            raise UsageError(
                f"the tokenizer has no token '{end_of_text}' to end documents with; "
                f"set `end_of_text` to one that it has: {_candidates(tokenizer)}"
            )
        tokenizer.add_special_tokens([AddedToken(end_of_text, special=True, normalized=False)])
        tokenizer.encode_special_tokens = True
        tokenizer.no_truncation()
        tokenizer.no_padding()
        if getattr(tokenizer.model, "dropout", None):
            tokenizer.model.dropout = None
        _refuse_confusion(tokenizer)
        self._tokenizer = tokenizer
        self.end_of_text: str = end_of_text
        self.end_of_text_id: int = end
        self.digest: str = hashlib.sha256(tokenizer_json).hexdigest()
        self.vocabulary_size: int = max(tokenizer.get_vocab(with_added_tokens=True).values()) + 1

    @property
    def token_type(self) -> pa.DataType:
        """The Arrow type that holds every id: uint16 up to a largest id of 65,535, else uint32."""
        return pa.uint16() if self.vocabulary_size - 1 <= _MOST_16_BIT else pa.uint32()

    def encode(self, texts: pa.Array | pa.ChunkedArray) -> pa.ListArray:
        """Return each text's token ids with the end-of-text token behind them: list<token_type>, null for null.

        An empty text gives the end-of-text token alone. The ids are those of the tokenizer's own ``encode`` without
        special tokens. Memory beyond the texts and the result is that of about a million bytes of text at a time, or
        of the longest stretch that cannot be cut. Raises ValueError for 2**31 tokens or more: give fewer texts.
        """
        column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
        data, offsets = text_column(column)
        tokens_of = self._lookup.tokens if self._lookup else self._tokens
        parts = [np.empty(0, self._numpy_type)]
        lengths = np.zeros(len(column), np.int64)
        for first, rows in text_slices(data, offsets, self._divisible):
            tokens, sizes = tokens_of(data, rows)
            lengths[first : first + len(sizes)] += sizes
            parts.append(tokens)
        return self._ended(np.concatenate(parts), lengths, column)

    def _ended(self, tokens: Array, lengths: Array, texts: pa.Array) -> pa.ListArray:
        """Return the tokens as lists, with the end-of-text token behind each text that is not null."""
        present = np.asarray(texts.is_valid())
        tokens = np.insert(tokens, np.cumsum(lengths)[present], self.end_of_text_id)
        if len(tokens) >= 1 << 31:
            raise ValueError(f"{len(texts)} texts have {len(tokens)} tokens, more than one column holds; encode fewer")
        offsets = np.append(0, np.cumsum(lengths + present)).astype(np.int32)
        missing = texts.is_null() if texts.null_count else None
        return pa.ListArray.from_arrays(pa.array(offsets), pa.array(tokens), mask=missing)

    def _tokens(self, data: Array, offsets: Array) -> tuple[Array, Array]:
        """Return the tokens of rows of text, end to end, and the number of each row's."""
        view = data.data
        ids = self._ids([str(view[start:stop], "utf-8") for start, stop in pairwise(offsets.tolist())])
        sizes = np.fromiter(map(len, ids), np.int64, len(ids))
        return np.fromiter(chain.from_iterable(ids), self._numpy_type, int(sizes.sum())), sizes

    def _ids(self, texts: list[str]) -> list[list[int]]:
        found = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [encoding.ids for encoding in found]

    @property
    def _numpy_type(self) -> np.dtype[Any]:
        kind: np.dtype[Any] = np.dtype(np.uint16 if self.token_type == pa.uint16() else np.uint32)
        return kind

    @cached_property
    def _lookup(self) -> WordLookup | None:
        pattern = pattern_of(json.loads(self._tokenizer.to_str()))
        return None if pattern is None else WordLookup(pattern, self._ids, self._numpy_type)

    @cached_property
    def _divisible(self) -> bool:
        """True if text may be cut before a space between two words without changing a token.

        It may where no token has a space behind another character, and nothing is added to the start of a text.
        """
        if self._lookup:
            return True
        if any(_SPACE_INSIDE.search(token) for token in self._tokenizer.get_vocab(with_added_tokens=True)):
            return False
        whole_and_halves = (self._ids([probe, probe[:cut], probe[cut:]]) for probe, cut in _PROBES)
        return all(whole == left + right for whole, left, right in whole_and_halves)


def _fetched(path: str) -> bytes:
    with fsspec.open(path, "rb") as file:
        return bytes(file.read())


def _parsed(tokenizer_json: bytes, name: str) -> Tokenizer:
    try:
        return Tokenizer.from_str(tokenizer_json.decode())
    except Exception as error:  # tokenizers raises nothing more specific
        raise UsageError(f"{name} is not a tokenizer.json that this version of tokenizers reads: {error}") from error


def _special(tokenizer: Tokenizer) -> dict[str, int]:
    return {token.content: number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special}


def _candidates(tokenizer: Tokenizer) -> str:
    known = [name for name in _CANDIDATES if tokenizer.token_to_id(name) is not None]
    names = list(dict.fromkeys([*known, *sorted(_special(tokenizer))]))
    return ", ".join(f"'{name}'" for name in names[:12]) or "it has no special token"


def _refuse_confusion(tokenizer: Tokenizer) -> None:
    """Raise UsageError if text of a page would become a special token; unknown text may become the unknown token."""
    unknown = getattr(tokenizer.model, "unk_token", None)
    confused = [
        name
        for name, number in _special(tokenizer).items()
        if name != unknown and number in tokenizer.encode(f"a {name} b{name}", add_special_tokens=False).ids
    ]
    if confused:
        raise UsageError(
            f"the tokenizer takes {len(confused)} special tokens from plain text, such as '{confused[0]}': a page that "
            "has it in its text could end documents at will; use another tokenizer"
        )
