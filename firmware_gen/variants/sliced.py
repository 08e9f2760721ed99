# SPDX-License-Identifier: Apache-2.0
"""Variants for inputs of 8 bits whose weights are slices: kernels of their own, made of the same C.

Where no mode has such weights none of them is linked, and the kernels of all others pay nothing for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dimmer.firmware_gen.kernels.dsp import (
    CONV_2D_ADD_DSP,
    CONV_2D_ADD_F43_DSP,
    CONV_2D_ADD_F43_SLICED_DSP,
    CONV_2D_ADD_SLICED_DSP,
    CONV_2D_DSP,
    CONV_2D_F43_DSP,
    CONV_2D_F43_SLICED_DSP,
    CONV_2D_SLICED_DSP,
)
from dimmer.firmware_gen.kernels.words import (
    CONV_2D_ADD_WINOGRAD,
    CONV_2D_ADD_WINOGRAD_SLICED,
    CONV_2D_PANEL,
    CONV_2D_PANEL_SLICED,
    CONV_2D_WINOGRAD,
    CONV_2D_WINOGRAD_SLICED,
)
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.variants.conv import eight_bits
from dimmer.firmware_gen.variants.frame import Variant

SLICED = {
    CONV_2D_DSP: CONV_2D_SLICED_DSP,
    CONV_2D_F43_DSP: CONV_2D_F43_SLICED_DSP,
    CONV_2D_ADD_DSP: CONV_2D_ADD_SLICED_DSP,
    CONV_2D_ADD_F43_DSP: CONV_2D_ADD_F43_SLICED_DSP,
    CONV_2D_PANEL: CONV_2D_PANEL_SLICED,
    CONV_2D_WINOGRAD: CONV_2D_WINOGRAD_SLICED,
    CONV_2D_ADD_WINOGRAD: CONV_2D_ADD_WINOGRAD_SLICED,
}
"""Kernel for weights as they are stored -> the one for their slices."""


def with_slices(variants: Iterable[Variant]) -> tuple[Variant, ...]:
    """The variants, and behind them those of their kernels for slices; of the two one takes a step.

    The cost of a variant that has such a kernel includes that of making slices.
    """
    given = tuple(variants)
    plain = (_limited(variant, sliced=False) if variant.kernel in SLICED else variant for variant in given)
    twins = (
        replace(_limited(variant, sliced=True), kernel=SLICED[variant.kernel])
        for variant in given
        if variant.kernel in SLICED
    )
    return (*plain, *twins)


def _limited(variant: Variant, sliced: bool) -> Variant:
    def supports(step: Step) -> bool:
        return eight_bits(step) != sliced and variant.supports(step)

    return replace(variant, supports=supports)
