# SPDX-License-Identifier: Apache-2.0
"""UF2: boards that show themselves as a drive while BOOTSEL is held. No tool is needed.

A file of blocks of 512 bytes, each with 256 bytes for the flash and the address where they belong (github
microsoft/uf2). The board writes them as they come and leaves when it has them all.
"""

from __future__ import annotations

import getpass
import os
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.schema import Table
from dimmer.targets.runners.flasher import Progress, Where, Written

INFO = "INFO_UF2.TXT"
PAYLOAD = 256
_BLOCK, _CHUNK = 512, 65_536
LEFT_S = 10.0
_MAGIC = (0x0A324655, 0x9E5D5157, 0x0AB16F30)
_HAS_FAMILY = 0x2000


def uf2(data: bytes, origin: int, family: int) -> bytes:
    """An image as UF2.

    Args:
        origin: address of its first byte, a multiple of 256.
        family: number of the chips that take it.
    """
    count = -(-len(data) // PAYLOAD)
    blocks = []
    for number in range(count):
        part = data[number * PAYLOAD : (number + 1) * PAYLOAD].ljust(PAYLOAD, b"\0")
        address = origin + number * PAYLOAD
        head = struct.pack("<8I", *_MAGIC[:2], _HAS_FAMILY, address, PAYLOAD, number, count, family)
        blocks.append(head + part.ljust(476, b"\0") + struct.pack("<I", _MAGIC[2]))
    return b"".join(blocks)


@dataclass(frozen=True)
class Uf2:
    """A drive.

    Attributes:
        number: of the family of chips, as UF2 has it.
        board: what INFO_UF2.TXT on the drive says after "Board-ID:".
    """

    number: int
    board: str

    tool = "uf2"
    verifies = False
    package = None

    @classmethod
    def read(cls, table: Table) -> Uf2:
        """Of [flash.uf2]."""
        return cls(table.natural("number"), table.text("board"))

    def check(self) -> None:
        """There is no tool that could be wrong."""

    def drive(self, where: Where) -> Path:
        """The board's drive.

        Raises:
            TargetError: there is none, or several, or it is another board's.
        """
        if where.drive is not None:
            found = [where.drive]
            if not (where.drive / INFO).is_file():
                raise TargetError(f"{where.drive} has no {INFO}: it is no board's drive; hold BOOTSEL and plug it in")
        else:
            found = [folder for folder in drives() if board_of_drive(folder) == self.board]
        if not found:
            raise TargetError(
                f"no drive of a {self.board} is here: hold BOOTSEL while you plug the board in, or name it with --drive"
            )
        if len(found) > 1:
            raise TargetError(f"{len(found)} boards are here: name one with --drive, {' or '.join(map(str, found))}")
        if board_of_drive(found[0]) != self.board:
            raise TargetError(f"{found[0]} belongs to a {board_of_drive(found[0])}, not to a {self.board}")
        return found[0]

    def steps(self, image: Written, where: Where) -> Sequence[str]:
        """See Flasher."""
        name = "the board's drive" if where.drive is None else str(where.drive)
        return [f"copy {image.elf.with_suffix('.uf2').name}, {len(image.data)} bytes at {image.origin:#x}, to {name}"]

    def write(self, image: Written, where: Where, progress: Progress) -> None:
        """See Flasher. The board itself refuses blocks that are damaged, and leaves when it has them all."""
        drive = self.drive(where)
        content = uf2(image.data, image.origin, self.number)
        path = drive / image.elf.with_suffix(".uf2").name
        last = len(content) - _BLOCK
        there = 0
        try:
            with path.open("wb") as stream:
                for there, end in pairwise((*range(0, last, _CHUNK), last, len(content))):
                    progress("copying", there / len(content))
                    stream.write(content[there:end])
                    stream.flush()
                    # The computer would keep what it has until the end, and a board that is gone by then is as one
                    # that took everything.
                    os.fsync(stream.fileno())
        except OSError as error:
            if (drive / INFO).is_file():
                raise TargetError(f"{drive} cannot be written: {error.strerror}; plug the board in again") from error
            # It may go as soon as it has the last block, before the file is closed.
            if there < last:
                raise TargetError(
                    f"{drive} went away with {there:,} of {len(content):,} bytes written: hold BOOTSEL, plug the board "
                    "in again and flash it again"
                ) from error
        self._await_end(drive, path, content, progress)

    def _await_end(self, drive: Path, path: Path, content: bytes, progress: Progress) -> None:
        progress("waiting for the board to leave", 1.0)
        end = time.monotonic() + LEFT_S
        while (drive / INFO).is_file():
            if time.monotonic() > end:
                # A folder that stands for a drive does not leave.
                if path.is_file() and path.read_bytes() == content:
                    return
                raise TargetError(f"{drive} is still there: the board did not take the image; plug it in again")
            time.sleep(0.1)


def drives() -> Iterator[Path]:
    """Folders in which removable drives are mounted, of Linux and macOS, that are a board's."""
    try:
        user = getpass.getuser()
        own = [f"/media/{user}", f"/run/media/{user}"]
    except (KeyError, OSError):
        # In a container the user may have no name.
        own = []
    for root in (*own, "/media", "/Volumes", "/mnt"):
        for folder in sorted(Path(root).glob("*")):
            if (folder / INFO).is_file():
                yield folder


def board_of_drive(drive: Path) -> str:
    """What a drive says that it belongs to; nothing where it says nothing."""
    try:
        lines = (drive / INFO).read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("Board-ID:")), "")
