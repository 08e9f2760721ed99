# SPDX-License-Identifier: Apache-2.0
"""Variants of BATCH_MATMUL: dot products of vectors, of which the columns' are laid out first where they lie apart."""

from __future__ import annotations

from dimmer.firmware_gen.kernels.dsp import BATCH_MATMUL_DSP
from dimmer.firmware_gen.kernels.helium import BATCH_MATMUL_MVE
from dimmer.firmware_gen.kernels.portable import BATCH_MATMUL
from dimmer.firmware_gen.lower.steps import Step
from dimmer.firmware_gen.variants.conv import number
from dimmer.firmware_gen.variants.frame import Settings, Variant


def _vector(step: Step, operand: int) -> bool:
    """Whether what a sum runs over lies in one piece."""
    return number(step, f"step{operand}") == 1 and number(step, f"step{operand}_jump") == 0


def _supports(step: Step) -> bool:
    return _vector(step, 1)


def _scratch(step: Step, _settings: Settings) -> int:
    columns, depth = number(step, "columns"), number(step, "depth")
    return 4 * columns + (0 if _vector(step, 2) else columns * depth)


def _around(step: Step) -> float:
    """Of everything but the products and their rescaling."""
    batches, depth = number(step, "batches"), number(step, "depth")
    summed = number(step, "columns") * bool(number(step, "zero_point1"))
    summed += number(step, "rows") * bool(number(step, "zero_point2"))
    laid = 0 if _vector(step, 2) else number(step, "columns")
    return batches * (depth * (4.0 * summed + 6 * laid) + 60) + 100


def _outputs(step: Step) -> int:
    return number(step, "batches") * number(step, "rows") * number(step, "columns")


def _portable_cost(step: Step, _settings: Settings) -> float:
    return 8.0 * step.macs + 40 * _outputs(step)


def _dsp_cost(step: Step, _settings: Settings) -> float:
    return 1.5 * step.macs + 32 * _outputs(step) + _around(step)


def _mve_cost(step: Step, _settings: Settings) -> float:
    depth = -(-number(step, "depth") // 16)
    return _outputs(step) * (9 / 4 * depth + 30) + _around(step)


VARIANTS = (
    Variant(BATCH_MATMUL, BATCH_MATMUL, frozenset({"dsp"}), _portable_cost),
    Variant(BATCH_MATMUL_DSP, BATCH_MATMUL, frozenset({"dsp"}), _dsp_cost, _supports, scratch=_scratch),
    Variant(BATCH_MATMUL_MVE, BATCH_MATMUL, frozenset({"mve"}), _mve_cost, _supports, scratch=_scratch),
)
