# SPDX-License-Identifier: Apache-2.0
"""What other runtimes need for the same models: instructions of one inference, counted by the same emulator.

TFLite-Micro (kernels -O2, core -Os) with CMSIS-NN, arm-none-eabi-gcc 12.2, QEMU 7.2, on the boards named below. Counted
by the project's founders with the very files that `python -m benchmarks` reads; the code of the peers is not part of
this project, so these figures are quoted, not repeated by a command here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """One model on one target.

    Attributes:
        instructions: of one inference.
        code: bytes of flash without the model.
        arena, stack: bytes of RAM.
    """

    instructions: int
    code: int | None = None
    arena: int | None = None
    stack: int | None = None


TFLM_CMSIS_NN = {
    ("pretrainedResnet_quant", "mps2-an385-v6m"): Peer(97_559_360, 80_376, 54_980, 1_292),
    ("pretrainedResnet_quant", "mps2-an385"): Peer(41_848_009, 66_296, 54_980, 1_308),
    ("pretrainedResnet_quant", "mps2-an386"): Peer(29_864_121, 79_192, 54_996, 1_340),
    ("pretrainedResnet_quant", "mps2-an500"): Peer(30_027_028, 77_512, 54_996, 1_316),
    ("pretrainedResnet_quant", "mps3-an547"): Peer(4_912_292, 66_744, 55_028, 1_432),
    ("kws_ref_model", "mps2-an385-v6m"): Peer(28_997_161, arena=22_820),
    ("kws_ref_model", "mps2-an385"): Peer(10_532_586, arena=22_820),
    ("kws_ref_model", "mps2-an386"): Peer(7_697_870, arena=22_820),
    ("kws_ref_model", "mps2-an500"): Peer(7_643_647, arena=22_820),
    ("kws_ref_model", "mps3-an547"): Peer(1_813_666, arena=27_348),
}
"""(model, target) -> what TFLite-Micro with CMSIS-NN takes."""
