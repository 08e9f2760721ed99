# SPDX-License-Identifier: Apache-2.0
"""What TVM compiles for: the processor of a target, and its GPU."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dimmer.errors import DimmerError


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
        from tvm.target.codegen import llvm_get_system_cpu

        own = {"mcpu": llvm_get_system_cpu()} if self.name == "host" else {}
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


def tvm_target(name: str) -> TvmTarget:
    """A target by its name.

    Raises:
        DimmerError: TVM compiles nothing for it.
    """
    if name not in TARGETS:
        raise DimmerError(f"TVM compiles nothing for {name}: name one of {', '.join(sorted(TARGETS))}")
    return TARGETS[name]
