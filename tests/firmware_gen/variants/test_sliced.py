# SPDX-License-Identifier: Apache-2.0
"""Which of two kernels takes a convolution: the one for weights as they are stored, or the one for their slices."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.kernels.portable import CONV_2D
from dimmer.firmware_gen.variants import dsp, words
from dimmer.firmware_gen.variants.frame import Variant
from dimmer.firmware_gen.variants.sliced import SLICED
from tests.firmware_gen.variants.steps import conv, ways

VARIANTS = (*dsp.VARIANTS, *words.VARIANTS)
PAIRS = [
    (variant, next(v for v in VARIANTS if (v.kernel, v.features) == (SLICED[variant.kernel], variant.features)))
    for variant in VARIANTS
    if variant.kernel in SLICED and variant.replaces == CONV_2D
]


def test_every_kernel_with_slices_is_a_variant() -> None:
    assert {variant.kernel for variant in VARIANTS} >= {*SLICED, *SLICED.values()}
    assert len(PAIRS) == 2 + 3 * 2, "two of DSP, two of each instruction set of words"


@pytest.mark.parametrize(("plain", "sliced"), PAIRS, ids=lambda variant: variant.kernel.name)
def test_one_of_the_two_takes_a_step(plain: Variant, sliced: Variant) -> None:
    assert [variant.supports(conv()) for variant in (plain, sliced)] == [True, False]
    for bits in (4, 2):
        narrow = conv(weight_bits=bits)
        assert [variant.supports(narrow) for variant in (plain, sliced)] == [False, True]
    assert not sliced.supports(conv(weight_bits=4, shift=0))


@pytest.mark.parametrize(("plain", "sliced"), PAIRS, ids=lambda variant: variant.kernel.name)
def test_slices_cost_more_and_no_more_scratch(plain: Variant, sliced: Variant) -> None:
    one, other = ways(plain, conv())[0], ways(sliced, conv(weight_bits=4))[0]
    assert other[0] > one[0]
    assert other[1] == one[1]
    assert (one[2].kernel, other[2].kernel) == (plain.kernel, sliced.kernel)


@pytest.mark.parametrize(("plain", "sliced"), PAIRS, ids=lambda variant: variant.kernel.name)
def test_records_are_the_same(plain: Variant, sliced: Variant) -> None:
    assert plain.kernel.record == sliced.kernel.record
