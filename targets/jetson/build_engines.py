#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TensorRT engines of a bundle's modes, built on the Jetson itself: an engine is tied to the GPU that it was built on.

    python3 tensorrt/build_engines.py [--out DIR]

Needs JetPack's own Python with its tensorrt, and nothing else. All engines run in one scratch buffer (device memory),
as large as the greediest needs. Weights are another matter: TensorRT packs a copy of them into every engine, so modes
do not share them here, as they do in the TVM library; engines.json says how many bytes that costs. TensorRT rounds in
its own way: its results are compared with the bundle's by class, not bit for bit.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import sys
import time
from array import array
from pathlib import Path
from typing import Any

BUNDLE = Path(__file__).resolve().parent.parent
COPY_TO_DEVICE, COPY_TO_HOST = 1, 2


class Cuda:
    """The few calls of CUDA's runtime that one inference takes."""

    def __init__(self) -> None:
        try:
            self.library = ctypes.CDLL("libcudart.so")
        except OSError as error:
            raise SystemExit(
                f"error: no CUDA runtime ({error}): run this on the Jetson, with JetPack installed"
            ) from error

    def check(self, status: int, doing: str) -> None:
        """End with one line where CUDA reports an error."""
        if status:
            self.library.cudaGetErrorString.restype = ctypes.c_char_p
            raise SystemExit(f"error: CUDA cannot {doing}: {self.library.cudaGetErrorString(status).decode()}")

    def allocate(self, size: int) -> int:
        """Memory of the GPU, as an address."""
        pointer = ctypes.c_void_p()
        self.check(self.library.cudaMalloc(ctypes.byref(pointer), ctypes.c_size_t(max(size, 1))), f"give {size} bytes")
        return pointer.value or 0

    def copy(self, to: int, source: int, size: int, kind: int) -> None:
        """Copy bytes to the GPU (kind 1) or back (kind 2)."""
        arguments = (ctypes.c_void_p(to), ctypes.c_void_p(source), ctypes.c_size_t(size), kind)
        self.check(self.library.cudaMemcpy(*arguments), "copy")

    def synchronise(self) -> None:
        """Wait for everything that was started."""
        self.check(self.library.cudaDeviceSynchronize(), "finish an inference")


def build_engine(trt: Any, logger: Any, onnx: Path, out: Path) -> bytes:
    """One mode's engine, from its quantised ONNX file."""
    builder = trt.Builder(logger)
    # In TensorRT 8 and 9 an explicit batch must be asked for; 10 knows nothing else.
    explicit = getattr(trt.NetworkDefinitionCreationFlag, "EXPLICIT_BATCH", None)
    major = int(trt.__version__.split(".")[0])
    network = builder.create_network(0 if explicit is None or major >= 10 else 1 << int(explicit))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(onnx.read_bytes()):
        raise SystemExit(f"error: TensorRT {trt.__version__} cannot read {onnx.name}: {parser.get_error(0)}")
    config = builder.create_builder_config()
    config.set_flag(trt.BuilderFlag.INT8)
    serialised = builder.build_serialized_network(network, config)
    if serialised is None:
        raise SystemExit(f"error: TensorRT builds no engine of {onnx.name}: see the lines above")
    engine = bytes(serialised)
    partial = out.with_suffix(".partial")
    partial.write_bytes(engine)
    partial.replace(out)
    return engine


def scratch_of(engine: Any) -> int:
    """Bytes of device memory that an inference needs beside weights, input and output."""
    return int(getattr(engine, "device_memory_size_v2", None) or engine.device_memory_size)


def context_in(trt: Any, engine: Any, scratch: int, size: int) -> Any:
    """An execution context that takes its memory from the shared buffer."""
    strategies = getattr(trt, "ExecutionContextAllocationStrategy", None)
    if strategies is not None:
        context = engine.create_execution_context(strategies.USER_MANAGED)
    else:
        context = engine.create_execution_context_without_device_memory()
    if hasattr(context, "set_device_memory"):
        context.set_device_memory(scratch, size)
    else:
        context.device_memory = scratch
    return context


class Bench:
    """Input and output on the device, and the bundle's self-test as what to run."""

    def __init__(self, cuda: Cuda, manifest: dict[str, Any]) -> None:
        self.cuda = cuda
        self.test = manifest["self_test"]
        self.input, self.output = manifest["input"], manifest["output"]
        codes = array("b", (BUNDLE / self.test["inputs"]).read_bytes())
        scale, zero_point = self.input["scale"], self.input["zero_point"]
        self.values = array("f", [(code - zero_point) * scale for code in codes])
        self.device_input = cuda.allocate(4 * self.input["size"])
        self.device_output = cuda.allocate(4 * self.output["size"])

    def run(self, trt: Any, engine: Any, context: Any, expected: bytes) -> tuple[int, float]:
        """Images whose class agrees with the bundle's, and mean microseconds of an inference, copies apart."""
        for index in range(engine.num_io_tensors):
            name = engine.get_tensor_name(index)
            is_input = engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
            context.set_tensor_address(name, self.device_input if is_input else self.device_output)
        size, outputs = self.input["size"], self.output["size"]
        agreed, spent = 0, 0.0
        for image in range(self.test["samples"]):
            part = self.values[image * size : (image + 1) * size]
            self.cuda.copy(self.device_input, part.buffer_info()[0], 4 * size, COPY_TO_DEVICE)
            start = time.perf_counter()
            if not context.execute_async_v3(0):
                raise SystemExit("error: TensorRT refuses to run an engine: see the lines above")
            self.cuda.synchronise()
            spent += time.perf_counter() - start
            got = array("f", bytes(4 * outputs))
            self.cuda.copy(got.buffer_info()[0], self.device_output, 4 * outputs, COPY_TO_HOST)
            wanted = array("b", expected[image * outputs : (image + 1) * outputs])
            agreed += max(range(outputs), key=got.__getitem__) == max(range(outputs), key=wanted.__getitem__)
        return agreed, 1e6 * spent / max(1, self.test["samples"])


