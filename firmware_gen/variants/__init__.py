# SPDX-License-Identifier: Apache-2.0
"""The variants of all kernels: a module an instruction set, each with a tuple VARIANTS."""

from dimmer.firmware_gen.variants import (
    dense,
    depthwise,
    dsp,
    helium,
    narrow_dsp,
    packed,
    paired,
    planes,
    portable,
    products,
    requantize,
    sum_table,
    words,
)
from dimmer.firmware_gen.variants.cores import features_of
from dimmer.firmware_gen.variants.frame import Candidate, Choice, Variant, choose

VARIANTS: tuple[Variant, ...] = (
    *portable.VARIANTS,
    *dsp.VARIANTS,
    *paired.VARIANTS,
    *planes.VARIANTS,
    *narrow_dsp.VARIANTS,
    *helium.VARIANTS,
    *words.VARIANTS,
    *packed.VARIANTS,
    *depthwise.VARIANTS,
    *dense.VARIANTS,
    *requantize.VARIANTS,
    *sum_table.VARIANTS,
    *products.VARIANTS,
)

__all__ = ["VARIANTS", "Candidate", "Choice", "Variant", "choose", "features_of"]
