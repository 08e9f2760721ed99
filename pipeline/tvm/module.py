# SPDX-License-Identifier: Apache-2.0
"""Modes as one TVM library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.firmware_gen.graph.passes import Network, prepare
from dimmer.firmware_gen.graph.slices import resolve_slices
from dimmer.firmware_gen.graph.types import Conv2d, DepthwiseConv2d, FullyConnected, Graph, Operator, Tensor
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.tvm.cuda import Sources, machine_code, schedule_gpu
from dimmer.pipeline.tvm.document import (
    GPU_CODE,
    GPU_LIBRARY,
    LIBRARY,
    GpuEntry,
    ModeEntry,
    ModulesDocument,
    load_modules,
)
from dimmer.pipeline.tvm.dot import CUDA, Dot, dot_of
from dimmer.pipeline.tvm.lowering import Lowering
from dimmer.pipeline.tvm.parts import Modules, TableTensor
from dimmer.pipeline.tvm.qdq import write_qdq
from dimmer.pipeline.tvm.schedule import schedule
from dimmer.pipeline.tvm.targets import TvmTarget
from dimmer.pipeline.tvm.weights import Weights, packed_weights
from dimmer.project import cache_folder


def relax_module(modes: Mapping[str, Path], dot: Dot) -> tuple[Any, Weights, tuple[Network, ...]]:
    """One function a mode, `mode_<index>`, operators as loops that are fused but not scheduled.

    Args:
        modes: name -> `.tflite`, the most expensive first.

    Raises:
        DimmerError: TVM is not installed, or an operator cannot be lowered.
        FirmwareGenError: a file is damaged.
    """
    try:
        from tvm import relax
    except ImportError as error:
        raise DimmerError("apache-tvm is not installed: type pip install 'dimmer-nn[tvm]'") from error

    graphs = resolve_slices([read_tflite(path) for path in modes.values()])
    for graph in graphs:
        if graph.inputs or graph.outputs:
            raise DimmerError(f"{graph.source}: has several inputs or outputs; TVM modes have one of each: take C")
    networks = tuple(prepare(graph) for graph in graphs)
    weights = Weights()
    for network in networks:
        for operator in network.graph.operators:
            if isinstance(operator.options, Conv2d | DepthwiseConv2d | FullyConnected):
                _check(network.graph, operator)
                name = network.graph.tensors[operator.inputs[1]].name
                weights.add(name, packed_weights(network.graph, operator, dot))
    builder = relax.BlockBuilder()
    for index, network in enumerate(networks):
        _emit(builder, f"mode_{index}", network, weights, dot)
    return relax.get_pipeline("zero")(builder.get()), weights, networks


def build_modules(modes: Mapping[str, Path], target: TvmTarget, out: Path, tuned: Path | None = None) -> Modules:
    """Compiles modes into one library in ``out``.

    Args:
        modes: name -> `.tflite`, the most expensive first.
        tuned: the database of tuning, if there is one.

    Raises:
        DimmerError: TVM is not installed, an operator cannot be lowered, or the cross compiler is missing.
        FirmwareGenError: a file is damaged.
    """
    import_tvm()
    import tvm

    out.mkdir(parents=True, exist_ok=True)
    processor = target.processor()
    dot = dot_of(processor)
    with processor:
        module, weights, networks = relax_module(modes, dot)
        executable = tvm.compile(schedule(module, dot, tuned), target=processor)
    link(executable, target, out / LIBRARY)
    weights.write(out)
    gpu = None if target.cuda is None else _build_gpu(modes, target, target.cuda, weights, out)
    for name, path in modes.items():
        write_qdq(read_tflite(path), out / f"{name}.onnx")
    first = networks[0].graph
    ModulesDocument(
        tvm=tvm.__version__,
        triple=target.triple,
        tuned=tuned is not None,
        gpu=gpu,
        input=_described(first.tensors[first.input]),
        output=_described(first.tensors[first.output]),
        modes=tuple(ModeEntry(name, f"mode_{index}", f"{name}.onnx") for index, name in enumerate(modes)),
    ).save(out)
    return load_modules(out)


def _build_gpu(modes: Mapping[str, Path], target: TvmTarget, tag: str, weights: Weights, out: Path) -> GpuEntry:
    """The same modes for the GPU, on the same weights; gives what modules.json tells of them."""
    import tvm

    gpu = tvm.target.Target(tag)
    with gpu, Sources() as sources:
        module, taken, _ = relax_module(modes, CUDA)
        if [array.tobytes() for array in taken.arrays] != [array.tobytes() for array in weights.arrays]:
            raise DimmerError(f"{target.name}: its processor and its GPU read weights in another order; report it")
        executable = tvm.compile(schedule_gpu(module), target=gpu)
    (out / GPU_CODE).write_bytes(machine_code(sources.text, gpu.attrs["arch"], cache_folder()))
    link(executable, target, out / GPU_LIBRARY)
    return GpuEntry(str(gpu.attrs["arch"]), GPU_LIBRARY, GPU_CODE)


class Runner:
    """The modes of a library that is for this machine.

    Args:
        folder: what `build_modules` left.
    """

    def __init__(self, folder: Path) -> None:
        import numpy as np
        import tvm

        self.modules = load_modules(folder)
        blob = self.modules.weights_file.read_bytes()
        self.weights = [
            tvm.runtime.tensor(np.frombuffer(blob, w.dtype, w.size, w.offset).reshape(w.shape))
            for w in self.modules.weights
        ]
        self.machine = tvm.relax.VirtualMachine(tvm.runtime.load_module(str(self.modules.library)), tvm.cpu())

    def function(self, mode: str) -> Callable[[Any], Any]:
        """A TVM tensor of an image -> a TVM tensor of the output."""
        function = self.machine[next(entry.function for entry in self.modules.modes if entry.name == mode)]
        return lambda image: function(image, *self.weights)

    def outputs(self, mode: str, inputs: bytes) -> bytes:
        """What a mode makes of inputs, one after the other."""
        import numpy as np
        import tvm

        function = self.function(mode)
        images = np.frombuffer(inputs, np.int8).reshape(-1, *self.modules.input.shape)
        return b"".join(function(tvm.runtime.tensor(image)).numpy().tobytes() for image in images)


def mismatches(folder: Path, modes: Sequence[ModeSource], inputs: bytes) -> dict[str, int]:
    """Mode -> inputs whose output differs in any bit from the reference interpreter's."""
    from dimmer.pipeline.oracle.interpreter import reference_outputs

    runner = Runner(folder)
    size = runner.modules.output.size
    found = {}
    for mode in modes:
        got, expected = runner.outputs(mode.name, inputs), reference_outputs(mode.path, inputs)
        found[mode.name] = sum(got[at : at + size] != expected[at : at + size] for at in range(0, len(expected), size))
    return found


