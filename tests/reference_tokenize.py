"""A slow, obvious twin of what gristmill.tokenize does to whole arrays."""

from __future__ import annotations

Document = tuple[str, list[int]]
Row = tuple[list[int], list[str], list[int]]


def pack(documents: list[Document], sequence_length: int) -> list[Row]:
    """Return (tokens, document ids, tokens of each) of every row."""
    rows: list[Row] = []
    for name, tokens in documents:
        for position, token in enumerate(tokens):
            if not rows or len(rows[-1][0]) == sequence_length:
                rows.append(([], [], []))
            row_tokens, ids, lengths = rows[-1]
            row_tokens.append(token)
            if position == 0 or len(row_tokens) == 1:
                ids.append(name)
                lengths.append(0)
            lengths[-1] += 1
    return rows
