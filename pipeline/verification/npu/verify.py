# SPDX-License-Identifier: Apache-2.0
"""Command streams as they ship: the same work as Vela's, and the same results as the TFLite interpreter's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dimmer.errors import DimmerError
from dimmer.firmware_gen.npu.compare import difference
from dimmer.firmware_gen.npu.compiled import CompiledMode, read_compiled
from dimmer.firmware_gen.npu.exact import dense_layers
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.artifacts.converted import converted_folder, mode_sources
from dimmer.pipeline.artifacts.npu import NpuFirmware, VerifiedNpu, VerifiedNpuMode, npu_folder, vela_output
from dimmer.pipeline.artifacts.verification import Outcome
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.registry import Source, load_dataset
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle
from dimmer.pipeline.verification.npu.chain import RunCore, ShippedMode, chain_outputs, on_engines
from dimmer.pipeline.verification.npu.machine import PRODUCTS
from dimmer.pipeline.verification.npu.shipped import shipped_modes
from dimmer.pipeline.verification.npu.worker import model_outputs
from dimmer.targets import Target, load_target

PROVES = (
    "the command stream in firmware.elf does the work of Vela's, word by word, and computes in our model of the NPU "
    "what TFLite's reference kernels compute; never run on silicon or on Arm's FVP, of whose rounding, timing and "
    "memory this says nothing"
)
_EXPERIMENTAL = (
    "compiled and linked, experimental: Vela's streams as they came, each mode with weights of its own, since there is "
    "neither a relinker nor a model for the codes of this NPU here; nothing shows what they compute"
)


def verify_npu(dataset: Source, images: int, build: Path, target: Target, out: Path, progress: Progress) -> VerifiedNpu:
    """Writes `verify_npu.json` into `out`, and gives its content.

    Args:
        images: test images for every mode.

    Raises:
        DimmerError: any difference; the message names the mode.
    """
    folder = npu_folder(build, target.name)
    firmware = NpuFirmware.load(folder)
    names = [mode.name for mode in firmware.modes]
    files = {source.name: source for source in mode_sources(converted_folder(build))}
    if gone := [name for name in names if name not in files]:
        raise DimmerError(
            f"{folder} has the modes {', '.join(gone)}, which {converted_folder(build)} has not: build for "
            f"{target.name} again"
        )
    sources = [files[name] for name in names]
    compiled = [[read_compiled(name, vela_output(folder, name)) for name in mode.streams] for mode in firmware.modes]
    shipped = shipped_modes(folder / "firmware.elf", build.name, compiled)
    if compiled[0][0].payload.product not in PRODUCTS:
        found = VerifiedNpu(
            "nothing", tuple(VerifiedNpuMode(mode.name, None) for mode in firmware.modes), _EXPERIMENTAL
        )
        found.save(out)
        return found
    refuse_other_work(sources, compiled, shipped)
    inputs = to_int8(load_dataset(dataset).test.images[:images])
    modes = [
        ShippedMode(mode.name, streams, mode.parts, mode.inputs, mode.outputs)
        for mode, streams in zip(firmware.modes, shipped, strict=True)
    ]
    run_core = on_engines(load_target("host"), target)
    outcomes = compare(
        sources, modes, inputs.reshape(len(inputs), -1).view(np.uint8), progress, folder=folder, run_core=run_core
    )
    backend = f"a model of {firmware.accelerator} that interprets the command stream"
    if any(mode.parts for mode in modes):
        backend += ", and the C engine for what stays on the core"
    found = VerifiedNpu(
        backend, tuple(VerifiedNpuMode(mode.name, one) for mode, one in zip(sources, outcomes, strict=True)), PROVES
    )
    found.save(out)
    return found


def refuse_other_work(
    sources: Sequence[ModeSource],
    compiled: Sequence[Sequence[CompiledMode]],
    shipped: Sequence[Sequence[CompiledMode]],
) -> None:
    """Raises DimmerError where a stream that ships does something else than the one that Vela made."""
    for source, ours, theirs in zip(sources, compiled, shipped, strict=True):
        dense = dense_layers(read_tflite(source.path))
        for one, other in zip(ours, theirs, strict=True):
            found = difference(one, other, dense)
            if found is not None:
                raise DimmerError(
                    f"{one.name}: the command stream in the firmware is not Vela's ({found}); do not flash it"
                )


def compare(
    sources: Sequence[ModeSource],
    modes: Sequence[ShippedMode],
    inputs: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
    progress: Progress,
    *,
    folder: Path,
    run_core: RunCore,
) -> list[Outcome]:
    """Every mode's streams, run by the model, and what stays on the core, by `run_core`, against the interpreter.

    Args:
        inputs: uint8[N, bytes of an input].
        folder: where parts of modes lie.

    Raises:
        DimmerError: an output differs in any bit.
        NpuModelError: a stream cannot be run.
    """
    progress("oracle: the TFLite interpreter", 0.0)
    expected = run_oracle([OracleJob(source.path, inputs.tobytes()) for source in sources])
    ended = 0

    def count() -> None:
        nonlocal ended
        ended += 1
        progress("the model of the NPU against the interpreter", 0.2 + 0.8 * ended / len(modes))

    alone = [mode for mode in modes if not mode.parts]
    made = dict(
        zip(
            (mode.name for mode in alone),
            model_outputs([mode.streams[0] for mode in alone], inputs, count),
            strict=True,
        )
    )
    for source, mode in zip(sources, modes, strict=True):
        if mode.parts:
            made[mode.name] = chain_outputs(mode, source.path, inputs, folder, run_core)
            count()
    outcomes = []
    for source, answer in zip(sources, expected, strict=True):
        outputs = made[source.name]
        if isinstance(answer, OracleFailure):
            raise DimmerError(
                f"{source.name}: the TFLite interpreter cannot run it ({answer.reason}); convert it again"
            )
        wanted = np.frombuffer(answer, np.uint8).reshape(len(inputs), -1)
        wrong = np.flatnonzero((outputs != wanted).any(axis=1))
        if wrong.size:
            raise DimmerError(
                f"{source.name}: the model of the NPU differs from the TFLite interpreter in {wrong.size} of "
                f"{len(inputs)} inferences (first at test image {wrong[0]}{_edge(source)}); do not flash it, report it"
            )
        outcomes.append(Outcome(len(inputs), 0, None))
    return outcomes


def _edge(source: ModeSource) -> str:
    """What is known to be off by one now and then."""
    layers = dense_layers(read_tflite(source.path))
    return "; its FULLY_CONNECTED is the known edge, docs/npu.md" if layers else ""
