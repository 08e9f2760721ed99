# SPDX-License-Identifier: Apache-2.0
"""Wall time of the generated C on this machine beside ai-edge-litert and TVM, one thread: ratios of one run.

python -m benchmarks.host

The engines take turns, so that what else the machine does hits all of them alike; what is told is the median of the
turns, and the median of each turn's ratio. The C is the portable one: this says what the host backend costs in tests,
not how fast a board is.
"""

from __future__ import annotations

import ctypes
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from dimmer import children
from dimmer.benchmarks.count import models
from dimmer.benchmarks.networks import write_networks
from dimmer.benchmarks.results import HostTime, write_host
from dimmer.errors import DimmerError
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.library import INCLUDE, sources
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.core.command import console, main_of, progress_bar
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from dimmer.targets import load_target
from dimmer.targets.kit.toolchain import LANGUAGE_FLAGS

OURS = "dimmer"
TVM = "TVM"
SLICE_S = 0.05
"""How long an engine runs in each turn."""


@dataclass(frozen=True)
class Engine:
    """Something that runs a network.

    Attributes:
        run: one inference.
        output: the bytes of its result.
    """

    name: str
    run: Callable[[], object]
    output: Callable[[], bytes]


def take_turns(engines: Sequence[Engine], turns: int) -> dict[str, list[float]]:
    """Microseconds of an inference of each engine in each turn."""
    counts = {}
    for engine in engines:
        engine.run()
        start = time.perf_counter()
        engine.run()
        counts[engine.name] = max(1, round(SLICE_S / (time.perf_counter() - start)))
    found: dict[str, list[float]] = {engine.name: [] for engine in engines}
    for _ in range(turns):
        for engine in engines:
            start = time.perf_counter()
            for _ in range(counts[engine.name]):
                engine.run()
            found[engine.name].append((time.perf_counter() - start) / counts[engine.name] * 1e6)
    return found


def compare(model: str, engines: Sequence[Engine], turns: Mapping[str, Sequence[float]]) -> list[HostTime]:
    """The figures of every engine; `turns` are what `take_turns` gives, ours among them."""
    ours = next(engine for engine in engines if engine.name == OURS)
    return [
        HostTime(
            model,
            engine.name,
            statistics.median(turns[engine.name]),
            statistics.median(a / b for a, b in zip(turns[engine.name], turns[OURS], strict=True)),
            engine.output() == ours.output(),
        )
        for engine in engines
    ]


def dimmer(model: Path, data: bytes, work: Path) -> Engine:
    """The generated C, compiled as the target `host` says, with `data` as its input."""
    target = load_target("host")
    generated = generate([ModeSource(model.stem, model)], work, scratch_limit=target.scratch_limit, core=target.core)
    library = work / "engine.so"
    files = [*generated.sources, *sources(generated.kernels), Path(__file__).with_name("host_engine.c")]
    toolchain = target.toolchain
    command = [
        toolchain.compilers[0],
        *LANGUAGE_FLAGS,
        *toolchain.flags,
        "-shared",
        "-fPIC",
        f"-I{work}",
        f"-I{INCLUDE}",
    ]
    done = children.run([*command, *map(str, files), "-o", str(library)])
    if done.returncode != 0:
        said = done.stderr.splitlines() or [children.how_it_ended(done.returncode)]
        raise DimmerError(f"{toolchain.compilers[0]} failed: {said[0]}")
    engine = ctypes.CDLL(str(library))
    engine.engine_input.restype = engine.engine_output.restype = ctypes.c_void_p
    if not engine.engine_start():
        raise DimmerError(f"{model.name}: the generated model does not start; report this file")
    place, result = engine.engine_input(), engine.engine_output()

    def run() -> None:
        ctypes.memmove(place, data, len(data))
        engine.engine_run()

    return Engine(OURS, run, lambda: ctypes.string_at(result, generated.output_bytes))


