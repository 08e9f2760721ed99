"""The variants of all kernels: a module an instruction set, each with a tuple VARIANTS."""

from firmware_gen.variants import dense, depthwise, dsp, mve, portable, words
from firmware_gen.variants.frame import Candidate, Choice, Variant, choose, features_of

VARIANTS: tuple[Variant, ...] = (
    *portable.VARIANTS,
    *dsp.VARIANTS,
    *mve.VARIANTS,
    *words.VARIANTS,
    *depthwise.VARIANTS,
    *dense.VARIANTS,
)

__all__ = ["VARIANTS", "Candidate", "Choice", "Variant", "choose", "features_of"]
