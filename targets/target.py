# SPDX-License-Identifier: Apache-2.0
"""A target: target.toml, read and checked, and what can be done with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import CompletedProcess

from dimmer.firmware_gen.variants.latency import FITTED, Latency
from dimmer.project import project
from dimmer.targets.kit.apart import check_apart
from dimmer.targets.kit.board import Board, board_of
from dimmer.targets.kit.cores import core_flags
from dimmer.targets.kit.errors import TargetError
from dimmer.targets.kit.family import KEY as FAMILY
from dimmer.targets.kit.family import VARIANT, read_target_table
from dimmer.targets.kit.latency import MOST, latency_of
from dimmer.targets.kit.memory import ARENA_SYMBOL, CONSTANTS_SYMBOL, STACK_SYMBOL, WEIGHTS_SYMBOL, Memory, memory_of
from dimmer.targets.kit.npu import PACKAGE as VELA
from dimmer.targets.kit.npu import Npu, npu_of
from dimmer.targets.kit.schema import Table
from dimmer.targets.kit.toolchain import OBJCOPY_FORMATS, SectionSizes, Toolchain, compile_firmware, section_sizes
from dimmer.targets.power.constants import Energy, energy_of, waits_modelled, with_measured
from dimmer.targets.runners.command import PLACES, Runner, run_firmware
from dimmer.targets.runners.rtl import Rtl, simulator
from dimmer.targets.runners.ways import NO_WAYS, Ways, ways_of
from dimmer.targets.timing.cycles import Timing
from dimmer.toml import plain, shown

ENGINES = ("tables", "tvm", "ethos-u")
FILE = "target.toml"
OWN = "dimmer:"
"""Before the path of a file that comes with Dimmer, from targets/ on: "dimmer:bare_metal/link.ld"."""
TARGETS = Path(__file__).resolve().parent
# The application that verifies and measures a model; it goes into `compile` with the model's own sources.
APPLICATION = (TARGETS / "app" / "main.c", TARGETS / "app" / "text.c")


@dataclass(frozen=True)
class Target:
    """What a firmware is compiled with and what it runs on: one folder of targets/.

    Attributes:
        name: the name of its folder.
        folder: of its target.toml, which gives the name.
        description: in a line, for lists.
        core: as the compiler calls it; "host" for the machine that builds.
        engine: what computes the modes behind dimmer.h: "tables", the generated C, "tvm", a library in a bundle, or
            "ethos-u", command streams for an NPU.
        memory: of a target without an operating system, which has it elsewhere; then None.
        toolchain: how to compile for it.
        runner: how to run a firmware here.
        scratch_limit: bytes of arena that one kernel may take for speed.
        energy: what a cycle takes, and the board; None where nobody has a figure.
        timing: what the chip adds to its core's table of cycles; None where cycles are not modelled.
        board: of a board that is no emulated one.
        family: whose file says what this one leaves out; "cortex-m" and "riscv" are for boards.
        flash: the ways to write its flash; the first whose tool is here is taken.
        npu: of a target whose engine is "ethos-u".
        latency: how long what matters takes on this core, by which kernels are chosen.
        variant_of: the target beside this one whose file says what this one and its family leave out: the same board,
            whose image runs at another clock.
    """

    name: str
    folder: Path
    description: str
    core: str
    engine: str
    memory: Memory | None
    toolchain: Toolchain
    runner: Runner
    scratch_limit: int
    energy: Energy | None
    timing: Timing | None = None
    board: Board | None = None
    family: str | None = None
    flash: Ways = NO_WAYS
    npu: Npu | None = None
    latency: Latency = FITTED
    variant_of: str | None = None

    @property
    def counts_instructions(self) -> bool:
        """Whether its runner counts instructions exactly."""
        return self.runner.counts

    @property
    def counts_cycles(self) -> bool:
        """Whether its core counts clock cycles itself: it is simulated from its RTL."""
        return self.runner.rtl is not None

    @property
    def distributions(self) -> tuple[str, ...]:
        """Packages of PyPI that it needs besides what every command does."""
        if self.npu is not None:
            return (VELA,)
        if self.runner.rtl is not None:
            return (self.runner.rtl.package,)
        return ("unicorn",) if "{twin}" in self.runner.command else ()

    @property
    def extra(self) -> str:
        """The extra of Dimmer that brings `distributions`."""
        if self.npu is not None:
            return "npu"
        return "rtl" if self.counts_cycles else "boards"

    @property
    def tools(self) -> dict[str, str]:
        """What this target needs: command, or absolute path of a file -> Debian package."""
        return {**self.toolchain.packages, **self.runner.packages}

    def compile(
        self,
        sources: Sequence[Path],
        include_dirs: Sequence[Path],
        out_dir: Path,
        defines: Mapping[str, str] | None = None,
        entries: Sequence[str] = (),
    ) -> Path:
        """Compile and link to ``out_dir/firmware.elf``, with the target's start-up and platform code.

        The target's other formats (.hex, .bin) lie beside it; of weights in a region of their own, which no .bin of
        the flash holds, firmware_weights.bin.

        Args:
            entries: functions that a second program, ``out_dir/entries.elf``, keeps though nothing calls them; it is
                linked first, and whether it fits or not.

        Raises:
            TargetError: the compiler is missing, or the first thing that it says is wrong.
        """
        symbols = {} if self.memory is None else self.memory.symbols
        own = {} if self.memory is None else self.memory.defines
        apart = () if self.memory is None else self.memory.apart
        if self.board is not None:
            assert self.memory is not None
            flash = {
                "DIMMER_FLASH_BEGIN": f"{self.memory.readable:#x}u",
                "DIMMER_FLASH_BYTES": f"{self.memory.flash.size}u",
            }
            own = own | flash | self.board.defines(self.name)
        every = {**own, **(defines or {})}
        return compile_firmware(self.toolchain, sources, include_dirs, out_dir, every, symbols, entries, apart)

    def prepare(self, say: Callable[[str], None]) -> None:
        """Make what running needs and what takes long: the simulator of a core, once.

        Args:
            say: told what is made, in a few words; not called where nothing is.

        Raises:
            TargetError: as `runners.rtl.simulator`.
        """
        if self.runner.rtl is not None:
            simulator(self.runner.rtl, self.runner.packages, say)

    def run(self, elf: Path, args: Sequence[str], cwd: Path, count: bool = False) -> CompletedProcess[str]:
        """Run a firmware in ``cwd`` and wait for its end; standard output has one JSON object a line.

        Args:
            count: slower, and instruction counts repeat exactly; without it they are null.

        Raises:
            TargetError: the runner is missing, it took too long, it died, or the firmware reported an error.
        """
        return run_firmware(self.runner, elf, args, cwd, count)

    def size(self, elf: Path) -> SectionSizes:
        """Raises TargetError where ``elf`` is no ELF file."""
        return section_sizes(elf)


def target_names() -> list[str]:
    """Names of the targets, the project's and Dimmer's own, sorted."""
    return sorted({path.parent.name for folder in _target_folders() for path in folder.glob("*/target.toml")})


def load_target(name: str) -> Target:
    """Read <name>/target.toml, the project's before Dimmer's own; or a folder or a file, given by its path.

    Raises:
        TargetError: there is no such target, a key of its file is missing, unknown or of the wrong type, or it lies
            where builds do.
    """
    file = find_target(name)
    target = read_target(file)
    check_apart(file, target.toolchain)
    return target


def find_target(name: str) -> Path:
    """The file that load_target reads; raises as that where there is none."""
    given = Path(name)
    # What has a slash is a path from here, and no name: "../targets/host" means nothing within targets/.
    named = [] if "/" in name else [folder / given / FILE for folder in _target_folders()]
    places = [given, given / FILE] if "/" in name or given.suffix == ".toml" else []
    for path in (*named, *places):
        try:
            if path.is_file():
                return path.resolve()
        except OSError as error:
            raise TargetError(f"{plain(str(path))} cannot be looked at: {error.strerror}") from error
    known = ", ".join(target_names())
    raise TargetError(f"unknown target {shown(name)}: name one of {known}; or give the path of a folder with a {FILE}")


def _target_folders() -> tuple[Path, ...]:
    return (*project().targets, TARGETS)


def read_target(path: Path) -> Target:
    """As load_target, for a file anywhere; its folder gives the name."""
    return target_of(read_target_table(path), path.parent)


def target_of(table: Table, folder: Path) -> Target:
    """As read_target, of a file's table; files that it names lie in the folder, which gives the name."""
    planner, core = table.table("planner"), _core(table)
    board = table.optional_table("board")
    family = table.optional_text(FAMILY)
    extra = None
    if board is not None:
        names = board.texts("extra_sources", required=False)
        extra = tuple(_existing(board, folder, name, "extra_sources") for name in names)
    timing = None if (given := table.optional_table("timing")) is None else timing_of(given)
    earlier = None if timing is None else timing.multiply_add_long
    latency = latency_of(table.optional_table("latency"), core, earlier)
    if timing is not None:
        timing = replace(timing, latency=latency)
    target = Target(
        name=folder.name,
        folder=folder,
        description=table.text("description"),
        core=core,
        engine=table.choice("engine", ENGINES),
        memory=memory_of(table.optional_table("memory"), core.startswith("cortex-m")),
        toolchain=_toolchain(table.table("toolchain"), folder, core, extra),
        runner=_runner(table.table("runner"), folder),
        scratch_limit=planner.natural("scratch_limit"),
        energy=_energy(table.optional_table("energy"), timing, folder),
        timing=timing,
        board=board_of(board, core, extra or ()),
        family=family,
        flash=ways_of(table.optional_table("flash"), core),
        npu=npu_of(table.optional_table("npu"), folder),
        latency=latency,
        variant_of=table.optional_text(VARIANT),
    )
    if (target.npu is not None) != (target.engine == "ethos-u"):
        raise table.fail('[npu] goes with engine = "ethos-u", and only with it', "engine")
    memory = target.memory
    if memory is not None:
        for key, said, symbol in (
            ("stack", memory.stack, STACK_SYMBOL),
            ("constants", memory.constants, CONSTANTS_SYMBOL),
            ("arena", memory.arena, ARENA_SYMBOL),
            ("weights", memory.weights, WEIGHTS_SYMBOL),
        ):
            if said is not None and not _uses(target.toolchain.linker_script, symbol):
                raise table.fail(f"'{key}' has no effect: the linker script does not use {symbol}", "memory")
    if board is not None:
        if memory is None:
            raise table.fail("'memory' is missing: a board needs the regions of its flash and its RAM", "memory")
        if memory.weights is not None:
            raise table.fail(
                "'weights' is for targets without [board]: what writes a board writes one region", "memory"
            )
        board.finish()
    if memory is not None and memory.weights is not None and target.engine != "tables":
        raise table.fail("'weights' goes with engine = \"tables\": others keep no weights in C", "memory")
    planner.finish()
    table.finish()
    return target


