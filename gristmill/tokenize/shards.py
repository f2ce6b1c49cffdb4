"""Token shards: how many there are, what each is called, which documents it holds, and the index that describes them.

A shard holds a range of the global order's keys, all ranges equally wide. Keys are hashes, so shards are of nearly
equal size. No document lies in two shards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from gristmill import schema
from gristmill.tokenize.settings import TokenizeSettings

if TYPE_CHECKING:
    from gristmill.tokenize.encode import Encoder

INDEX_FORMAT: Final = 1
TOKENIZER_FILE: Final = "tokenizer.json"
_KEYS: Final = 1 << 64


@dataclass(frozen=True)
class ShardFacts:
    """What the index says of one token shard; ``sha256`` is that of the whole file, ``bytes`` its size."""

    file: str
    sequences: int
    tokens: int
    documents: int
    bytes: int
    sha256: str


def shard_count(total_tokens: int, settings: TokenizeSettings) -> int:
    """Return the number of token shards: enough that they hold ``shard_tokens`` each on average; 0 for 0 tokens."""
    return -(-total_tokens // settings.shard_tokens)


def shard_names(split: str, count: int) -> tuple[str, ...]:
    """Return the shards' names, in the order of their key ranges.

    >>> shard_names("train", 2)
    ('train-00000-of-00002', 'train-00001-of-00002')
    """
    return tuple(f"{split}-{index:05d}-of-{count:05d}" for index in range(count))


def key_range(index: int, count: int) -> tuple[int, int]:
    """Return the keys of a shard, from the first to the one behind the last: together 0 to 2**64 without a gap.

    >>> key_range(1, 2) == (2**63, 2**64)
    True
    """
    return index * _KEYS // count, (index + 1) * _KEYS // count


def index(
    shards: Sequence[ShardFacts], encoder: Encoder, settings: TokenizeSettings, text_bytes: int
) -> dict[str, Any]:
    """Return index.json: all that a reader must know of the token shards.

    ``text_bytes``: UTF-8 bytes of the documents in them. Without a shard it says that nothing was kept.
    """
    tokens = sum(shard.tokens for shard in shards)
    return {
        "format": INDEX_FORMAT,
        "sequence_length": settings.sequence_length,
        "token_type": str(encoder.token_type),
        "vocabulary_size": encoder.vocabulary_size,
        "end_of_text": {"text": encoder.end_of_text, "id": encoder.end_of_text_id},
        "tokenizer": {"file": TOKENIZER_FILE, "sha256": encoder.digest},
        "order": f"documents by xxh3_64 of their id, seed {settings.seed}; sequences cut end to end within a shard",
        "documents": sum(shard.documents for shard in shards),
        "sequences": sum(shard.sequences for shard in shards),
        "tokens": tokens,
        "text_bytes": text_bytes,
        "bytes_per_token": round(text_bytes / tokens, 4) if tokens else None,
        "note": None if shards else "no document was kept, so there is no token shard",
        "columns": {field.name: field.metadata[b"meaning"].decode() for field in schema.packed(encoder.token_type)},
        "shards": [asdict(shard) for shard in shards],
    }
