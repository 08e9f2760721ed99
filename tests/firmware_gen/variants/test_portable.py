# SPDX-License-Identifier: Apache-2.0
"""The portable kernels as the choice sees them."""

from __future__ import annotations

from dimmer.firmware_gen.variants.portable import VARIANTS
from tests.firmware_gen.variants.steps import add, conv, depthwise, ways


def test_they_take_every_step_as_it_is() -> None:
    for variant in VARIANTS:
        assert variant.kernel == variant.replaces
    for step in (conv(), conv(weight_bits=4), depthwise(), add()):
        for variant in VARIANTS:
            if variant.replaces == step.kernel:
                assert [way[2] for way in ways(variant, step)] == [step]


def test_every_core_runs_a_convolution_and_one_with_faster_loops_runs_it_faster() -> None:
    costs = {variant.features: variant.cost(conv(), {}) for variant in VARIANTS if variant.kernel == conv().kernel}
    assert costs[frozenset()] > costs[frozenset({"riscv"})] >= costs[frozenset({"dsp"})]


def test_a_cost_grows_with_the_work() -> None:
    for variant in VARIANTS:
        for small, large in ((depthwise(), depthwise(output_h=17)), (add(), add(dims=(1, 1, 5, 100)))):
            if variant.replaces == small.kernel:
                assert variant.cost(large, {}) > variant.cost(small, {})
