# SPDX-License-Identifier: Apache-2.0
"""What TVM compiles for: the processor of a target, and its GPU."""

from __future__ import annotations

import functools
import platform
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError
from dimmer.targets import Target
from dimmer.targets.target import FILE
from dimmer.targets.target import TARGETS as OF_DIMMER


@dataclass(frozen=True)
class TvmTarget:
    """What TVM compiles for.

    Attributes:
        machine: as `uname -m` says it.
        triple: of the C compiler that links the library.
        llvm: TVM's target for the processor.
        cuda: TVM's tag of the GPU, or None.
    """

    name: str
    machine: str
    triple: str
    llvm: Mapping[str, str]
    cuda: str | None

    @property
    def is_native(self) -> bool:
        """Whether its code runs on this machine."""
        return self.machine == platform.machine()

    def processor(self) -> Any:
        """TVM's target; for the host, the processor that this machine has."""
        import tvm

        own = {"mcpu": host_processor()} if self.name == "host" else {}
        return tvm.target.Target({**self.llvm, **own})


TARGETS = {
    target.name: target
    for target in (
        TvmTarget(
            "jetson",
            "aarch64",
            "aarch64-linux-gnu",
            {"kind": "llvm", "mtriple": "aarch64-linux-gnu", "mcpu": "cortex-a78ae"},
            "nvidia/jetson-orin-nano",
        ),
        TvmTarget(
            "linux-aarch64",
            "aarch64",
            "aarch64-linux-gnu",
            # The Cortex-A72 of the Raspberry Pi 4, which has no dot products; newer cores run its code, too.
            {"kind": "llvm", "mtriple": "aarch64-linux-gnu", "mcpu": "cortex-a72"},
            None,
        ),
        TvmTarget("host", platform.machine(), f"{platform.machine()}-linux-gnu", {"kind": "llvm"}, None),
    )
}


# Instructions that LLVM may choose, as its names begin: of vectors, then of bits. One of them is a processor's habit.
_CHOSEN = (
    *("sse", "ssse", "avx", "fma", "f16c", "gfni", "vaes", "vpclmulqdq", "xop"),
    *("adx", "bmi", "lzcnt", "movbe", "popcnt"),
)
_HABITS = {"sse-unaligned-mem"}
# Levels of x86-64's psABI, the newest first, by the kernel's flags.
_V2 = {"ssse3", "sse4_1", "sse4_2", "popcnt"}
_V3 = _V2 | {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}
_V4 = _V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
_LEVELS = {"x86-64-v4": _V4, "x86-64-v3": _V3, "x86-64-v2": _V2}


@functools.cache
def host_processor() -> str:
    """LLVM's name of this machine's processor, or of one that it can do the work of.

    LLVM knows a processor by its model; a hypervisor may withhold instructions of it, AVX-512 for one, which end a
    program at once.
    """
    import tvm
    from tvm.target.codegen import llvm_get_cpu_features, llvm_get_system_cpu

    name = str(llvm_get_system_cpu())
    if platform.machine() != "x86_64":
        return name
    needed = {str(word) for word in llvm_get_cpu_features(tvm.target.Target({"kind": "llvm", "mcpu": name}))}
    return processor_with(name, needed, kernel_flags(Path("/proc/cpuinfo")))


def kernel_flags(cpuinfo: Path) -> frozenset[str]:
    """What the kernel says that an x86-64 processor has; nothing where it says nothing."""
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    return frozenset(next((line.partition(":")[2] for line in lines if line.startswith("flags")), "").split())


def processor_with(name: str, needed: Collection[str], flags: Collection[str]) -> str:
    """A processor of LLVM's by name if `flags`, the kernel's, have its instructions, else the newest level that they
    have.

    Args:
        name: LLVM's.
        needed: its features, as LLVM names them.
        flags: as `/proc/cpuinfo` has them; none means that nothing is known, and the name stands.
    """
    have = {_spelling(flag) for flag in flags}
    chosen = {_spelling(word) for word in needed if word.startswith(_CHOSEN) and word not in _HABITS}
    if not flags or chosen <= have:
        return name
    return next((level for level, words in _LEVELS.items() if words <= set(flags)), "x86-64")


def _spelling(feature: str) -> str:
    """One spelling for LLVM's `avx512bf16`, `sse4.1`, `sse3` and the kernel's `avx512_bf16`, `sse4_1`, `pni`."""
    of_kernel = {"pni": "sse3", "bmi1": "bmi", "abm": "lzcnt"}
    return of_kernel.get(feature, feature.replace("_", "").replace(".", "").replace("-", ""))


def tvm_target(target: Target) -> TvmTarget:
    """What TVM compiles for a target: for one of somebody's own, what its target.toml says.

    A core that a target of Dimmer has gets what that one does, its GPU among it.

    Raises:
        DimmerError: TVM compiles nothing for it, or its compiler tells no machine.
    """
    if target.name in TARGETS and (target.name == "host" or target.folder == OF_DIMMER / target.name):
        return TARGETS[target.name]
    if target.engine != "tvm":
        raise DimmerError(
            f"TVM compiles nothing for {target.name}: name one of {', '.join(sorted(TARGETS))}, or a target of your "
            'own with engine = "tvm"'
        )
    triple = _triple(target)
    llvm = {"kind": "llvm", "mtriple": triple, "mcpu": target.core}
    known = next((one for one in TARGETS.values() if one.llvm == llvm), None)
    return TvmTarget(target.name, triple.partition("-")[0], triple, llvm, None if known is None else known.cuda)


def _triple(target: Target) -> str:
    """Of the first compiler: aarch64-linux-gnu of aarch64-linux-gnu-gcc; this machine's of gcc."""
    compiler = Path(target.toolchain.compilers[0]).name
    prefix, dash, tool = compiler.rpartition("-")
    if tool != "gcc" or (dash and "-linux-" not in prefix):
        raise DimmerError(
            f"{target.folder / FILE}: toolchain.compilers begins with {compiler}: TVM's library is linked by a gcc for "
            "Linux, such as aarch64-linux-gnu-gcc"
        )
    return prefix or f"{platform.machine()}-linux-gnu"
