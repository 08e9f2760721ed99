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


@dataclass(frozen=True)
class NarrowPeer:
    """One convolution of CMSIS-NN, whose weights have 8 or 4 bits.

    Attributes:
        eight, four: instructions with weights of so many bits.
    """

    eight: int
    four: int


CMSIS_NN_4_BIT = {
    ("32x32x3 -> 16, 3x3", "mps2-an386"): NarrowPeer(2_110_079, 2_915_532),
    ("32x32x16 -> 16, 3x3", "mps2-an386"): NarrowPeer(5_493_136, 9_672_666),
    ("32x32x16 -> 32, 3x3 / 2", "mps2-an386"): NarrowPeer(2_520_662, 4_616_656),
    ("16x16x32 -> 32, 3x3", "mps2-an386"): NarrowPeer(4_543_884, 8_691_554),
    ("16x16x32 -> 64, 3x3 / 2", "mps2-an386"): NarrowPeer(2_189_001, 4_267_526),
    ("8x8x64 -> 64, 3x3", "mps2-an386"): NarrowPeer(4_155_748, 8_291_610),
    ("32x32x3 -> 16, 3x3", "mps3-an547"): NarrowPeer(626_581, 944_500),
    ("32x32x16 -> 16, 3x3", "mps3-an547"): NarrowPeer(941_969, 1_342_781),
    ("32x32x16 -> 32, 3x3 / 2", "mps3-an547"): NarrowPeer(394_662, 581_884),
    ("16x16x32 -> 32, 3x3", "mps3-an547"): NarrowPeer(603_989, 939_201),
    ("16x16x32 -> 64, 3x3 / 2", "mps3-an547"): NarrowPeer(281_375, 443_469),
    ("8x8x64 -> 64, 3x3", "mps3-an547"): NarrowPeer(487_277, 791_529),
}
"""(convolution, target) -> what CMSIS-NN's kernels for 8-bit and 4-bit weights take. The "1.8 times" of README is the
ratio of the sums on Cortex-M4."""
