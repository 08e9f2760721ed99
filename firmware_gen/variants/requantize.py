# SPDX-License-Identifier: Apache-2.0
"""QUANTIZE from int8 to int8, and RELU: by a table of all codes where there are more elements than codes."""

from __future__ import annotations

from dimmer.firmware_gen.kernels.portable import REQUANTIZE, REQUANTIZE_TABLE
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.variants.conv import number
from dimmer.firmware_gen.variants.frame import Settings, Variant

TABLE = 256


def _portable(step: Step, _settings: Settings) -> float:
    return 27.0 * number(step, "elements")


def _by_table(step: Step, _settings: Settings) -> float:
    return 4.0 * number(step, "elements") + 28.0 * TABLE


VARIANTS = tuple(
    variant
    for feature in ("thumb", "riscv")
    for variant in (
        Variant(REQUANTIZE, REQUANTIZE, frozenset({feature}), _portable),
        Variant(REQUANTIZE_TABLE, REQUANTIZE, frozenset({feature}), _by_table, scratch=lambda _step, _settings: TABLE),
    )
)
