# SPDX-License-Identifier: Apache-2.0
"""All kernels by instruction set: a family has a module here, a header, and a folder of C files.

The portable kernels are several families in one folder: they are many, and a header has one subject.
"""

from __future__ import annotations

from dataclasses import dataclass

from dimmer.firmware_gen.kernels import dsp, helium, logic, portable, recurrent, unsigned, wide, words
from dimmer.firmware_gen.kernels.record import Kernel


@dataclass(frozen=True, slots=True)
class Family:
    """The kernels of one instruction set, or of one subject.

    Attributes:
        name: of its module here, and in its header's.
        what: in one line.
        feature: the compiler's macro of what a core must have; empty where every core will do.
        needs: the same in words.
        folder: in `runtime/kernels/`.
    """

    name: str
    what: str
    kernels: tuple[Kernel, ...]
    feature: str = ""
    needs: str = ""
    folder: str = "portable"

    @property
    def header(self) -> str:
        """The header's file name."""
        return f"dimmer_kernels_{self.name}.h"


PORTABLE = Family("portable", "Kernels in portable C99.", (*portable.KERNELS, *unsigned.KERNELS))
FAMILIES = (
    PORTABLE,
    Family("recurrent", "Kernels of layers with a state, in portable C99.", recurrent.KERNELS),
    Family("logic", "Kernels of comparisons, choices and types, in portable C99.", logic.KERNELS),
    Family("wide", "Kernels for activations of 16 bits, in portable C99.", wide.KERNELS),
    Family("words", "Kernels for cores that multiply word by word.", words.KERNELS, folder="words"),
    Family(
        "dsp",
        "Kernels for Arm cores with the DSP extension.",
        dsp.KERNELS,
        "__ARM_FEATURE_DSP",
        "Arm's DSP extension",
        "dsp",
    ),
    Family("helium", "Kernels for Arm cores with Helium.", helium.KERNELS, "__ARM_FEATURE_MVE", "Helium", "helium"),
)
KERNELS = tuple(kernel for family in FAMILIES for kernel in family.kernels)
