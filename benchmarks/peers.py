"""What other runtimes need for the same models: instructions of one inference, counted by the same emulator.

TFLite-Micro (kernels -O2, core -Os) with CMSIS-NN, arm-none-eabi-gcc 12.2, QEMU 7.2, board mps2-an386. Counted by the
project's founders with the very files that `python -m benchmarks` reads; the code of the peers is not part of this
project, so these figures are quoted, not repeated by a command here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """One model on one target.

    Attributes:
        instructions: of one inference.
        code: bytes of flash without the model.
        arena: bytes.
    """

    instructions: int
    code: int | None
    arena: int | None


TFLM_CMSIS_NN = {
    ("pretrainedResnet_quant", "mps2-an386"): Peer(29_864_121, 79_192, 54_996),
    ("kws_ref_model", "mps2-an386"): Peer(7_697_870, None, 22_820),
}
"""(model, target) -> what TFLite-Micro with CMSIS-NN takes."""
