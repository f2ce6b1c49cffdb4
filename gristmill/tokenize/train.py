"""Training of a tokenizer: byte-level BPE over words that a pattern like GPT-4's splits off, by `tokenizers`.

The result is a Hugging Face ``tokenizer.json``. It is the same for the same texts, whatever their order and batches:
of the pairs that occur most often, the trainer merges the one with the smallest left id, then right id. Token 0 is the
end-of-text token; 1 to 256 are the bytes, in the order of the characters that stand for them; then come the merges'
tokens. A pair that occurs only once is not merged, so little text gives fewer tokens than asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from gristmill.columns import text_column
from gristmill.errors import UsageError
from gristmill.tokenize.order import keyed_hashes
from gristmill.tokenize.settings import TokenizeSettings
from gristmill.tokenize.words import GPT4_PATTERN, text_slices

_FEWEST: Final = 2  # a pair that occurs less often is not merged
# The trainer's time grows with the square of a word's length: 100,000 letters in a row take it 3 s, a million
# minutes. So longer words are learnt from in pieces.
_LONGEST: Final = 256


def chosen(ids: pa.Array | pa.ChunkedArray, seed: int, share: float) -> pa.BooleanArray:
    """Return one boolean a document: whether it belongs to a sample that holds about ``share`` of all.

    A larger share chooses the same documents and more. The choice and the order of the same seed are independent.
    Raises ValueError for a share outside [0, 1].
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a share lies between 0 and 1, but this one is {share}")
    hashes = keyed_hashes(ids, seed, "sample")
    bound = int(share * 2**64)
    return pa.array(hashes <= np.uint64(bound - 1) if bound else np.zeros(len(hashes), np.bool_), pa.bool_())


def train_tokenizer(texts: Iterable[pa.Array], settings: TokenizeSettings) -> bytes:
    """Return the tokenizer.json of a byte-level BPE learnt from texts; ``settings.vocabulary`` bounds its tokens.

    Nulls count as empty. Memory grows with the distinct words of the texts: under 1 GB for 64 MB of mixed text, on one
    thread. Raises UsageError if ``end_of_text`` could be a word of a text.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = _words()
    tokenizer.decoder = decoders.ByteLevel()
    _refuse_word(settings.end_of_text, tokenizer)
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocabulary,
        min_frequency=_FEWEST,
        show_progress=False,
        special_tokens=[AddedToken(settings.end_of_text, special=True, normalized=False)],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.pre_tokenizer = _words(pre_tokenizers.Split(Regex(rf"[\s\S]{{{_LONGEST}}}"), "isolated"))
    tokenizer.train_from_iterator(_pieces(texts), trainer)
    tokenizer.pre_tokenizer = _words()
    return bytes(tokenizer.to_str(pretty=True).encode())


def _words(*also: pre_tokenizers.PreTokenizer) -> pre_tokenizers.PreTokenizer:
    """Return what splits words off, and then splits them by ``also``."""
    split = pre_tokenizers.Split(Regex(GPT4_PATTERN), "isolated")
    return pre_tokenizers.Sequence([split, *also, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def _refuse_word(end_of_text: str, tokenizer: Tokenizer) -> None:
    words = tokenizer.pre_tokenizer.pre_tokenize_str(end_of_text)
    if len(words) < 2 or end_of_text.isspace():
        raise UsageError(
            f"`end_of_text: {end_of_text}` could be a word of a text; take one with punctuation on both sides, "
            "such as <|endoftext|>"
        )


def _pieces(texts: Iterable[pa.Array]) -> Iterator[str]:
    """Yield the texts, long ones in pieces that hold the same words."""
    for batch in texts:
        data, offsets = text_column(batch)
        for _, rows in text_slices(data, offsets, divisible=True):
            for start, stop in pairwise(rows.tolist()):
                yield str(data.data[start:stop], "utf-8")
