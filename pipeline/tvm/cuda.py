# SPDX-License-Identifier: Apache-2.0
"""The modes for a GPU: the same integer loops, one thread for a few output channels of a pixel, as CUDA machine code.

NVIDIA's run-time compiler, from its PyPI wheel, makes the machine code here, so that the board needs no compiler and no
GPU is needed to build. TVM keeps CUDA as source and asks a function of a fixed name for machine code when it loads the
library; on the board that function gives the file that was made here (`targets/linux/tvm_engine.c`).
"""

from __future__ import annotations

import ctypes
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from dimmer.errors import DimmerError
from dimmer.pipeline.tvm.dot import CUDA, register
from dimmer.pipeline.tvm.wheels import fetch

NVRTC = "nvidia-cuda-nvrtc"
NVRTC_VERSION = "13.5.37"
"""Of the CUDA generation that TVM's wheels are linked with: libcudart.so.13."""

THREADS = 128  # of a block, at most
_KERNELS = 'extern "C" __global__'
# What the kernels use of TVM's preamble, which wants headers of the CUDA toolkit.
_PREAMBLE = "typedef long long int64_t;\ntypedef unsigned int uint;\n"


def schedule_gpu(module: Any) -> Any:
    """Binds the loops of all PrimFuncs to threads."""
    import tvm
    from tvm import tirx

    for variable, function in module.functions.items():
        if isinstance(function, tirx.PrimFunc):
            sch = tvm.s_tir.Schedule(tvm.IRModule({"main": function}))
            apply_gpu(sch)
            module.update_func(variable, sch.mod["main"].with_attr("global_symbol", variable.name_hint))
    return module


def apply_gpu(sch: Any) -> None:
    """Schedules the one function of ``sch``."""
    from dimmer.pipeline.tvm.schedule import extent, has_dot, reductions

    names = {sch.get(block).name_hint: block for block in sch.get_child_blocks(sch.get_sblock("root"))}
    last = list(names)[-1]
    for name, block in list(names.items()):
        if name not in ("sums", "padded", "sliced", last):
            sch.compute_inline(block)
    for name in ("padded", "sliced", *([] if "sums" in names else [last])):
        if name in names:
            _bind(sch, sch.get_loops(names[name]))
    if "sums" not in names:
        return
    sums, codes = names["sums"], names[last]
    sch.set_scope(sums, 0, "local")
    if has_dot(sch, sums):
        _, y, x, o, rows, columns, steps, lanes = sch.get_loops(sums)
        o, channel = sch.split(o, [None, CUDA.outputs])
        across = divisor(extent(sch, x), THREADS // extent(sch, o) or 1)
        x, pixel = sch.split(x, [None, across])
        sch.reorder(y, x, pixel, o, rows, columns, steps, channel, lanes)
        # Not one fused loop: TVM could not tell a step of the dot product in it.
        for loop, axis in ((y, "blockIdx.y"), (x, "blockIdx.x"), (pixel, "threadIdx.y"), (o, "threadIdx.x")):
            sch.bind(loop, axis)
        sch.reverse_compute_at(codes, o)
        start = sch.decompose_reduction(sums, rows)
        sch.unroll(sch.get_loops(start)[-1])
        sch.tensorize(channel, register(CUDA))
        return
    summed = reductions(sch, sums)
    loops = sch.get_loops(sums)
    inner = [loop for loop in loops if sch.get(loop).loop_var.name in summed]
    outer = [loop for loop in loops if loop not in inner]
    sch.reorder(*outer, *inner)
    thread = _bind(sch, outer)
    sch.reverse_compute_at(codes, thread)
    sch.decompose_reduction(sums, inner[0])


def divisor(number: int, limit: int) -> int:
    """The greatest divisor of a number that is not over a limit."""
    return next(found for found in range(min(number, limit), 0, -1) if number % found == 0)


def _bind(sch: Any, loops: list[Any]) -> Any:
    """Spreads loops over blocks and threads; gives the loop of the threads."""
    fused = sch.fuse(*loops) if len(loops) > 1 else loops[0]
    block, thread = sch.split(fused, [None, THREADS])
    sch.bind(block, "blockIdx.x")
    sch.bind(thread, "threadIdx.x")
    return thread


class Sources:
    """The CUDA source that TVM makes while it compiles a module; the library keeps a remark in its place."""

    def __init__(self) -> None:
        self.text = ""

    def __enter__(self) -> Sources:
        import tvm_ffi

        def take(code: str, _target: Any) -> str:
            self.text = code
            return "// the machine code is the .cubin file beside this library\n"

        tvm_ffi.register_global_func("tvm_callback_cuda_postproc", take, override=True)
        return self

    def __exit__(self, *_: object) -> None:
        import tvm_ffi

        tvm_ffi.remove_global_func("tvm_callback_cuda_postproc")


def machine_code(source: str, architecture: str, cache: Path) -> bytes:
    """What NVIDIA's compiler makes of TVM's source.

    Args:
        architecture: "sm_87".
        cache: where the compiler is kept.

    Raises:
        DimmerError: the compiler cannot be had, or refuses.
    """
    at = source.find(_KERNELS)
    if at < 0:
        raise DimmerError("TVM made no CUDA kernels of the modes; report it")
    library = ctypes.CDLL(str(nvrtc(cache)))
    program = ctypes.c_void_p()
    text = (_PREAMBLE + source[at:]).encode()
    _check(library, library.nvrtcCreateProgram(ctypes.byref(program), text, b"dimmer_modes.cu", 0, None, None))
    try:
        # No contraction: the products of doubles are rounded as everywhere else.
        words = (f"--gpu-architecture={architecture}".encode(), b"--fmad=false", b"-default-device")
        status = library.nvrtcCompileProgram(program, len(words), (ctypes.c_char_p * len(words))(*words))
        if status:
            said = _text(library, program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog").decode(errors="replace")
            raise DimmerError(f"NVIDIA's compiler refuses the modes: {said.strip().splitlines()[0]}")
        return _text(library, program, "nvrtcGetCUBINSize", "nvrtcGetCUBIN")
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))


def nvrtc(cache: Path) -> Path:
    """NVIDIA's run-time compiler, from its wheel, kept in ``cache``.

    Raises:
        DimmerError: there is no such wheel for this machine, or no network, or it is not the one that is known.
    """
    folder = cache / f"{NVRTC}-{NVRTC_VERSION}"
    library = folder / "libnvrtc.so.13"
    if library.is_file():
        return library
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".nvrtc-") as work:
        wheel = fetch(NVRTC, NVRTC_VERSION, Path(work))
        partial = Path(work) / "unpacked"
        partial.mkdir()
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                if Path(member).name.startswith("libnvrtc"):
                    with archive.open(member) as source, (partial / Path(member).name).open("wb") as out:
                        shutil.copyfileobj(source, out)
        try:
            partial.rename(folder)
        except OSError:
            if not library.is_file():  # else another build was first
                raise
    return library


def _text(library: Any, program: Any, size_of: str, content_of: str) -> bytes:
    size = ctypes.c_size_t()
    _check(library, getattr(library, size_of)(program, ctypes.byref(size)))
    content = ctypes.create_string_buffer(size.value)
    _check(library, getattr(library, content_of)(program, content))
    return content.raw


def _check(library: Any, status: int) -> None:
    if status:
        library.nvrtcGetErrorString.restype = ctypes.c_char_p
        raise DimmerError(f"NVIDIA's compiler fails: {library.nvrtcGetErrorString(status).decode()}")