def _uses(script: Path | None, symbol: str) -> bool:
    try:
        return script is not None and symbol in script.read_text(errors="replace")
    except OSError:
        return False


def _core(table: Table) -> str:
    core = table.text("core")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9+._-]{0,63}", core):
        raise table.fail(f"'core' is {shown(core)}: give it the compiler's name of a core, such as cortex-m4", "core")
    return core


def _toolchain(table: Table, folder: Path, core: str, extra: tuple[Path, ...] | None) -> Toolchain:
    """What [toolchain] says; `extra` are the sources of a board, whose core tells the compiler's first flags."""
    known = () if extra is None else core_flags(core)
    if known is None:
        raise table.fail(f"no flags are known of the core {core}: take one of docs/extending.md", "flags")
    script = table.optional_text("linker_script")
    result = Toolchain(
        compilers=table.texts("compilers"),
        flags=(*known, *table.texts("flags")),
        link_flags=table.texts("link_flags"),
        sources=tuple(_existing(table, folder, source, "sources") for source in table.texts("sources")) + (extra or ()),
        linker_script=None if script is None else _existing(table, folder, script, "linker_script"),
        objcopy=table.optional_text("objcopy"),
        formats=table.choices("formats", tuple(OBJCOPY_FORMATS)),
        defines=table.text_map("defines"),
        packages=table.text_map("packages"),
    )
    if not result.compilers:
        raise table.fail("'compilers' is empty: name at least one", "compilers")
    for name in result.defines:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise table.fail(f"'defines' has {shown(name)}: give it names of C macros", "defines")
    if result.formats and result.objcopy is None:
        raise table.fail("'objcopy' is missing: 'formats' needs it", "formats")
    table.finish()
    return result


