# SPDX-License-Identifier: Apache-2.0
"""The portable kernels, and what they cost: with the inner loops for the DSP extension in cycles, as in dsp.py; without
in instructions.
"""

from __future__ import annotations

from dimmer.firmware_gen.kernels.portable import ADD, CONV_2D, DEPTHWISE_CONV_2D
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.variants.conv import number, shape_of, sum_elements
from dimmer.firmware_gen.variants.frame import Settings, Variant
from dimmer.firmware_gen.variants.latency import LONG, Products


def _conv(per_mac: float, rescale: float, long: Products, feature: str = "") -> Variant:
    def cost(step: Step, _settings: Settings) -> float:
        shape = shape_of(step)
        patch = shape.kernel_h * shape.kernel_w * shape.input_c
        return step.macs * per_mac + shape.pixels * (shape.output_c * rescale + patch)

    def products(step: Step, _settings: Settings) -> Products:
        shape = shape_of(step)
        return Products(step.macs) + long.times(shape.pixels * shape.output_c)

    return Variant(CONV_2D, CONV_2D, frozenset({feature} if feature else ()), cost, products=products)


def _depthwise(step: Step, _settings: Settings) -> float:
    shape = shape_of(step)
    outputs = shape.pixels * shape.input_c * number(step, "depth_multiplier")
    return step.macs * 8.5 + outputs * 60


def _add(step: Step, _settings: Settings) -> float:
    return 95.0 * sum_elements(step)


VARIANTS = (
    _conv(8.0, 140, LONG["thumb1"]),
    _conv(5.7, 48, LONG["riscv"], "riscv"),
    _conv(1.95, 42, Products(), "dsp"),
    Variant(DEPTHWISE_CONV_2D, DEPTHWISE_CONV_2D, frozenset({"dsp"}), _depthwise),
    Variant(ADD, ADD, frozenset({"dsp"}), _add),
)
