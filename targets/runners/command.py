# SPDX-License-Identifier: Apache-2.0
"""Running a firmware: on this machine, under an emulator or on a simulated core, with an end in sight."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from dimmer import children
from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.toolchain import require
from dimmer.targets.runners.link import listening, telling
from dimmer.targets.runners.rtl import Rtl, simulator

_FAULT_EXIT_CODE = 70  # of the start-up code's fault handler
TWIN = "dimmer.targets.runners.twin"
PLACES = (
    *("{elf}", "{arguments}", "{argument_line}", "{semihosting_arguments}"),
    *("{simulator}", "{serial}", "{twin}", "{target}"),
)
"""What may stand in braces in a runner's command."""


@dataclass(frozen=True)
class Runner:
    """How to run a firmware.

    Attributes:
        command: {elf} stands for the firmware; {arguments}, a word of its own, for the arguments;
            {argument_line} for the firmware's name and them, with spaces between, as Arm's FVP wants it;
            {semihosting_arguments} for the same in QEMU's form; {simulator} for the program that `rtl` becomes;
            {serial} for a socket that is the board's serial line; {twin} and {target} for the emulator of boards and
            the target.toml.
        timeout_s: seconds after which a run has failed.
        count_flags: what makes instruction counts exact; empty where nothing does, or where they are so anyway.
        packages: command -> Debian package.
        samples: inferences of a mode that are compared with the interpreter here, where a run takes so long that the
            usual number would be hours.
        rtl: the core whose RTL is simulated, which counts its instructions and its cycles itself.
        target: the target.toml itself.
    """

    command: tuple[str, ...]
    count_flags: tuple[str, ...]
    timeout_s: float
    packages: Mapping[str, str]
    samples: int | None = None
    rtl: Rtl | None = None
    target: Path | None = None

    @property
    def speaks_serially(self) -> bool:
        """Whether the firmware is spoken to over a serial line."""
        return any("{serial}" in word for word in self.command)

    @property
    def counts(self) -> bool:
        """Whether it counts instructions exactly."""
        return bool(self.count_flags) or self.rtl is not None


@contextmanager
def speaking(runner: Runner, elf: Path, args: Sequence[str], cwd: Path, count: bool) -> Iterator[Iterator[str]]:
    """Runs a firmware and gives its lines as they come; it is ended with the block.

    Raises:
        TargetError: the runner is missing, or does not run the firmware.
    """
    words, command = _prepared(runner, elf, args, count)
    try:
        if runner.speaks_serially:
            with telling(command, cwd, runner.timeout_s) as lines:
                yield lines
        else:
            with children.started(command, cwd=cwd, stderr=subprocess.DEVNULL) as child:
                assert child.stdout is not None
                yield child.stdout
    except OSError as error:
        raise TargetError(f"{command[0]} cannot be run with {words[0]}: {error}") from error


def run_firmware(runner: Runner, elf: Path, args: Sequence[str], cwd: Path, count: bool) -> CompletedProcess[str]:
    """See Target.run."""
    words, command = _prepared(runner, elf, args, count)
    try:
        if runner.speaks_serially:
            result = listening(command, words[1:], cwd, runner.timeout_s)
        else:
            result = children.run(command, cwd=cwd, timeout_s=runner.timeout_s)
    except subprocess.TimeoutExpired as error:
        raise TargetError(f"{elf.name} {' '.join(args)} did not end within {runner.timeout_s:g} s") from error
    except OSError as error:
        raise TargetError(f"{command[0]} cannot be run: {error}") from error
    _raise_for(result, elf, args)
    return result


def _prepared(runner: Runner, elf: Path, args: Sequence[str], count: bool) -> tuple[list[str], list[str]]:
    """The firmware's words, its own name first, and the runner's command."""
    require(runner.packages)
    if not elf.is_file():
        raise TargetError(f"there is no firmware {elf}: compile it first")
    if count and not runner.counts:
        count = False  # the firmware then says null
    words = [elf.stem, *args, *(["--count"] if count else [])]
    bad = next((word for word in words if not word or any(c.isspace() for c in word)), None)
    semihosting = (
        runner.rtl is not None
        or runner.speaks_serially
        or any(place in word for word in runner.command for place in ("{semihosting_arguments}", "{argument_line}"))
    )
    if bad is not None and semihosting:
        raise TargetError(f"{bad!r} cannot be passed to a board: use names without spaces, relative to the folder")
    command = _filled(runner, elf.resolve(), words)
    if count:
        command += runner.count_flags
    return words, command


def _filled(runner: Runner, elf: Path, words: Sequence[str]) -> list[str]:
    quoted = "".join(",arg=" + word.replace(",", ",,") for word in words)
    command: list[str] = []
    for word in runner.command:
        if runner.rtl is not None and "{simulator}" in word:
            word = word.replace("{simulator}", str(simulator(runner.rtl, runner.packages)))
        if word == "{arguments}":
            command += words[1:]
        elif word == "{twin}":
            command += [sys.executable, "-m", TWIN]
        else:
            word = word.replace("{elf}", str(elf)).replace("{target}", str(runner.target))
            word = word.replace("{argument_line}", " ".join(words))
            command.append(word.replace("{semihosting_arguments}", quoted))
    return command


def _raise_for(result: CompletedProcess[str], elf: Path, args: Sequence[str]) -> None:
    """A self-test that fails is a result; an error that the firmware reports and a crash are not."""
    what = " ".join((elf.name, *args))
    for line in result.stdout.splitlines():
        if line.startswith('{"event":"error"'):
            raise TargetError(f"{what}: {json.loads(line)['message']}")
    if result.returncode not in (0, 1):
        fault = result.returncode == _FAULT_EXIT_CODE
        ended = "ended in a fault handler" if fault else children.how_it_ended(result.returncode)
        said = result.stderr.strip().splitlines()
        raise TargetError(f"{what} {ended}{': ' + said[-1] if said else ''}")