def summary(modes: list[dict[str, Any]], weights: int) -> dict[str, Any]:
    """What the engines cost together.

    Args:
        weights: bytes of the TVM library's weights, which all its modes share.
    """
    scratch = [mode["scratch_bytes"] for mode in modes]
    engines = [mode["engine_bytes"] for mode in modes]
    return {
        "scratch_bytes": max(scratch),
        "scratch_bytes_if_not_shared": sum(scratch),
        "engine_bytes": sum(engines),
        "engine_bytes_of_the_greatest": max(engines),
        "weights": f"every engine holds a copy of its own; the TVM library's modes share {weights} bytes",
    }


# What of manifest.json is read here, and its types.
MODE = {"name": str, "onnx": str, "expected": str}
NEEDED: dict[str, Any] = {
    "modes": [MODE],
    "input": {"size": int, "scale": (int, float), "zero_point": int},
    "output": {"size": int},
    "self_test": {"inputs": str, "samples": int},
    "weights_bytes": int,
}


def read_manifest() -> dict[str, Any]:
    """The bundle's manifest.json; ends with one line where it is none."""
    place = BUNDLE / "manifest.json"
    try:
        found: dict[str, Any] = json.loads(place.read_text())
        lacking = missing(found, NEEDED)
    except ValueError as error:
        lacking = str(error)
    if lacking:
        raise SystemExit(f"error: {place} is damaged ({lacking}): copy the bundle again")
    return found


def missing(found: object, needed: Any, name: str = "it") -> str:
    """What a document lacks of what is needed, or has in another form; nothing where all is there."""
    if isinstance(needed, list):
        rows = found if isinstance(found, list) and found else [None]
        return next((said for row in rows if (said := missing(row, needed[0], f"one of {name}"))), "")
    if isinstance(needed, dict):
        if not isinstance(found, dict):
            return f"{name} is no table"
        lacks = (missing(found[key], needed[key], key) if key in found else f"{name} lacks {key}" for key in needed)
        return next(filter(None, lacks), "")
    return "" if isinstance(found, needed) and not isinstance(found, bool) else f"{name} is of another type"


def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Build and check one TensorRT engine for each mode of this bundle.")
    parser.add_argument("--out", type=Path, default=Path("engines"), help="where the engines go (default: ./engines)")
    out = parser.parse_args().out
    try:
        return build_all(read_manifest(), out)
    except OSError as error:
        what = (error.strerror or str(error)).lower()
        way = "name another folder with --out, or run this script where it lies in the bundle"
        print(f"error: {error.filename or out}: {what}: {way}", file=sys.stderr)
    return 2


def build_all(manifest: dict[str, Any], out: Path) -> int:
    """Builds and runs an engine for each mode, and writes engines.json; returns the exit status."""
    try:
        import tensorrt as trt
    except ImportError:
        print("error: no tensorrt in this Python: use JetPack's python3, on the Jetson", file=sys.stderr)
        return 2
    cuda = Cuda()
    logger = trt.Logger(trt.Logger.WARNING)
    out.mkdir(parents=True, exist_ok=True)
    runtime, engines = trt.Runtime(logger), []
    for mode in manifest["modes"]:
        print(f"building {mode['name']}", file=sys.stderr, flush=True)
        plan = build_engine(trt, logger, BUNDLE / mode["onnx"], out / f"{mode['name']}.engine")
        engines.append((mode, runtime.deserialize_cuda_engine(plan), len(plan)))
    size = max(scratch_of(engine) for _, engine, _ in engines)
    scratch = cuda.allocate(size)
    bench, results = Bench(cuda, manifest), []
    for mode, engine, plan_bytes in engines:
        context = context_in(trt, engine, scratch, size)
        agreed, latency = bench.run(trt, engine, context, (BUNDLE / mode["expected"]).read_bytes())
        figures = {
            "name": mode["name"],
            "engine_bytes": plan_bytes,
            "scratch_bytes": scratch_of(engine),
            "same_class": agreed,
            "samples": manifest["self_test"]["samples"],
            "latency_us": round(latency, 1),
        }
        results.append(figures)
        print(json.dumps(figures), flush=True)
    report = {"tensorrt": trt.__version__, "modes": results, **summary(results, manifest["weights_bytes"])}
    (out / "engines.json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(summary(results, manifest["weights_bytes"])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
