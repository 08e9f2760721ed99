# SPDX-License-Identifier: Apache-2.0
"""CoreMark on the cores that are simulated from their RTL, beside what their authors publish.

python -m benchmarks.coremark --target ibex-maxperf

CoreMark's sources are those that the package pythondata-cpu-ibex has in vendor/eembc_coremark: EEMBC's, but that a run
may take less than ten seconds. Flags are those with which lowRISC compiles it (examples/sw/benchmarks in that package),
which are OpenHW's but for two that change nothing here; the instruction set is the target's own, or another by --march.
What is measured so is no official score: gcc is Debian's, and ten iterations are counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.pipeline.core.command import console, main_of, progress_bar
from dimmer.pipeline.core.debian import require_tools
from dimmer.targets import Target, load_target, target_names
from dimmer.targets.runners.rtl import package_folder

ITERATIONS = 10
FINAL = "0xfcaf"
"""CRC of everything that ITERATIONS of the performance run compute."""
TOLERANCE = 0.02
PACKAGE, FOLDER = "pythondata-cpu-ibex", "pythondata_cpu_ibex/system_verilog/vendor/eembc_coremark"
SOURCES = ("core_list_join.c", "core_main.c", "core_matrix.c", "core_state.c", "core_util.c")
PORT = Path(__file__).resolve().parent / "coremark_port"
FLAGS = (
    *("-O3", "-mtune=sifive-3-series", "-mstrict-align", "-falign-functions=16", "-falign-jumps=4"),
    *("-funroll-all-loops", "-finline-functions"),
)
"""Instead of the target's own optimisation."""
DROPPED = ("-O2", "-fno-schedule-insns")


@dataclass(frozen=True)
class Published:
    """CoreMarks per MHz that a core's authors publish, and where."""

    score: float
    source: str


PUBLISHED: Mapping[str, Published] = {
    "ibex-small": Published(2.47, "README of Ibex"),
    "ibex-maxperf": Published(3.13, "README of Ibex"),
    "cv32e40p": Published(2.912, "openhwgroup/core-v-docs, cores/performance/ppa_data.xlsx"),
}
"""All three were compiled for rv32im by their authors, with compilers that they do not tell."""


@dataclass(frozen=True)
class Score:
    """One run.

    Attributes:
        cycles: of ITERATIONS.
    """

    cycles: int

    @property
    def per_mhz(self) -> float:
        """Iterations in a million cycles."""
        return ITERATIONS * 1e6 / self.cycles


def score(target: Target, march: str | None = None) -> Score:
    """Compiles CoreMark for a target and runs it.

    Args:
        march: instruction set as the compiler calls it; the target's own where none is given.

    Raises:
        TargetError: the package, a tool or the core is missing.
        DimmerError: CoreMark's own checks fail.
    """
    folder = package_folder(target.name, PACKAGE, FOLDER)
    flags = [flag for flag in target.toolchain.flags if flag not in DROPPED]
    if march is not None:
        flags = [flag for flag in flags if not flag.startswith("-march=")] + [f"-march={march}"]
    bare = replace(target, toolchain=replace(target.toolchain, flags=(*flags, *FLAGS)))
    sources = [*(folder / name for name in SOURCES), PORT / "core_portme.c"]
    defines = {"TOTAL_DATA_SIZE": "2000", "PERFORMANCE_RUN": "1", "ITERATIONS": str(ITERATIONS)}
    with children.scratch() as work:
        said = bare.run(bare.compile(sources, [folder, PORT], work, defines), [], work).stdout
    return read_score(target.name, said)


def read_score(name: str, said: str) -> Score:
    """What CoreMark prints.

    Raises:
        DimmerError: it does not say that all its sums are right.
    """
    ticks = re.search(r"^Total ticks\s*: (\d+)$", said, re.MULTILINE)
    final = re.search(r"^\[0\]crcfinal\s*: (\w+)$", said, re.MULTILINE)
    if ticks is None or final is None or final[1] != FINAL or "Correct operation validated" not in said:
        raise DimmerError(f"{name}: CoreMark's own checks fail, or it ended early: report it ({said[-80:]!r})")
    return Score(int(ticks[1]))


def main(
    target: Annotated[
        list[str] | None, typer.Option("--target", help="A core that is simulated; repeat for more. All.")
    ] = None,
    march: Annotated[str | None, typer.Option("--march", help="Instruction set, such as rv32im.")] = None,
) -> None:
    """Run CoreMark on simulated cores; fail where one is more than 2 % off what its authors publish."""
    known = [name for name in target_names() if load_target(name).counts_cycles]
    for name in target or ():
        if not load_target(name).counts_cycles:
            raise DimmerError(f"{name} measures no cycles: name some of {', '.join(known)}")
    chosen = [load_target(name) for name in dict.fromkeys(target or known)]
    require_tools({tool: package for core in chosen for tool, package in core.tools.items()})
    found: dict[str, Score] = {}
    with progress_bar("coremark") as progress:
        for core in chosen:
            progress(core.name, len(found) / len(chosen))
            core.prepare(lambda text: progress(text, len(found) / len(chosen)))
            found[core.name] = score(core, march)
    _print(found)
    if wrong := differing(found):
        raise DimmerError("; ".join(wrong))


def differing(found: Mapping[str, Score]) -> list[str]:
    """A line for each core that is further off what its authors publish than TOLERANCE."""
    lines = []
    for name, measured in found.items():
        if name in PUBLISHED and abs(measured.per_mhz / PUBLISHED[name].score - 1) > TOLERANCE:
            lines.append(f"{name}: {measured.per_mhz:.3f} CoreMark/MHz, published are {PUBLISHED[name].score:g}")
    return lines


def _print(found: Mapping[str, Score]) -> None:
    from rich.table import Table

    table = Table("core", "cycles", "CoreMark/MHz", "published", "difference", "where")
    for name, measured in found.items():
        cells = ["-", "-", "-"]
        if published := PUBLISHED.get(name):
            cells = [f"{published.score:g}", f"{measured.per_mhz / published.score - 1:+.1%}", published.source]
        table.add_row(name, f"{measured.cycles:,}", f"{measured.per_mhz:.3f}", *cells)
    console().print(table)


if __name__ == "__main__":
    main_of(main)
