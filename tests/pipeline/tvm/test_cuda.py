# SPDX-License-Identifier: Apache-2.0
"""The GPU's kernels, whose source runs here thread by thread: bit for bit what the processor computes."""

from __future__ import annotations

import ctypes
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.tvm.cuda import Sources, apply_gpu, machine_code
from dimmer.pipeline.tvm.dot import CUDA
from dimmer.pipeline.tvm.module import relax_module
from dimmer.pipeline.tvm.targets import TARGETS
from dimmer.project import cache_folder
from tests.pipeline.tvm.networks import network

pytestmark = pytest.mark.xdist_group("tvm")
Array = npt.NDArray[Any]

# What CUDA has and C has not. Kernels neither share memory nor wait for each other, so threads may run in any order.
C_FOR_CUDA = """
#include <math.h>
#include <stdalign.h>
#include <stdint.h>
#define __global__
#define __launch_bounds__(n)
#define __restrict__
#define max(a, b) ((a) > (b) ? (a) : (b))
#define min(a, b) ((a) < (b) ? (a) : (b))
typedef unsigned int uint;
typedef struct { int x, y, z; } place_t;
static place_t blockIdx, threadIdx;
static int __dp4a(int a, int b, int c) {
    for (int i = 0; i < 4; ++i) c += (int8_t)(a >> 8 * i) * (int8_t)(b >> 8 * i);
    return c;
}
"""


def threads_of(function: Any) -> list[dict[str, int]]:
    """Extent of every axis of threads, for each kernel of a scheduled function."""
    import tvm_ffi
    from tvm import tirx

    kernels: list[dict[str, int]] = []

    def visit(node: Any) -> None:
        if node.thread_binding is not None:
            axis = str(node.thread_binding.thread_tag)
            if axis.startswith("blockIdx") and (not kernels or axis in kernels[-1] or "threadIdx.x" in kernels[-1]):
                kernels.append({})
            kernels[-1][axis] = int(node.extent)

    tvm_ffi.structural_walk(function.body, (tirx.For, visit), order="pre")
    return kernels


def emulator(source: str, function: Any, folder: Path) -> Any:
    """The kernels of a function as one C function of its buffers."""
    kernels = source[source.index('extern "C" __global__') :].replace('extern "C" ', "")
    signatures = re.findall(r"^__global__ void __launch_bounds__\(\d+\) (\w+)\(([^)]*)\) \{", kernels, re.MULTILINE)
    inner = {buffer.name: buffer for buffer in function.body.block.alloc_buffers if buffer.scope() == "global"}
    outer = [buffer.name for buffer in function.params]
    lines = [C_FOR_CUDA, kernels, "void emulate(void **buffers) {"]
    for name, buffer in inner.items():
        size = int(np.prod([int(n) for n in buffer.shape]))
        lines.append(f"static int8_t {name}[{size}] __attribute__((aligned(16)));")
    extents = threads_of(function)
    assert len(extents) == len(signatures) >= 1
    for (name, parameters), axes in zip(signatures, extents, strict=True):
        passed = []
        for parameter in re.findall(r"(\w+)_ptr", parameters):
            passed.append(parameter if parameter in inner else f"buffers[{outer.index(parameter)}]")
        loops = "".join(f"for ({axis} = 0; {axis} < {extent}; ++{axis}) " for axis, extent in axes.items())
        lines.append(f"{loops}{name}({', '.join(passed)});")
    lines.append("}")
    path = folder / "kernels.c"
    path.write_text("\n".join(lines))
    library = folder / "kernels.so"
    command = ["gcc", "-std=gnu99", "-O1", "-w", "-ffp-contract=off", "-fwrapv", "-shared", "-fPIC", str(path), "-lm"]
    subprocess.run([*command, "-o", str(library)], check=True)
    return ctypes.CDLL(str(library)).emulate


def operands(function: Any, random: np.random.Generator) -> list[Array]:
    """Random codes; of a convolution's int32 parameters the first is the bias, then multipliers, then shifts."""
    made: list[Array] = []
    numbers = iter([(-4000, 4000), (1 << 30, (1 << 31) - 1), (-14, -6)])
    for buffer in function.params:
        shape, dtype = [int(n) for n in buffer.shape], str(buffer.dtype)
        if dtype == "float64":
            made.append(random.uniform(1e-4, 1e-2, shape))
        else:
            low, high = (-128, 128) if dtype == "int8" else next(numbers)
            made.append(random.integers(low, high, shape).astype(dtype))
    return made


@pytest.mark.parametrize(
    "kind",
    [
        "strided and padded",
        "dense",
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("sum of two convolutions", "mean", "rescaled")),
    ],
)
def test_kernels_compute_what_the_processor_does(kind: str, tmp_path: Path) -> None:
    tvm = pytest.importorskip("tvm", reason="needs apache-tvm")
    path = tmp_path / "network.tflite"
    path.write_bytes(network(kind))
    gpu, processor = tvm.target.Target(TARGETS["jetson"].cuda), TARGETS["host"].processor()
    with gpu:
        module, _, _ = relax_module({"8": path}, CUDA)
    ran = 0
    for variable, function in module.functions.items():
        if not isinstance(function, tvm.tirx.PrimFunc):
            continue
        alone = tvm.IRModule({"main": function.with_attr("global_symbol", "main")})
        schedule = tvm.s_tir.Schedule(alone)
        apply_gpu(schedule)
        with gpu, Sources() as sources:
            tvm.tirx.build(schedule.mod, target=gpu)
        folder = tmp_path / variable.name_hint
        folder.mkdir()
        emulate = emulator(sources.text, schedule.mod["main"], folder)
        arrays = operands(function, np.random.default_rng(7))
        tensors = [tvm.runtime.tensor(array) for array in arrays]
        tvm.tirx.build(alone, target=processor)["main"](*tensors)
        emulate((ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays]))
        assert arrays[-1].tobytes() == tensors[-1].numpy().tobytes(), variable.name_hint
        ran += 1
    assert ran


def test_a_source_that_is_refused_is_one_line() -> None:
    with pytest.raises(DimmerError, match="TVM made no CUDA kernels"):
        machine_code("int x;", "sm_87", cache_folder())


@pytest.mark.slow
def test_machine_code_is_for_the_architecture_and_errors_are_one_line(tmp_path: Path) -> None:
    kernel = 'extern "C" __global__ void f(signed char* x) { x[threadIdx.x] = %s; }'
    try:
        code = machine_code(kernel % "1", "sm_87", cache_folder())
    except DimmerError as error:
        if "cannot be had" not in str(error):
            raise
        pytest.skip(str(error))
    assert code[:4] == b"\x7fELF"
    assert (int.from_bytes(code[48:52], "little") >> 8) & 0xFF == 87
    with pytest.raises(DimmerError, match=r"NVIDIA's compiler refuses the modes: .*lamp"):
        machine_code(kernel % "lamp", "sm_87", cache_folder())
