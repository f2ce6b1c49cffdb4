"""Seeded damage to small WARC files, for comparing readers on it."""

from __future__ import annotations

import random
from collections.abc import Callable

import warcs

ODD_LINES = [
    b"junk",
    b"a:b",
    b"a: b\n\n",
    b"a:\r\n folded",
    b"\n",
    b": v",
    b"WARC/1.0",
    b"x: WARC/1.0",
    b"a: \rb",
    b"\r",
]
BETWEEN = [b"", b"\r\n", b"\n", b"\r\n\r\n\n", b" ", b"junk", b"WARC/1.0\r\n", b"\0" * 20, b"\x1f\x8b\x08"]


def mutated(rng: random.Random, is_packed: bool) -> bytes:
    """Return a small WARC file, gzipped by record or plain, after a few mutations of its records and its bytes."""
    records = [_record(rng, number) for number in range(rng.randrange(2, 6))]
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        rng.choice(RECORD_MUTATIONS)(rng, records)
    pieces = [warcs.member(one) for one in records] if is_packed else records
    for _ in range(rng.choice([0, 1, 1, 2])):
        rng.choice(PIECE_MUTATIONS)(rng, pieces)
    return b"".join(pieces)


def _record(rng: random.Random, number: int) -> bytes:
    noise = rng.randbytes(rng.randrange(40)) * rng.randrange(4)
    kind = rng.choice(["response", "response", "request", "metadata", "revisit", "warcinfo", "monkeys"])
    return warcs.record(kind, warcs.http(warcs.page(f"<p>{number}") + noise), f"http://example.org/{number}")


def _wrong_length(rng: random.Random, records: list[bytes]) -> None:
    index = rng.randrange(len(records))
    head, colon, rest = records[index].partition(b"Content-Length: ")
    digits = rest.split(b"\r\n", 1)[0]
    wrong = int(digits or b"0") + rng.choice([-9, -4, -3, -2, -1, 1, 2, 3, 4, 5, 40, 300, 700, 10**9, 1 << 32, 10**20])
    records[index] = head + colon + str(wrong).encode() + rest[len(digits) :]


def _swallowed_neighbour(rng: random.Random, records: list[bytes]) -> None:
    index = rng.randrange(len(records))
    following = b"".join(records[index + 1 : index + 1 + rng.randrange(1, 3)])
    head, colon, rest = records[index].partition(b"Content-Length: ")
    digits = rest.split(b"\r\n", 1)[0]
    records[index] = head + colon + b"%d" % (int(digits or b"0") + len(following)) + rest[len(digits) :]


def _odd_line(rng: random.Random, records: list[bytes]) -> None:
    index = rng.randrange(len(records))
    lines = records[index].split(b"\r\n")
    lines.insert(rng.randrange(min(9, len(lines))), rng.choice(ODD_LINES))
    records[index] = b"\r\n".join(lines)


def _other_end(rng: random.Random, records: list[bytes]) -> None:
    index = rng.randrange(len(records))
    end = rng.choice(
        [b"", b"\n", b"\r\n", b"\n\n", b"\r\n\r", b"\r\n\r\n\n", b"abcd", b"WARC", b"\r\n\r\nx", b"\n\n\n\n"]
    )
    records[index] = records[index][:-4] + end


def _joined(rng: random.Random, records: list[bytes]) -> None:
    index = rng.randrange(len(records))
    records[index : index + 2] = [b"".join(records[index : index + 2])]


def _split(rng: random.Random, records: list[bytes]) -> None:
    index = rng.randrange(len(records))
    cut = rng.randrange(rng.choice([6, len(records[index]) + 1]))
    records[index : index + 1] = [records[index][:cut], records[index][cut:] + b"\n" * rng.choice([0, 0, cut])]


def _inserted(rng: random.Random, records: list[bytes]) -> None:
    records.insert(rng.randrange(len(records) + 1), rng.choice(BETWEEN))


def _duplicated(rng: random.Random, pieces: list[bytes]) -> None:
    pieces.insert(rng.randrange(len(pieces) + 1), rng.choice(pieces))


def _removed(rng: random.Random, pieces: list[bytes]) -> None:
    if len(pieces) > 1:
        del pieces[rng.randrange(len(pieces))]


def _flipped(rng: random.Random, pieces: list[bytes]) -> None:
    index = rng.randrange(len(pieces))
    piece = bytearray(pieces[index])
    for _ in range(rng.choice([1, 1, 2, 5]) if piece else 0):
        start, size = rng.choice([(0, len(piece)), (0, 12), (max(0, len(piece) - 8), 8)])
        piece[(start + rng.randrange(size)) % len(piece)] = rng.randrange(256)
    pieces[index] = bytes(piece)


def _truncated(rng: random.Random, pieces: list[bytes]) -> None:
    index = rng.choice([rng.randrange(len(pieces)), len(pieces) - 1])
    pieces[index] = pieces[index][: rng.randrange(len(pieces[index]) + 1)]


def _repeated_end(rng: random.Random, pieces: list[bytes]) -> None:
    index = rng.choice([rng.randrange(len(pieces)), len(pieces) - 1])
    pieces[index] += pieces[index][-rng.choice([1, 4, 8]) :]


Mutation = Callable[[random.Random, list[bytes]], None]
RECORD_MUTATIONS: list[Mutation] = [
    _wrong_length,
    _swallowed_neighbour,
    _odd_line,
    _other_end,
    _joined,
    _split,
    _inserted,
    _duplicated,
]
PIECE_MUTATIONS: list[Mutation] = [_inserted, _duplicated, _removed, _flipped, _truncated, _repeated_end]
