# SPDX-License-Identifier: Apache-2.0
"""Dot products of int8 codes as the machine has them: several output channels by a few input channels, into int32.

One step is `sums[o] += sum over l of codes[l] * weights[o, l]` for `outputs` channels o and `inputs` codes l. Weights
lie in memory in just this order, so a step reads them in one go. Without such an instruction the loops stay plain.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Dot:
    """One machine's step.

    Attributes:
        name: of the instruction, and of TVM's tensor intrinsic if `lanes` is not None.
        inputs: codes that a step sums over.
        outputs: channels of a step.
        codes: element type that activations are widened to before.
        instruction: LLVM's or CUDA's name, or None where the loops stay plain.
    """

    name: str
    inputs: int
    outputs: int
    codes: str
    instruction: str | None


PLAIN = Dot("plain", 4, 8, "int16", None)
# Two int16 products and their sum; the codes are widened once for all output channels.
AVX2 = Dot("vpmaddwd", 2, 8, "int16", "llvm.x86.avx2.pmadd.wd")
ARM = Dot("sdot", 4, 4, "int8", "llvm.aarch64.neon.sdot.v4i32.v16i8")
# The same weights in the same order as for ARM: a bundle has them once.
CUDA = Dot("dp4a", 4, 4, "int8", "__dp4a")


def dot_of(target: Any) -> Dot:
    """The step of a TVM target."""
    from tvm.target.codegen import target_has_features

    if target.kind.name == "cuda":
        return CUDA
    if target_has_features("avx2", target):
        return AVX2
    if target_has_features("dotprod", target):
        return ARM
    return PLAIN


@functools.cache
def register(dot: Dot) -> str:
    """Makes the step known to TVM's schedules; gives its name there."""
    from tvm.s_tir import TensorIntrin

    name = f"dimmer.{dot.name}"
    implementation = {AVX2: _vpmaddwd, ARM: _sdot, CUDA: _dp4a}[dot]()
    TensorIntrin.register(name, _description(dot), implementation, override=True)
    return name


def _description(dot: Dot) -> Any:
    from tvm.script import tirx as T

    outputs, inputs, codes = dot.outputs, dot.inputs, dot.codes

    @T.prim_func(s_tir=True)  # type: ignore[untyped-decorator]
    def step(a: T.handle, b: T.handle, c: T.handle) -> None:
        x = T.match_buffer(a, (inputs,), codes, offset_factor=1)
        w = T.match_buffer(b, (outputs, inputs), "int8", offset_factor=1)
        y = T.match_buffer(c, (outputs,), "int32", offset_factor=1, scope="local")
        with T.sblock("root"):
            T.reads(y[0:outputs], x[0:inputs], w[0:outputs, 0:inputs])
            T.writes(y[0:outputs])
            for o in T.serial(0, outputs):
                for i in T.serial(0, inputs):
                    with T.sblock("update"):
                        vo, vi = T.axis.remap("SR", [o, i])
                        y[vo] = y[vo] + T.cast(x[vi], "int32") * T.cast(w[vo, vi], "int32")

    return step


def _vpmaddwd() -> Any:
    from tvm.script import tirx as T

    @T.prim_func(s_tir=True)  # type: ignore[untyped-decorator]
    def step(a: T.handle, b: T.handle, c: T.handle) -> None:
        x = T.match_buffer(a, (2,), "int16", offset_factor=1)
        w = T.match_buffer(b, (8, 2), "int8", offset_factor=1)
        y = T.match_buffer(c, (8,), "int32", offset_factor=1, scope="local")
        with T.sblock("root"):
            T.reads(y[0:8], x[0:2], w[0:8, 0:2])
            T.writes(y[0:8])
            y[T.ramp(T.int32(0), 1, 8)] = y.vload([0], dtype="int32x8") + T.call_llvm_pure_intrin(
                T.llvm_lookup_intrinsic_id("llvm.x86.avx2.pmadd.wd"),
                T.reinterpret(
                    T.broadcast(T.reinterpret(x.vload([0], dtype="int16x2"), dtype="int32"), 8), dtype="int16x16"
                ),
                T.cast(w.vload([0, 0], dtype="int8x16"), "int16x16"),
                dtype="int32x8",
            )

    return step


def _sdot() -> Any:
    from tvm.script import tirx as T

    @T.prim_func(s_tir=True)  # type: ignore[untyped-decorator]
    def step(a: T.handle, b: T.handle, c: T.handle) -> None:
        x = T.match_buffer(a, (4,), "int8", offset_factor=1)
        w = T.match_buffer(b, (4, 4), "int8", offset_factor=1)
        y = T.match_buffer(c, (4,), "int32", offset_factor=1, scope="local")
        with T.sblock("root"):
            T.reads(y[0:4], x[0:4], w[0:4, 0:4])
            T.writes(y[0:4])
            y[T.ramp(T.int32(0), 1, 4)] = T.call_llvm_pure_intrin(
                T.llvm_lookup_intrinsic_id("llvm.aarch64.neon.sdot.v4i32.v16i8"),
                y.vload([0], dtype="int32x4"),
                w.vload([0, 0], dtype="int8x16"),
                T.reinterpret(
                    T.broadcast(T.reinterpret(x.vload([0], dtype="int8x4"), dtype="int32"), 4), dtype="int8x16"
                ),
                dtype="int32x4",
            )

    return step


def _dp4a() -> Any:
    from tvm.script import tirx as T

    @T.prim_func(s_tir=True)  # type: ignore[untyped-decorator]
    def step(a: T.handle, b: T.handle, c: T.handle) -> None:
        x = T.match_buffer(a, (4,), "int8", offset_factor=1)
        w = T.match_buffer(b, (4, 4), "int8", offset_factor=1)
        y = T.match_buffer(c, (4,), "int32", offset_factor=1, scope="local")
        with T.sblock("root"):
            T.reads(y[0:4], x[0:4], w[0:4, 0:4])
            T.writes(y[0:4])
            for o in T.unroll(4):
                y[o] = T.call_pure_extern(
                    "__dp4a", x.vload([0], "int8x4"), w.vload([o, 0], "int8x4"), y[o], dtype="int32"
                )

    return step