def litert(model: Path, data: bytes, *, reference: bool) -> Engine:
    """ai-edge-litert with its reference kernels, or as it comes, which is with XNNPACK."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kind = OpResolverType.BUILTIN_REF if reference else OpResolverType.AUTO
    interpreter = Interpreter(str(model), experimental_op_resolver_type=kind, num_threads=1)
    interpreter.allocate_tensors()
    source, output = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    values = np.frombuffer(data, dtype=source["dtype"]).reshape(source["shape"])

    def run() -> None:
        interpreter.set_tensor(source["index"], values)
        interpreter.invoke()

    name = "ai-edge-litert, reference kernels" if reference else "ai-edge-litert, XNNPACK"
    return Engine(name, run, lambda: bytes(interpreter.get_tensor(output["index"]).tobytes()))


def tvm(model: Path, data: bytes, work: Path) -> Engine:
    """The file as a module of TVM (`pipeline.tvm_module`) with its default schedules.

    Raises:
        DimmerError: TVM is not installed, or an operator of the file cannot be lowered.
    """
    import numpy as np

    from dimmer.pipeline.tvm.module import Runner, build_modules
    from dimmer.pipeline.tvm.targets import TARGETS

    os.environ["TVM_NUM_THREADS"] = "1"
    build_modules({"mode": model}, TARGETS["host"], work)
    from tvm.runtime import tensor

    runner = Runner(work)
    function = runner.function("mode")
    image = tensor(np.frombuffer(data, np.int8).reshape(runner.modules.input.shape))
    return Engine(TVM, lambda: function(image), lambda: bytes(function(image).numpy().tobytes()))


def measure(model: Path, turns: int) -> list[HostTime]:
    """Every engine on one model."""
    samples = sample_inputs(model, 1)
    data = samples[len(samples) // 2 :]
    with children.scratch() as work:
        engines = [
            dimmer(model, data, work),
            litert(model, data, reference=True),
            litert(model, data, reference=False),
        ]
        missing = []
        try:
            engines.append(tvm(model, data, work / "tvm"))
        except DimmerError as error:
            missing.append(HostTime(model.stem, TVM, None, None, None, str(error)))
        return [*compare(model.stem, engines, take_turns(engines, turns)), *missing]


def main(
    tflite: Annotated[list[Path] | None, typer.Option("--tflite", help="A .tflite file; repeat for more.")] = None,
    turns: Annotated[int, typer.Option("--turns", min=1, help="Of every engine.")] = 15,
    update: Annotated[bool, typer.Option("--update", help="Put the figures into benchmarks/results.json.")] = False,
) -> None:
    """Time the benchmark models, or others, on this machine."""
    from rich.table import Table

    files = tuple(tflite or (*models(), *write_networks()))
    times: list[HostTime] = []
    with progress_bar("host") as progress:
        for number, file in enumerate(files):
            progress(file.stem, number / len(files))
            times += measure(file, turns)
    table = Table(title="Wall time of one inference on this machine, one thread", title_justify="left")
    for heading in ("model", "engine", "microseconds", "of ours", "output"):
        table.add_column(heading, justify="left" if heading in ("model", "engine", "output") else "right")
    for t in times:
        if t.microseconds is None or t.ratio is None:
            table.add_row(t.model, t.engine, "-", "-", "-")
            continue
        same = "the same" if t.exact else "differs"
        table.add_row(t.model, t.engine, f"{t.microseconds:,.0f}", f"{t.ratio:.2f}", same)
    console().print(table)
    for t in times:
        if t.note:
            console().print(f"no figure of {t.engine}: {t.note}", highlight=False, soft_wrap=True)
    wrong = [
        f"{t.model} ({t.engine})" for t in times if ("reference" in t.engine or t.engine == TVM) and t.exact is False
    ]
    if wrong:
        raise DimmerError(f"not the output of our C, bit for bit: {', '.join(wrong)}; report it")
    if update:
        write_host(times)


if __name__ == "__main__":
    main_of(main)
