"""Keys: what two documents must have in common to be copies of each other, in few bytes.

The digest is BLAKE2b of 128 bits. It is cryptographic because crawled text is hostile: nobody can make a page that is
dropped as the copy of another that it does not equal. Among 10 billion honest texts, two unlike ones share a digest
with a probability of 1.5e-19.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gristmill.columns import text_column

DIGEST_BYTES: Final = 16
_VERSION: Final = "1"


def versions() -> dict[str, str]:
    """Return the versions of what decides a key; they belong into the stage's hash."""
    return {"exact": _VERSION}


def text_digests(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return the digest of each text's UTF-8 bytes: fixed_size_binary[16], null for a null text."""
    data, offsets = text_column(texts)
    view = data.data  # its slices copy nothing
    spans = pairwise(offsets.tolist())
    digests = b"".join(blake2b(view[start:stop], digest_size=DIGEST_BYTES).digest() for start, stop in spans)
    present = pa.array(np.asarray(texts.is_valid()), pa.bool_()).buffers()[1]
    kind = pa.binary(DIGEST_BYTES)
    return pa.Array.from_buffers(kind, len(texts), [present, pa.py_buffer(digests)])


def scoped(digests: pa.Array, scopes: pa.Array) -> pa.Array:
    """Return digests that are equal only where both the digests and the scopes are: fixed_size_binary[16].

    ``scopes`` are texts; no scope is a scope of its own. A null digest stays null.
    """
    of_scopes = scope_digests(scopes)
    joined = pc.binary_join_element_wise(of_scopes.cast(pa.binary()), digests.cast(pa.binary()), b"")
    found = [
        None if value is None else blake2b(value, digest_size=DIGEST_BYTES).digest() for value in joined.to_pylist()
    ]
    return pa.array(found, pa.binary(DIGEST_BYTES))


def scope_digests(scopes: pa.Array) -> pa.Array:
    """Return a digest for each scope: fixed_size_binary[16], never null; no scope has one that no text has."""
    encoded = scopes.dictionary_encode() if not pa.types.is_dictionary(scopes.type) else scopes
    none = blake2b(b"no scope", digest_size=DIGEST_BYTES, person=b"scope").digest()
    texts = text_digests(encoded.dictionary.cast(pa.large_string()))
    return pc.fill_null(texts.take(encoded.indices), pa.scalar(none, pa.binary(DIGEST_BYTES)))


def partition_key(digests: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return the first 8 bytes of each digest, read as a big-endian number: uint64, null for a null digest.

    Keys sort as the digests do. Digests of unlike texts are evenly spread, and so are their keys.
    """
    array = digests.combine_chunks() if isinstance(digests, pa.ChunkedArray) else digests
    values = np.frombuffer(array.buffers()[1], np.uint8).reshape(-1, DIGEST_BYTES)
    values = values[array.offset : array.offset + len(array)]
    heads = np.ascontiguousarray(values[:, :8]).view(">u8").ravel().astype(np.uint64)
    return pa.array(heads, pa.uint64(), mask=np.asarray(array.is_null()))
