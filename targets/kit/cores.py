# SPDX-License-Identifier: Apache-2.0
"""What tells the compiler of a core. Boards need not say it: it follows from `core`."""

from __future__ import annotations

import re

_FPU = {
    "cortex-m4": "fpv4-sp-d16",
    "cortex-m7": "fpv5-d16",
    "cortex-m33": "fpv5-sp-d16",
    "cortex-m35p": "fpv5-sp-d16",
}
_SOFT = ("cortex-m0", "cortex-m0plus", "cortex-m1", "cortex-m3", "cortex-m23")
_HELIUM = ("cortex-m52", "cortex-m55", "cortex-m85")


def core_flags(core: str) -> tuple[str, ...] | None:
    """Of the compiler, for a core as target.toml names it; None for one that is not known here.

    Example:
        >>> core_flags("cortex-m3")
        ('-mcpu=cortex-m3', '-mthumb')
        >>> core_flags("cortex-m4")
        ('-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=hard', '-mfpu=fpv4-sp-d16')
        >>> core_flags("rv32imc")
        ('-march=rv32imc', '-mabi=ilp32', '-mcmodel=medany', '--specs=picolibc.specs', '-fno-schedule-insns')
    """
    name = core.partition("+")[0]
    if name in _FPU:
        return (f"-mcpu={core}", "-mthumb", "-mfloat-abi=hard", f"-mfpu={_FPU[name]}")
    if name in _HELIUM:
        return (f"-mcpu={core}", "-mthumb", "-mfloat-abi=hard")
    if name in _SOFT:
        # Armv6-M's assembler still knows another syntax.
        syntax = ("-masm-syntax-unified",) if name in ("cortex-m0", "cortex-m0plus", "cortex-m1") else ()
        return (f"-mcpu={core}", "-mthumb", *syntax)
    if re.fullmatch(r"rv32im[ac]*(_z\w+)*", core):
        # The scheduler that runs before registers are allocated makes inner loops spill.
        return (f"-march={core}", "-mabi=ilp32", "-mcmodel=medany", "--specs=picolibc.specs", "-fno-schedule-insns")
    return None
