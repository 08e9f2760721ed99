# SPDX-License-Identifier: Apache-2.0
"""Damaged copies of a file, as disks, networks and people make them; the same ones every time."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random


def damages(content: bytes, count: int, seed: int = 0) -> Iterator[bytes]:
    """`count` contents that differ from this one: cut, flipped, overwritten, emptied, doubled, shuffled."""
    random = Random(seed)
    made = 0
    while made < count:
        found = _KINDS[random.randrange(len(_KINDS))](content, random)
        if found != content:
            made += 1
            yield found


def _cut(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content))]


def _flip(content: bytes, random: Random) -> bytes:
    made = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 4, 30))):
        made[random.randrange(len(made))] ^= 1 << random.randrange(8)
    return bytes(made)


def _flip_near_an_end(content: bytes, random: Random) -> bytes:
    """Headers and directories stand there."""
    made = bytearray(content)
    place = random.randrange(min(len(made), 400))
    made[place if random.random() < 0.5 else -1 - place] = random.randrange(256)
    return bytes(made)


def _overwrite(content: bytes, random: Random) -> bytes:
    start = random.randrange(len(content))
    length = random.randrange(1, 600)
    filling = random.choice((bytes(length), b"\xff" * length, random.randbytes(length)))
    return content[:start] + filling[: len(content) - start] + content[start + length :]


def _remove(content: bytes, random: Random) -> bytes:
    start = random.randrange(len(content))
    return content[:start] + content[start + random.randrange(1, 200) :]


def _append(content: bytes, random: Random) -> bytes:
    return content + random.choice((content, b"\0", random.randbytes(50)))


def _other(content: bytes, random: Random) -> bytes:
    return random.choice((b"", b"\0", b"<!DOCTYPE html><title>404</title>", random.randbytes(len(content) % 5000)))


_KINDS = (_cut, _flip, _flip, _flip_near_an_end, _flip_near_an_end, _overwrite, _remove, _append, _other)
