# SPDX-License-Identifier: Apache-2.0
"""A board on a serial line against the interpreter: what it computes, and what it takes."""

from __future__ import annotations

import json
import subprocess
import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.image.events import FlashSummed, SelfTested, named, only, read_event
from dimmer.pipeline.image.protocol import VERIFY, Sizes, run_records
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.verification.patience import SILENT_S
from dimmer.targets import Target, TargetError
from dimmer.targets.runners.link import ANSWER_S, Link, open_port
from dimmer.toml import shown

FAULT = 70
"""With what a board's exception handler ends (targets/board/platform_uart.c)."""


@dataclass(frozen=True)
class ValidatedMode:
    """What a board made of a mode.

    Attributes:
        samples: inputs compared with BUILTIN_REF.
        mismatches: inputs whose output differed in any bit.
        first: number of the first of them; None where there is none.
        known: whether the self-test's known answer came out.
        cycles, microseconds: of an inference, the least of five; None where the board has no counter.
        stack: bytes that were in use.
    """

    name: str
    samples: int
    mismatches: int
    first: int | None
    known: bool
    cycles: int | None
    microseconds: int | None
    stack: int | None


class AttachedBoard:
    """A board on a serial line, run as a target runs its emulator."""

    def __init__(self, link: Link, name: str, silent_s: float = SILENT_S) -> None:
        self._link = link
        self.name = name
        self._silent_s = silent_s
        # One command at a time.
        self._busy = threading.Lock()

    def run(self, elf: Path, args: Sequence[str], cwd: Path, count: bool = False) -> subprocess.CompletedProcess[str]:
        """As Target.run; the firmware is what the board has in its flash."""
        del elf, count
        with self._busy:
            self._link.call(self._silent_s)
            done = self._link.run(args, cwd, self._silent_s)
        text = "".join(f"{line}\n" for line in done.lines)
        for line in done.lines:
            if line.startswith('{"event":"error"'):
                raise TargetError(f"{self.name}: {json.loads(line)['message']}; flash the build again?")
        if done.code not in (0, 1):
            fault = ", its fault handler's" if done.code == FAULT else ""
            raise TargetError(f"{self.name}: '{' '.join(args)}' ended with code {done.code}{fault}: flash it again")
        return subprocess.CompletedProcess(list(args), done.code, text, "")


def validate(
    port: str,
    target: Target,
    modes: Sequence[ModeSource],
    inputs: bytes,
    progress: Progress,
    image: bytes = b"",
    patience_s: float = SILENT_S,
) -> tuple[ValidatedMode, ...]:
    """Compares a board's flash with what should be in it; then runs its self-test, and every mode on inputs that are
    compared with the interpreter's reference kernels.

    Args:
        modes: in the order of their ids on the board.
        inputs: of the model, one after the other.
        image: what its flash holds from the beginning on; not looked at where it is empty.
        patience_s: within which it says its next line while it tests itself.

    Raises:
        TargetError: there is no board, or it says something that it should not.
        DimmerError: it is another board, or has another model or a wrong byte.
    """
    import numpy as np

    with open_port(port) as link:
        calling_s = max(ANSWER_S, patience_s)
        progress(f"calling the board; after a reset it tests itself, up to {calling_s:,.0f} s a mode", 0.0)
        said = link.call(calling_s, lambda line: progress(f"it tests itself after its reset: {shown(line)}", 0.0))
        if said.get("board") != target.name:
            raise DimmerError(f"{port} has a {said.get('board')}, not a {target.name}: name it with --target")
        board = AttachedBoard(link, target.name, max(SILENT_S, patience_s))
        if image and target.memory is not None:
            progress("its flash", 0.05)
            place = first_difference(image, lambda at, size: _flash_crc(board, at, size))
            if place is not None:
                raise DimmerError(
                    f"{target.name}'s flash at {target.memory.flash.origin + place:#010x} is not as the build's: "
                    "flash it again"
                )
        progress("its self-test", 0.08)
        known = _self_test(board, [mode.name for mode in modes])
        graph = read_tflite(modes[0].path)
        each = graph.tensors[graph.input].size
        count = len(inputs) // each
        sizes = Sizes(each, graph.tensors[graph.output].size, len(modes[0].boundaries) + 1)
        found = []
        for number, mode in enumerate(modes):
            progress(f"{mode.name} against the interpreter", 0.1 + 0.9 * number / len(modes))

            def record(at: int, number: int = number) -> bytes:
                return bytes([number]) * sizes.places + inputs[at * each : (at + 1) * each]

            rows = run_records(board, Path("on the board"), VERIFY, sizes, count, record)
            answers = reference_outputs(mode.path, inputs, anew=sizes.shard(VERIFY), reference=mode.reference)
            expected = np.frombuffer(answers, np.uint8).reshape(count, sizes.output)
            wrong = np.flatnonzero(
                (rows[:, : sizes.output] != expected).any(1) | (rows[:, sizes.output :] != number).any(1)
            )
            first = int(wrong[0]) if len(wrong) else None
            test = known[mode.name]
            found.append(
                ValidatedMode(mode.name, count, len(wrong), first, test.ok, test.cycles, test.microseconds, test.stack)
            )
    return tuple(found)


def first_difference(image: bytes, crc_of: Callable[[int, int], int]) -> int | None:
    """Where the first byte lies that differs from an image, found by CRCs of halves; None where none does.

    Args:
        crc_of: the CRC-32 of what is there, from an offset on, of so many bytes.

    Example:
        >>> there = b"dimmer lamp"
        >>> first_difference(b"dimmed lamp", lambda at, size: zlib.crc32(there[at : at + size]))
        5
    """
    at, size = 0, len(image)

    def differs(start: int, count: int) -> bool:
        return crc_of(start, count) != zlib.crc32(image[start : start + count])

    if not differs(at, size):
        return None
    while size > 1:
        half = size // 2
        if differs(at, half):
            size = half
        else:
            at, size = at + half, size - half
    return at


def _flash_crc(board: AttachedBoard, at: int, size: int) -> int:
    lines = board.run(Path("on the board"), ["flash", str(at), str(size)], Path(".")).stdout.splitlines()
    (summed,) = only(FlashSummed, map(read_event, lines))
    return summed.crc


def _self_test(board: AttachedBoard, modes: Sequence[str]) -> dict[str, SelfTested]:
    lines = board.run(Path("on the board"), ["selftest", "--count"], Path(".")).stdout.splitlines()
    tested = {event.mode: event for event in only(SelfTested, named(map(read_event, lines), modes))}
    if list(tested) != list(modes):
        raise DimmerError(
            f"the board has the modes {', '.join(tested) or '(none)'}, the build {', '.join(modes)}: flash that first"
        )
    return tested
