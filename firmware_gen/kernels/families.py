# SPDX-License-Identifier: Apache-2.0
"""All kernels by instruction set: a family has a folder of C files, a module here and a header."""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.firmware_gen.kernels import dsp, helium, logic, portable, recurrent, unsigned, wide, words
from dimmer.firmware_gen.kernels.record import Kernel


@dataclass(frozen=True, slots=True)
class Family:
    """The kernels of one instruction set.

    Attributes:
        name: of its folder in `runtime/kernels/`.
        what: in one line.
        feature: the compiler's macro of what a core must have; empty where every core will do.
        needs: the same in words.
    """

    name: str
    what: str
    kernels: tuple[Kernel, ...]
    feature: str = ""
    needs: str = ""

    @property
    def header(self) -> str:
        """The header's file name."""
        return f"dimmer_kernels_{self.name}.h"


PORTABLE = Family(
    "portable",
    "Kernels in portable C99.",
    (*portable.KERNELS, *recurrent.KERNELS, *unsigned.KERNELS, *logic.KERNELS, *wide.KERNELS),
)
FAMILIES = (
    PORTABLE,
    Family("words", "Kernels for cores that multiply word by word.", words.KERNELS),
    Family(
        "dsp", "Kernels for Arm cores with the DSP extension.", dsp.KERNELS, "__ARM_FEATURE_DSP", "Arm's DSP extension"
    ),
    Family("helium", "Kernels for Arm cores with Helium.", helium.KERNELS, "__ARM_FEATURE_MVE", "Helium"),
)
KERNELS = tuple(kernel for family in FAMILIES for kernel in family.kernels)
