# SPDX-License-Identifier: Apache-2.0
"""Putting an image onto a board: what all ways have in common."""

from __future__ import annotations

import os
import re
import select
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from dimmer import children
from dimmer.targets.kit.errors import TargetError

Progress = Callable[[str, float], None]
Command = tuple[str, ...]

SILENT_S = 60.0
"""A tool that says nothing for so long waits for something that does not come."""
IN_ALL_S = 600.0
"""The slowest board is written within a few minutes."""
_SHARE = re.compile(r"(\d{1,3})(?:\.\d+)? ?%")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Written:
    """An image to be written.

    Attributes:
        elf: the program.
        origin: address of the flash, where the .bin begins.
        data: what the flash holds afterwards, from there on.
        raw: a file with these bytes; None before `write` has made it.
    """

    elf: Path
    origin: int
    data: bytes
    raw: Path | None = None

    @property
    def bin(self) -> Path:
        """A file with the bytes alone; before it is made, the name that objcopy would give it."""
        return self.elf.with_suffix(".bin") if self.raw is None else self.raw

    def shown(self, command: Sequence[str]) -> list[str]:
        """A tool's command as a person would type it, and before it how to make the .bin, where it takes one that is
        not there or holds something else.
        """
        line = shlex.join(command)
        try:
            is_there = self.bin.read_bytes() == self.data
        except OSError:
            is_there = False
        if is_there or str(self.bin) not in line:
            return [line]
        return [shlex.join(["objcopy", "-O", "binary", "--gap-fill", "0xff", str(self.elf), str(self.bin)]), line]


@dataclass(frozen=True)
class Where:
    """Which of several boards.

    Attributes:
        probe: serial number of a debug probe; where there is only one, None does.
        port: a serial port, for boards that are flashed over one.
        drive: the folder of a board that shows itself as a drive; found where None.
    """

    probe: str | None = None
    port: str | None = None
    drive: Path | None = None


class Flasher(Protocol):
    """A way to write an image."""

    @property
    def tool(self) -> str:
        """Its name in [flash] of target.toml."""

    @property
    def verifies(self) -> bool:
        """Whether `write` reads back what it wrote."""

    @property
    def package(self) -> tuple[str, str] | None:
        """Command that it starts, and what to type where it is missing; None where it needs none."""

    def check(self) -> None:
        """Raises TargetError where what target.toml says of the chip is unknown to the tool; needs no board."""

    def steps(self, image: Written, where: Where) -> Sequence[str]:
        """What `write` will do, a line each, as a person would type it.

        Raises:
            TargetError: it must be told more about where.
        """

    def write(self, image: Written, where: Where, progress: Progress) -> None:
        """Writes the image, looks whether it is there if it `verifies`, and starts it.

        Raises:
            TargetError: anything else.
        """


def is_here(flasher: Flasher) -> bool:
    """Whether what a way starts is installed."""
    return flasher.package is None or shutil.which(flasher.package[0]) is not None


def write(flasher: Flasher, image: Written, where: Where, progress: Progress) -> None:
    """Writes an image by a way's tool. What the tool reads is made of the program as it is now: what lies beside an
    ELF file may be of another.

    Raises:
        TargetError: see Flasher.write.
    """
    with children.scratch() as folder:
        raw = folder / image.elf.with_suffix(".bin").name
        raw.write_bytes(image.data)
        flasher.write(replace(image, raw=raw), where, progress)


def need(flasher: Flasher) -> None:
    """Raises TargetError with what to type where the tool of a way is missing."""
    if flasher.package is not None and not is_here(flasher):
        command, line = flasher.package
        raise TargetError(f"{command} not found: type '{line}', or name another way with --tool")


def ask_tool(command: Sequence[str], timeout_s: float) -> subprocess.CompletedProcess[str]:
    """Runs a flash tool that needs no board for what it answers.

    Raises:
        TargetError: it cannot be run, or does not end.
    """
    try:
        return children.run(command, timeout_s=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise TargetError(
            f"{shlex.join(command)} did not end within {timeout_s:g} s: try it by hand, or name another way with --tool"
        ) from error
    except OSError as error:
        raise TargetError(f"{command[0]} cannot be run: {error}") from error


def run_tool(
    command: Sequence[str],
    reasons: Mapping[str, str],
    progress: Progress,
    what: str,
    silent_s: float = SILENT_S,
) -> str:
    """Runs a flash tool to its end and tells how far it is.

    Args:
        reasons: regular expression of what the tool says -> what a person should do.
        what: it does, for the progress.
        silent_s: seconds without a word after which it has failed.

    Returns:
        All that it said.

    Raises:
        TargetError: it failed, or waits for something.
    """
    progress(what, 0.0)
    said = ""
    end = time.monotonic() + IN_ALL_S
    try:
        with children.started(command, stderr=subprocess.STDOUT) as process:
            assert process.stdout is not None
            descriptor = process.stdout.fileno()
            while True:
                ready, _, _ = select.select([descriptor], [], [], silent_s)
                if not ready:
                    raise TargetError(
                        f"{command[0]} has said nothing for {silent_s:g} s: is the board plugged in and switched on?"
                    )
                if time.monotonic() > end:
                    raise TargetError(
                        f"{command[0]} did not end within {IN_ALL_S:g} s: power-cycle the board and try again, or take "
                        "another way with --tool"
                    )
                more = os.read(descriptor, 65_536)
                if not more:
                    break
                said += _COLOURS.sub("", more.decode(errors="replace"))
                if shares := _SHARE.findall(said[-200:]):
                    progress(what, min(1.0, int(shares[-1]) / 100))
            status = process.wait()
    except OSError as error:
        raise TargetError(f"{command[0]} cannot be run: {error}") from error
    for sign, reason in reasons.items():
        if status != 0 and re.search(sign, said):
            raise TargetError(f"{command[0]}: {reason}")
    if status != 0:
        raise TargetError(f"{command[0]} {children.how_it_ended(status)}: {_complaint(said)}")
    return said


def _complaint(said: str) -> str:
    """The line of a tool's output that tells most."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", said) if line.strip()]
    marks = ("error", "fail", "cannot", "could not", "couldn't")
    told = [line for line in lines if any(mark in line.lower() for mark in marks)]
    return (told or lines or ["it says nothing"])[0][:200]