def import_tvm() -> None:
    """Raises DimmerError where TVM is not installed."""
    try:
        import tvm  # noqa: F401
    except ImportError as error:
        raise DimmerError("apache-tvm is not installed: type pip install 'dimmer-nn[tvm]'") from error


def link(executable: Any, target: TvmTarget, library: Path) -> None:
    """What TVM compiled, as a shared library.

    Raises:
        DimmerError: the C compiler is missing, or complains.
    """
    import tvm

    # TVM starts the compiler itself.
    children.share()
    children.watch()
    options: dict[str, Any] = {}
    if not target.is_native:
        options["fcompile"] = tvm.support.cc.cross_compiler(f"{target.triple}-gcc")
    try:
        executable.export_library(str(library), **options)
    except (RuntimeError, OSError) as error:
        said = [line.strip() for line in str(error).splitlines() if "cannot" in line or "error:" in line]
        why = said[0] if said else str(error).splitlines()[0]
        raise DimmerError(f"{target.triple}-gcc cannot link the modes: {why}") from error


def _described(tensor: Tensor) -> TableTensor:
    return TableTensor(tuple(tensor.shape), tensor.q.scale, tensor.q.zero_point)


def _check(graph: Graph, operator: Operator) -> None:
    if graph.tensors[operator.inputs[1]].data is None:
        raise DimmerError(f"{graph.where(operator)} computes its weights; TVM modes take constant ones only")


def _emit(builder: Any, function: str, network: Network, weights: Weights, dot: Dot) -> None:
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
        lowering = Lowering(builder, network, weights, parameters, dot)
        with builder.dataflow():
            for operator in graph.operators:
                made[network.storage[operator.output]] = lowering.emit(operator, made)
            value = lowering.shaped(made[network.storage[graph.output]], graph.tensors[graph.output].shape)
            result = builder.emit_output(value)
        builder.emit_func_output(result)
