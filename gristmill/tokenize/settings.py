"""What a recipe says of tokens: which tokenizer, which sequences, how large the shards."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

_NUMBER = re.compile(r"(\d[\d_]*(?:\.\d+)?)\s*([kKmMgG]i?)?[bB]?")
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30}


def whole_number(value: object) -> object:
    """Return a count or a size as an int: a number as it is, or text such as ``64M``, ``100k``, ``1_000_000``, ``2Gi``.

    k, M, G are powers of 1000; Ki, Mi, Gi of 1024. Anything but text is returned unchanged, for pydantic to refuse.
    Raises ValueError for text that is no whole number.

    >>> whole_number("64M"), whole_number("1.5Ki")
    (64000000, 1536)
    """
    if not isinstance(value, str):
        return value
    match = _NUMBER.fullmatch(value.strip())
    whole, _, decimals = (match[1] if match else "").replace("_", "").partition(".")
    number, rest = divmod(
        int(whole + decimals or 0) * _UNITS[((match and match[2]) or "").lower()], 10 ** len(decimals)
    )
    if match is None or rest:
        raise ValueError(f"'{value}' is not a whole number; write 64000000, 64_000_000 or 64M")
    return number


_TEXT_TOO = WithJsonSchema(
    {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^{_NUMBER.pattern}$"}]}, mode="validation"
)
WholeNumber = Annotated[int, BeforeValidator(whole_number), _TEXT_TOO]


class TokenizeSettings(BaseModel):
    """How what is kept becomes training sequences. Every field changes the token shards, and is part of their hash."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tokenizer: str | None = Field(
        None,
        min_length=1,
        description="A Hugging Face `tokenizer.json` (also `.gz`): path or fsspec URL. Without one, one is trained.",
    )
    vocabulary: int = Field(
        32768,
        ge=257,
        le=1 << 24,
        description="Tokens of a tokenizer that is trained: 256 bytes, the end-of-text token, and what is learned.",
    )
    training_bytes: WholeNumber = Field(
        64_000_000,
        ge=1,
        le=1 << 30,  # the trainer counts a pair in 31 bits
        description="Text that training sees, in bytes or as 64M: all that is kept, or a sample chosen by hash. "
        "Training on 64 MB peaks under 1 GB of memory.",
    )
    sequence_length: int = Field(2048, ge=1, le=1 << 24, description="Tokens of one training sequence.")
    shard_tokens: WholeNumber = Field(
        64_000_000,
        ge=1,
        le=1 << 30,
        description="Tokens of one token shard on average, as a number or as 64M. No document is split between two.",
    )
    end_of_text: str = Field(
        "<|endoftext|>", min_length=1, description="The special token that ends each document; the tokenizer has it."
    )
    seed: int = Field(0, ge=0, lt=1 << 64, description="Another seed gives another order and another training sample.")