def _existing(table: Table, folder: Path, name: str, key: str) -> Path:
    try:
        path = (TARGETS / name.removeprefix(OWN) if name.startswith(OWN) else folder / name).resolve()
        there = path.is_file()
    except (OSError, RuntimeError):
        # A name that is too long, a circle of links, a folder that is closed.
        there = False
    if not there:
        raise table.fail(f"there is no file {plain(name)} in {folder}", key)
    return path


def _runner(table: Table, folder: Path) -> Runner:
    result = Runner(
        command=table.texts("command"),
        count_flags=table.texts("count_flags", required=False),
        timeout_s=table.positive_real("timeout_s", 7 * 86_400),
        packages=table.text_map("packages"),
        samples=table.optional_natural("samples"),
        rtl=_rtl(table.optional_table("rtl"), folder),
        target=folder / FILE,
    )
    if not any("{elf}" in word for word in result.command):
        raise table.fail("'command' has no {elf}: say where the firmware's path goes", "command")
    if any("{simulator}" in word for word in result.command) != (result.rtl is not None):
        raise table.fail("'command' has {simulator} where there is a table [runner.rtl], and only there", "command")
    for word in result.command:
        if unknown := re.search(r"\{\w*\}", re.sub("|".join(map(re.escape, PLACES)), "", word)):
            raise table.fail(f"'command' has {unknown[0]}: known are {', '.join(PLACES)}", "command")
    if result.samples == 0:
        raise table.fail("'samples' is 0: give it at least 1, or leave it away", "samples")
    table.finish()
    return result


