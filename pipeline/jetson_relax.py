"""Modes as one TVM library: the checked integer graph of each `.tflite` as a Relax function, weights as parameters.

True integer arithmetic throughout: int8 x int8 sums in int32, rescaled in fixed point as TFLite's reference kernels do,
so a function equals the interpreter bit for bit on every machine.

`build_modules` leaves in its folder

    dimmer_modes.so      one function a mode: int8[1,H,W,C] and all weights -> the output
    weights.bin          all weights, equal ones once; weights.json says where each lies
    modules.json         tvm, triple, input, output, modes [{name, function, onnx}]
    <mode>.onnx          the mode with its scales as QuantizeLinear and DequantizeLinear
"""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware_gen.graph import Conv2d, DepthwiseConv2d, FullyConnected, Graph, Operator, Tensor
from firmware_gen.passes import Network, prepare
from firmware_gen.read_tflite import read_tflite
from firmware_gen.slices import resolve_slices
from pipeline.errors import DimmerError
from pipeline.jetson_lowering import Lowering, Weights, packed_weights
from pipeline.jetson_onnx import write_qdq
from pipeline.stage import atomic_write

LIBRARY = "dimmer_modes.so"
REDUCTIONS = ("rows", "columns", "inputs")  # axes of the convolutions' sums


@dataclass(frozen=True)
class TvmTarget:
    """What TVM compiles for.

    Attributes:
        machine: as `uname -m` says it.
        llvm: TVM's target.
    """

    machine: str
    triple: str
    llvm: dict[str, str]


TARGETS = {
    "jetson": TvmTarget(
        "aarch64",
        "aarch64-linux-gnu",
        {"kind": "llvm", "mtriple": "aarch64-linux-gnu", "mcpu": "cortex-a78ae"},
    ),
    "host": TvmTarget(platform.machine(), f"{platform.machine()}-linux-gnu", {"kind": "llvm"}),
}


@dataclass(frozen=True)
class TvmBundle:
    """What `build_modules` left."""

    folder: Path
    tvm_version: str
    triple: str
    functions: dict[str, str]


def build_modules(modes: dict[str, Path], target: str, out: Path) -> TvmBundle:
    """Compiles modes into one library in ``out``.

    Args:
        modes: name -> `.tflite`, the most expensive first.
        target: "jetson" or "host".

    Raises:
        DimmerError: TVM is not installed, an operator cannot be lowered, or the cross compiler is missing.
        FirmwareGenError: a file is damaged.
    """
    try:
        import tvm
        from tvm import relax
    except ImportError as error:
        raise DimmerError("apache-tvm is not installed: type './nox setup', which installs requirements.txt") from error

    chosen = TARGETS[target]
    out.mkdir(parents=True, exist_ok=True)
    graphs = resolve_slices([read_tflite(path) for path in modes.values()])
    networks = {name: prepare(graph) for name, graph in zip(modes, graphs, strict=True)}
    weights = Weights()
    for network in networks.values():
        for operator in network.graph.operators:
            if isinstance(operator.options, Conv2d | DepthwiseConv2d | FullyConnected):
                _check(network.graph, operator)
                weights.add(network.graph.tensors[operator.inputs[1]].name, packed_weights(network.graph, operator))
    builder = relax.BlockBuilder()
    functions = {}
    for index, (name, network) in enumerate(networks.items()):
        functions[name] = f"mode_{index}"
        _emit(builder, functions[name], network, weights)
    llvm = tvm.target.Target(chosen.llvm)
    with llvm:
        module = relax.get_pipeline("zero")(builder.get())
        module = _scheduled(module)
        executable = tvm.compile(module, target=llvm)
    options: dict[str, Any] = {}
    if chosen.machine != platform.machine():
        options["fcompile"] = tvm.support.cc.cross_compiler(f"{chosen.triple}-gcc")
    try:
        executable.export_library(str(out / LIBRARY), **options)
    except (RuntimeError, OSError) as error:
        raise DimmerError(f"{chosen.triple}-gcc cannot link the modes: {str(error).splitlines()[0]}") from error
    weights.write(out)
    first = next(iter(networks.values())).graph
    document = {
        "tvm": tvm.__version__,
        "triple": chosen.triple,
        "input": _described(first.tensors[first.input]),
        "output": _described(first.tensors[first.output]),
        "modes": [{"name": name, "function": function, "onnx": f"{name}.onnx"} for name, function in functions.items()],
    }
    for name, path in modes.items():
        write_qdq(read_tflite(path), out / f"{name}.onnx")
    atomic_write(out / "modules.json", json.dumps(document, indent=1) + "\n")
    return TvmBundle(out, tvm.__version__, chosen.triple, functions)


def _described(tensor: Tensor) -> dict[str, Any]:
    return {"shape": list(tensor.shape), "scale": tensor.q.scale, "zero_point": tensor.q.zero_point}


def _check(graph: Graph, operator: Operator) -> None:
    if graph.tensors[operator.inputs[1]].data is None:
        raise DimmerError(f"{graph.where(operator)} computes its weights; TVM modes take constant ones only")


def _emit(builder: Any, function: str, network: Network, weights: Weights) -> None:
    """One mode as a Relax function of the input and all weights."""
    from tvm import relax

    graph = network.graph
    image = relax.Var("image", relax.TensorType(graph.tensors[graph.input].shape, "int8"))
    parameters = [
        relax.Var(f"weight_{index}", relax.TensorType(array.shape, str(array.dtype)))
        for index, array in enumerate(weights.arrays)
    ]
    with builder.function(function, [image, *parameters]):
        made: dict[int, Any] = {network.storage[graph.input]: image}
        lowering = Lowering(builder, network, weights, parameters)
        with builder.dataflow():
            for operator in graph.operators:
                made[network.storage[operator.output]] = lowering.emit(operator, made)
            value = lowering.shaped(made[network.storage[graph.output]], graph.tensors[graph.output].shape)
            result = builder.emit_output(value)
        builder.emit_func_output(result)


def _scheduled(module: Any) -> Any:
    """The sums' loops reordered: output channels innermost, so that a row of weights meets one input code."""
    import tvm
    from tvm import tirx

    for variable, function in module.functions.items():
        if not isinstance(function, tirx.PrimFunc):
            continue
        schedule = tvm.s_tir.Schedule(tvm.IRModule({"main": function}))
        try:
            block = schedule.get_sblock("sums")
        except tvm.s_tir.ScheduleError:  # there is no such block: nothing is summed
            continue
        loops = schedule.get_loops(block)
        reductions = [loop for loop in loops if schedule.get(loop).loop_var.name.startswith(REDUCTIONS)]
        if not reductions:
            continue
        spatial = [loop for loop in loops if loop not in reductions]
        schedule.reorder(*spatial[:-1], *reductions, spatial[-1])
        schedule.decompose_reduction(block, reductions[0])
        module.update_func(variable, schedule.mod["main"].with_attr("global_symbol", variable.name_hint))
    return module
