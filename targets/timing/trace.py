# SPDX-License-Identifier: Apache-2.0
"""What ran: blocks and the edges between them, counted by a plugin of the emulator (count_blocks.c)."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.project import cache_folder
from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.toolchain import Toolchain, compile_library
from dimmer.targets.runners.command import Runner, run_firmware
from dimmer.targets.timing.errors import NotModelledError

PLUGIN = Path(__file__).with_name("count_blocks.c")
MARK = "platform_ticks"
"""The function between whose calls is counted."""
COMPILERS = ("gcc", "clang", "cc")
"""Of the machine that builds, in the order of preference."""
_EMULATOR = re.compile(r"qemu-system-(arm|aarch64)")


@dataclass(frozen=True)
class Edge:
    """How often a block went on at the address `to`."""

    to: int
    runs: int


@dataclass(frozen=True)
class Block:
    """Instructions that run one after the other.

    Attributes:
        first, last: addresses of the first and of the last of them.
        end: the address behind the last.
        instructions: how many they are.
        runs: how often it ran.
        misses: of the instruction cache, in all runs.
        edges: where it went on.
    """

    first: int
    last: int
    end: int
    instructions: int
    runs: int
    misses: int
    edges: list[Edge] = field(default_factory=list)


@dataclass(frozen=True)
class Cache:
    """An instruction cache, or with one line a buffer, before the flash.

    Attributes:
        line: bytes.
        lines: how many; the one that was used longest ago is replaced.
        flash: first address.
        size: bytes of the flash.
    """

    line: int
    lines: int
    flash: int
    size: int


def trace(
    runner: Runner, elf: Path, arguments: Sequence[str], cwd: Path, cache: Cache | None = None
) -> tuple[tuple[Block, ...], ...]:
    """Run a firmware and count, in each stretch from one reading of its counter to the next.

    Raises:
        NotModelledError: the emulator has no plugins, no compiler of this machine makes one, the firmware's counter is
            not a function, or the run fails.
    """
    plugin = plugin_for(runner)
    mark = _address(elf, MARK)
    with children.scratch() as work:
        out = work / "blocks"
        options = [f"out={str(out).replace(',', ',,')}", f"mark={mark:#x}"]
        if cache is not None:
            options += [f"flash={cache.flash:#x}", f"size={cache.size:#x}"]
            options += [f"line={cache.line}", f"lines={cache.lines}"]
        words = (*runner.command, "-plugin", ",".join((str(plugin).replace(",", ",,"), *options)))
        counted = Runner(words, (), runner.timeout_s, runner.packages)
        try:
            run_firmware(counted, elf, arguments, cwd, count=False)
            return parse(out.read_text())
        except (OSError, ValueError) as error:
            raise NotModelledError(f"{runner.command[0]} left no counts of blocks ({error})") from error
        except NotModelledError:
            raise
        except TargetError as error:
            raise NotModelledError(f"{runner.command[0]} does not run with the plugin that counts ({error})") from error


def parse(text: str) -> tuple[tuple[Block, ...], ...]:
    """What the plugin wrote: the blocks of every stretch.

    Raises:
        ValueError: it is damaged.
    """
    stretches: list[list[Block]] = []
    for line in text.splitlines():
        kind, *words = line.split()
        if kind == "S":
            stretches.append([])
        elif kind == "B" and stretches:
            first, last, end = (int(word, 16) for word in words[:3])
            instructions, runs, misses = map(int, words[3:])
            stretches[-1].append(Block(first, last, end, instructions, runs, misses))
        elif kind == "E" and stretches and stretches[-1]:
            to, times = words
            stretches[-1][-1].edges.append(Edge(int(to, 16), int(times)))
        else:
            raise ValueError(f"{line!r} is neither a stretch nor a block nor an edge")
    return tuple(map(tuple, stretches))


def plugin_for(runner: Runner) -> Path:
    """The plugin, compiled for the runner's emulator by this machine's compiler where it is not kept.

    It lies in ``$DIMMER_CACHE`` (else ``~/.cache/dimmer``), folder ``timing``.

    Raises:
        NotModelledError: the emulator has no plugins, there is no compiler, or it cannot compile it.
    """
    emulator = runner.command[0]
    if _EMULATOR.fullmatch(Path(emulator).name) is None:
        raise NotModelledError(f"{emulator} is no emulator whose blocks can be counted: QEMU's for Arm is")
    version = _emulator_version(emulator)
    compiler = host_compiler()
    if compiler is None:
        raise NotModelledError(
            f"no compiler of this machine makes QEMU's plugin: install one of {', '.join(COMPILERS)}"
        )
    number = re.search(r"version (\d+)", version)
    api = 1 if number is not None and int(number[1]) < 9 else 2
    key = hashlib.sha256("\n".join((PLUGIN.read_text(), version, compiler, str(api))).encode()).hexdigest()[:32]
    try:
        folder = cache_folder() / "timing"
    except DimmerError as error:
        raise NotModelledError(f"QEMU's plugin has no place to be kept: {error}") from error
    library = folder / f"{key}.so"
    if not library.is_file():
        flags = ("-O2", f"-DPLUGIN_API={api}")
        toolchain = Toolchain((compiler,), flags, (), (), None, None, (), {}, {})
        try:
            folder.mkdir(parents=True, exist_ok=True)
            compile_library(toolchain, [PLUGIN], [], library)
        except (OSError, DimmerError) as error:
            raise NotModelledError(f"QEMU's plugin cannot be compiled: {error}") from error
    return library


def host_compiler() -> str | None:
    """The command of this machine's own compiler; None where there is none."""
    return next((name for name in COMPILERS if shutil.which(name)), None)


@lru_cache(maxsize=8)
def _emulator_version(emulator: str) -> str:
    """What it says of its version.

    Raises:
        NotModelledError: it cannot be asked, or it has no plugins.
    """
    try:
        version = children.run([emulator, "--version"], timeout_s=30)
        options = children.run([emulator, "--help"], timeout_s=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotModelledError(f"{emulator} cannot be run: {error}") from error
    if not re.search(r"^-plugin ", options.stdout, re.MULTILINE):
        raise NotModelledError(f"{emulator} is built without plugins, so that nothing counts its blocks")
    return version.stdout.partition("\n")[0]


def _address(elf: Path, name: str) -> int:
    """Of a function, without the bit that says Thumb."""
    with elf.open("rb") as stream:
        for section in ELFFile(stream).iter_sections():
            if isinstance(section, SymbolTableSection):
                for symbol in section.get_symbol_by_name(name) or ():
                    if symbol["st_info"]["type"] == "STT_FUNC":
                        return int(symbol["st_value"]) & ~1
    raise NotModelledError(f"the firmware has no function {name}, at which counting begins: link it without -flto")
