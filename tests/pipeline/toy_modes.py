# SPDX-License-Identifier: Apache-2.0
"""Two tiny modes compiled by TVM, with one weight between them: enough for everything around a bundle."""

from __future__ import annotations

import dataclasses
import platform
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dimmer.pipeline.tvm.parts import ModuleMode, Modules, SelfTest, TableTensor, TableWeight
from dimmer.pipeline.tvm.runtime import installed_versions
from dimmer.targets import Target

Int8 = npt.NDArray[np.int8]

SHAPE = (1, 4, 5, 3)
NAMES = ("88", "80")
SAMPLES = 100
TRIPLES = {
    "aarch64": {"kind": "llvm", "mtriple": "aarch64-linux-gnu", "mcpu": "cortex-a78"},
    "x86_64": {"kind": "llvm"},
}


def offsets() -> Int8:
    return np.arange(-30, 30, dtype=np.int8).reshape(SHAPE)


def expected(inputs: Int8, mode: str) -> Int8:
    """int8[N,4,5,3] -> int8[N,3]: the offsets are added once, or twice, and the greatest pixel of a channel wins."""
    wide = inputs.astype(np.int32) + offsets().astype(np.int32) * (2 if mode == "88" else 1)
    clipped: Int8 = np.clip(wide, -128, 127).max((1, 2)).astype(np.int8)
    return clipped


def toy_self_test() -> SelfTest:
    inputs = np.random.default_rng(1).integers(-128, 128, (SAMPLES, *SHAPE[1:]), np.int8)
    return SelfTest(SAMPLES, inputs.tobytes(), {name: expected(inputs, name).tobytes() for name in NAMES})


def toy_modules(machine: str, out: Path) -> Modules:
    """Compiles the modes for a machine into ``out``."""
    import tvm
    from tvm import relax

    out.mkdir(parents=True, exist_ok=True)
    builder = relax.BlockBuilder()
    for name in NAMES:
        image = relax.Var("image", relax.TensorType(SHAPE, "int8"))
        offset = relax.Var("offset", relax.TensorType(SHAPE, "int8"))
        with builder.function(f"mode_{name}", [image, offset]):
            wide, more = (builder.emit(relax.op.astype(var, "int32")) for var in (image, offset))
            for _ in range(2 if name == "88" else 1):
                wide = builder.emit(relax.op.add(wide, more))
            clipped = builder.emit(relax.op.clip(wide, -128, 127))
            best = builder.emit(relax.op.max(clipped, axis=[1, 2]))
            builder.emit_func_output(builder.emit(relax.op.astype(best, "int8")))
    target = tvm.target.Target(TRIPLES[machine])
    with target:
        module = relax.get_pipeline("zero")(builder.get())
        executable = tvm.compile(module, target=target)
    library = out / "dimmer_modes.so"
    options: dict[str, Any] = {}
    if machine != platform.machine():
        options["fcompile"] = tvm.support.cc.cross_compiler(f"{machine}-linux-gnu-gcc")
    executable.export_library(str(library), **options)
    # Behind something else, and so at an address that is not aligned.
    (out / "weights.bin").write_bytes(b"\0\0\0" + offsets().tobytes())
    modes = []
    for name in NAMES:
        onnx = out / f"{name}.onnx"
        onnx.write_bytes(b"not read here")
        modes.append(ModuleMode(name, f"mode_{name}", (0,), onnx))
    return Modules(
        library=library,
        weights_file=out / "weights.bin",
        tvm_version=installed_versions()["apache-tvm"],
        input=TableTensor(SHAPE, 1 / 255, -128),
        output=TableTensor((1, 3), 0.125, 3),
        modes=tuple(modes),
        weights=(TableWeight("offset", "int8", SHAPE, 3, 60),),
    )


def native(target: Target) -> Target:
    """The Jetson's target, compiled for and run on this machine."""
    toolchain = dataclasses.replace(target.toolchain, compilers=("gcc",), flags=("-O1",), packages={})
    runner = dataclasses.replace(target.runner, command=("{elf}", "{arguments}"), packages={})
    return dataclasses.replace(target, toolchain=toolchain, runner=runner)
