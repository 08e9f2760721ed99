# SPDX-License-Identifier: Apache-2.0
"""Where a device's lines come from: a serial line, a pipe, an emulator, a recording; each with when it came."""

from __future__ import annotations

import io
import json
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from dimmer import children
from dimmer.endings import say
from dimmer.errors import DimmerError
from dimmer.pipeline.core.documents import parse_document, to_json
from dimmer.targets import Target
from dimmer.targets.runners.command import speaking
from dimmer.targets.runners.link import open_port

PIPE = "-"
DAY_S, _STEPS = 86_400, 288
_EMPTY_MV, _MORE_MV = 3000, 1.2
CURVE = "curve.csv"
_LATEST_S = 1e9
"""Of a line of a recording: thirty years."""
_LONGEST_S = 1e6
"""That a replay waits for a line, however slow it is; what is longer by far Python cannot sleep."""


@dataclass(frozen=True)
class Heard:
    """A line, as a recording keeps it.

    Attributes:
        at_s: seconds since the first one.
    """

    at_s: float
    line: str


Lines = Iterator[Heard]


def heard(lines: Iterator[str], clock: Callable[[], float] = time.monotonic) -> Lines:
    """Lines with the time at which they come."""
    first: float | None = None
    for line in lines:
        now = clock()
        first = now if first is None else first
        yield Heard(round(now - first, 3), line.rstrip("\r\n"))


@contextmanager
def source_of(name: str, speed: float = 1.0) -> Iterator[Lines]:
    """Lines of a serial port, of standard input ("-"), or of a file: a recording, or what a device said.

    Args:
        speed: how many times as fast a recording is replayed; 0 for at once.

    Raises:
        DimmerError: there is no such place, or it cannot be read.
    """
    if name == PIPE:
        yield heard(_piped())
        return
    path = Path(name)
    try:
        is_port = stat.S_ISCHR(path.stat().st_mode)
    except OSError as error:
        raise DimmerError(
            f"{name} cannot be read ({error.strerror}): name a serial port, a file, or - for a pipe"
        ) from error
    if is_port:
        with open_port(name, "as the first argument") as link:
            yield heard(link.lines())
        return
    with _opened(path) as file:
        yield replayed(path, file, speed)


def _piped() -> Iterator[str]:
    """Lines of standard input, whatever bytes are in them: after a reset the first ones may be noise."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    return iter(sys.stdin)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        file = path.open(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DimmerError(f"{path} cannot be read ({error.strerror}): name a serial port or a file") from error
    with file:
        yield file


def replayed(path: Path, lines: Iterator[str], speed: float, sleep: Callable[[float], None] = time.sleep) -> Lines:
    """Lines of a recording at the times at which they came; of any other file at once.

    Raises:
        DimmerError: a line of a recording is none.
    """
    last: float | None = None
    for number, text in enumerate(lines):
        if '"at_s"' not in text and last is None:
            # As a device says it, without times.
            yield Heard(0.0, text.rstrip("\r\n"))
            continue
        try:
            found = parse_document(Heard, text)
            if not 0 <= found.at_s <= _LATEST_S:
                raise ValueError(f"at_s is {found.at_s}, not 0 to {_LATEST_S:.0f} seconds")
        except ValueError as error:
            if last is not None and not text.endswith("\n"):
                # The disk was full, or the computer lost its power.
                say(f"{path} ends within line {number + 1}, which is left out")
                return
            raise DimmerError(f"{path}, line {number + 1}: {error}: take a file that --record wrote") from error
        if speed > 0 and last is not None and found.at_s > last:
            sleep(min((found.at_s - last) / speed, _LONGEST_S))
        last = found.at_s
        yield found


@contextmanager
def emulated(target: Target, elf: Path) -> Iterator[Lines]:
    """Lines of a firmware in its target's emulator: under a battery that empties in a day; of a board's twin by itself.

    Raises:
        TargetError, DimmerError: the runner is missing.
    """
    words = [] if target.board is not None else ["battery", CURVE]
    with children.scratch() as folder:
        (folder / CURVE).write_text(curve())
        with speaking(target.runner, elf, words, folder, target.counts_instructions) as lines:
            yield heard(lines)


def curve() -> str:
    """A lithium cell that empties in a day: time_s,charge_permille,millivolts,harvest_ua."""
    rows = []
    for step in range(_STEPS + 1):
        charge = 1000 - 1000 * step // _STEPS
        rows.append(f"{step * DAY_S // _STEPS},{charge},{round(_EMPTY_MV + _MORE_MV * charge)},0\n")
    return "".join(rows)


def recorded(lines: Lines, path: Path) -> Lines:
    """The same lines, each written into a file as it comes.

    Raises:
        DimmerError: the file is there already, which may be the recording of another day, or it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            for one in lines:
                file.write(json.dumps(to_json(one)) + "\n")
                file.flush()
                yield one
    except OSError as error:
        raise DimmerError(f"{path} cannot be written ({error.strerror}): name another file with --record") from error