def _rtl(table: Table | None, folder: Path) -> Rtl | None:
    if table is None:
        return None
    result = Rtl(
        name=folder.name,
        package=table.text("package"),
        folder=table.text("folder"),
        files=_existing(table, folder, table.text("files"), "files"),
        sources=tuple(_existing(table, folder, source, "sources") for source in table.texts("sources")),
        defines=table.text_map("defines"),
    )
    table.finish()
    return result


def _energy(table: Table | None, timing: Timing | None, folder: Path) -> Energy | None:
    energy = with_measured(None if table is None else energy_of(table, folder), folder, folder.name)
    return energy if energy is None or timing is None or not timing.wait_states else waits_modelled(energy)


def timing_of(table: Table) -> Timing:
    """What [timing] says.

    Raises:
        TargetError: a key is missing, unknown or out of its bounds.
    """
    earlier = table.optional_natural("multiply_add_long", MOST["multiply_add_long"])
    timing = Timing(
        branch_refill=table.natural("branch_refill", 16),
        wait_states=table.natural("wait_states", 64, default=Timing.wait_states),
        fetch_bytes=table.natural("fetch_bytes", 256, default=Timing.fetch_bytes),
        cache_lines=table.natural("cache_lines", 4096, default=Timing.cache_lines),
        multiply_add_long=earlier,
        latency=FITTED if earlier is None else replace(FITTED, multiply_add_long=earlier),
    )
    for key, value in (("fetch_bytes", timing.fetch_bytes), ("cache_lines", timing.cache_lines)):
        if value == 0:
            raise table.fail(f"'{key}' is 0: give it at least 1", key)
    table.finish()
    return timing
