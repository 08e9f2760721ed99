# SPDX-License-Identifier: Apache-2.0
"""Wall time of one mode on this machine's CPU, one thread, batch 1: TVM, onnxruntime and ai-edge-litert in one run.

python -m benchmarks.tvm_speed --model cifar10-r14
python -m benchmarks.tvm_speed --tflite FILE

All three compute the same int8 mode: TVM and ai-edge-litert from the `.tflite`, onnxruntime from the ONNX file with
QuantizeLinear and DequantizeLinear that a bundle holds. They take turns, so that what else the machine does hits all of
them; the time of each one's fastest turn and the median over its turns are told. Fails where TVM takes more than twice
onnxruntime's time.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.core.command import console, main_of, model_option, progress_bar
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.tvm.module import Runner, build_modules
from dimmer.pipeline.tvm.qdq import write_qdq
from dimmer.pipeline.tvm.targets import TARGETS

LIMIT = 2.0
"""Of onnxruntime's time, what TVM may take."""

Call = Callable[[], object]


@dataclass(frozen=True)
class Timing:
    """One engine's inference.

    Attributes:
        best_us: mean microseconds of an inference in the fastest turn.
        median_us: the median of the turns' means.
    """

    best_us: float
    median_us: float


def take_turns(engines: Mapping[str, Call], turns: int, inferences: int) -> dict[str, Timing]:
    """Times engines one after the other, again and again.

    Args:
        engines: name -> what runs one inference.
        inferences: of each engine in each turn.
    """
    means: dict[str, list[float]] = {name: [] for name in engines}
    for call in engines.values():  # caches, lazy allocations
        call()
    for _ in range(turns):
        for name, call in engines.items():
            start = time.perf_counter()
            for _ in range(inferences):
                call()
            means[name].append(1e6 * (time.perf_counter() - start) / inferences)
    return {name: Timing(min(found), statistics.median(found)) for name, found in means.items()}


def engines_of(tflite: Path, work: Path) -> dict[str, Call]:
    """TVM, onnxruntime and ai-edge-litert on one `.tflite`, each with one thread."""
    return {"tvm": _tvm(tflite, work), "onnxruntime": _onnxruntime(tflite, work), "ai-edge-litert": _litert(tflite)}


def _tvm(tflite: Path, work: Path) -> Call:
    import numpy as np
    import tvm

    build_modules({"mode": tflite}, TARGETS["host"], work)
    runner = Runner(work)
    function = runner.function("mode")
    image = tvm.runtime.tensor(np.zeros(runner.modules.input.shape, np.int8))
    return lambda: function(image)


def _onnxruntime(tflite: Path, work: Path) -> Call:
    import numpy as np
    import onnxruntime as ort

    path = work / "qdq.onnx"
    graph = read_tflite(tflite)
    write_qdq(graph, path)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feed = {"image": np.zeros(graph.tensors[graph.input].shape, np.float32)}
    return lambda: session.run(None, feed)


def _litert(tflite: Path) -> Call:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(tflite), num_threads=1)
    interpreter.allocate_tensors()
    return lambda: interpreter.invoke()


def main(
    model: Annotated[str, model_option] = "cifar10-r14",
    mode: Annotated[str | None, typer.Option("--mode", help="Of the model; its most expensive unless named.")] = None,
    tflite: Annotated[Path | None, typer.Option("--tflite", help="Instead of a model: any int8 file.")] = None,
    turns: Annotated[int, typer.Option("--turns", min=1, help="How often each engine's turn comes.")] = 2000,
    inferences: Annotated[int, typer.Option("--inferences", min=1, help="In each turn.")] = 1,
) -> None:
    """Time one mode with TVM, onnxruntime and ai-edge-litert; fail where TVM takes more than twice onnxruntime's."""
    from rich.table import Table

    os.environ["TVM_NUM_THREADS"] = "1"
    if tflite is None:
        from dimmer.pipeline.artifacts.converted import mode_sources

        modes = {source.name: source.path for source in mode_sources(build_folder(load_recipe(model)) / "convert")}
        name = next(iter(modes)) if mode is None else mode
        if name not in modes:
            raise DimmerError(f"{model} has no mode {name}: name one of {', '.join(modes)}")
        path, title = modes[name], f"{model} {name}"
    else:
        path, title = tflite, tflite.name
    with children.scratch() as work, progress_bar("speed") as progress:
        progress("compiling", 0.0)
        engines = engines_of(path, work)
        progress("taking turns", 0.5)
        found = take_turns(engines, turns, inferences)
    table = Table(title=f"{title}, one thread, microseconds", title_justify="left", title_style="bold")
    for column in ("engine", "best turn", "median turn", "of onnxruntime's best"):
        table.add_column(column, justify="left" if column == "engine" else "right")
    peer = found["onnxruntime"].best_us
    for name, timing in found.items():
        table.add_row(name, f"{timing.best_us:,.0f}", f"{timing.median_us:,.0f}", f"{timing.best_us / peer:.2f}")
    console().print(table)
    if found["tvm"].best_us > LIMIT * peer:
        raise DimmerError(f"TVM takes {found['tvm'].best_us / peer:.2f} of onnxruntime's time, more than {LIMIT:g}")


if __name__ == "__main__":
    main_of(main)
