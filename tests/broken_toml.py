# SPDX-License-Identifier: Apache-2.0
"""Broken TOML files, as people, editors and disks make them of whole ones; the same ones every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

EXTREMES = (
    *(
        "9" * 400,
        "9" * 5000,
        "-" + "9" * 400,
        "4294967296",
        "4294967295",
        "-1",
        "0",
        "99999999",
        "18446744073709551616",
    ),
    *("1e308", "1e400", "-1e400", "inf", "-inf", "nan", "-0.0", "1e-320", "0.1", "0x7fffffffffffffff", "1_000_000"),
    *(
        "true",
        "false",
        '""',
        '"text"',
        '"' + "x" * 3000 + '"',
        '"a\\nb"',
        '"\\u0000\\u001b[31m"',
        '"日本"',
        "'''a\nb'''",
    ),
    *("[]", "[[]]", "{}", "[1, 2, 3]", "[true]", "[nan, inf]", '["all"]', '["88.88.88", 3]', "[0.5, 0.25]"),
    *(
        "[99999999, 1, 1]",
        "[1, 99999999, 1]",
        "[64, 64, 64]",
        "[1] # x",
        "[" + "1, " * 5000 + "1]",
        "{a = 1, b = {c = 2}}",
    ),
    *("[" * 2000 + "]" * 2000, "[" * 90 + "]" * 90, "{a = " * 500 + "1" + "}" * 500, "1979-05-27", "12:00:00"),
    *("2021-99-99", "1979-05-27T07:32:00Z", '"C:\\\\x"', '"../../../etc/passwd"', "08", "1__0", "+", "", '"""', "'"),
)

JUNK = (
    "[",
    "]",
    "=",
    "[]",
    "[[train]]",
    "[train]",
    "[train.augmentation.more]",
    "a.b.c = 1",
    "x",
    "\x00",
    "\ufeff",
    "= 3",
)


def broken(text: str, count: int, seed: int = 0) -> Iterator[bytes]:
    """`count` files of a to four mutations each; some are still whole."""
    random = Random(seed)
    for _ in range(count):
        content = text.encode()
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            content = _KINDS[random.randrange(len(_KINDS))](content, random)
        yield content


def _lines(content: bytes) -> list[bytes]:
    return content.split(b"\n")


def _other_value(content: bytes, random: Random) -> bytes:
    lines = _lines(content)
    keys = [number for number, line in enumerate(lines) if b"=" in line]
    if keys:
        number = random.choice(keys)
        lines[number] = lines[number].split(b"=")[0] + b"= " + random.choice(EXTREMES).encode()
    return b"\n".join(lines)


def _delete(content: bytes, random: Random) -> bytes:
    lines = _lines(content)
    for _ in range(random.randrange(1, 5)):
        if lines:
            del lines[random.randrange(len(lines))]
    return b"\n".join(lines)


def _double(content: bytes, random: Random) -> bytes:
    lines = _lines(content)
    lines.insert(random.randrange(len(lines) + 1), random.choice(lines))
    return b"\n".join(lines)


def _swap(content: bytes, random: Random) -> bytes:
    lines = _lines(content)
    a, b = random.randrange(len(lines)), random.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


def _junk(content: bytes, random: Random) -> bytes:
    lines = _lines(content)
    lines.insert(random.randrange(len(lines) + 1), random.choice((*JUNK, *EXTREMES)).encode())
    return b"\n".join(lines)


def _noise(content: bytes, random: Random) -> bytes:
    made = bytearray(content or b"\0")
    for _ in range(random.choice((1, 1, 3, 40))):
        made[random.randrange(len(made))] = random.randrange(256)
    return bytes(made)


def _digits(content: bytes, random: Random) -> bytes:
    """Another number in the place of one, also within a list."""
    places = [at for at, byte in enumerate(content) if chr(byte).isdigit()]
    if not places:
        return content
    at = random.choice(places)
    return (
        content[:at]
        + random.choice((b"", b"-1", b"99999999", b"4294967296", b"1e9", b"nan", b"true"))
        + content[at + 1 :]
    )


def _cut(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _encoded(content: bytes, random: Random) -> bytes:
    text = content.decode(errors="replace")
    return random.choice(
        (b"\xef\xbb\xbf" + content, text.encode("utf-16"), content + b"\xff", content.replace(b"\n", b"\r"))
    )


_KINDS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _other_value,
    _other_value,
    _other_value,
    _other_value,
    _digits,
    _digits,
    _delete,
    _delete,
    _double,
    _swap,
)
_KINDS += (_junk, _noise, _noise, _cut, _encoded)
