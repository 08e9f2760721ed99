# SPDX-License-Identifier: Apache-2.0
"""Modes compiled by Vela, relinked onto one blob, generated as C, linked for the NPU's core and run with a stand-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from dimmer.calibration.selection import on_target
from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.files import write_atomically
from dimmer.firmware_gen.graph.types import Graph
from dimmer.firmware_gen.library import INCLUDE, engine_sources, kernel_sources, npu_sources
from dimmer.firmware_gen.npu.chain import LINE
from dimmer.firmware_gen.npu.emit import NpuModel, generate_npu, npu_tables
from dimmer.firmware_gen.npu.exact import dense_layers
from dimmer.firmware_gen.npu.rehearsal import REHEARSAL_HEADER, emit_rehearsal
from dimmer.firmware_gen.npu.relink import Relinked, aligned, relink
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.npu import NpuBytes, NpuFirmware, NpuMode
from dimmer.pipeline.conversion.npu.parts import Compiled, compile_mode
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.image.compiled import known_answers
from dimmer.pipeline.image.events import SelfTested, named, only, run_events
from dimmer.pipeline.image.figures import policy_tiers
from dimmer.pipeline.image.make import Counted
from dimmer.pipeline.image.npu.chains import chain_of, known_values
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.image.published import worth_running
from dimmer.pipeline.recipe.sections.duty import Duty
from dimmer.pipeline.recipe.sections.governor import GovernorSection
from dimmer.pipeline.recipe.sections.policy import PolicySection
from dimmer.targets import APPLICATION, Target
from dimmer.targets.kit.npu import PACKAGE, Npu
from dimmer.targets.target import TARGETS

STAND_IN = TARGETS / "npu" / "rehearsal.c"
"""In the driver's and the board's place."""
_ALIGN = {"DIMMER_APP_ARENA_ALIGN": f"{LINE}u"}


def make_npu(
    order: Order,
    calibration: Calibration,
    section: PolicySection,
    governor: GovernorSection,
    duty: Duty,
    target: Target,
    out: Path,
    progress: Progress,
) -> NpuFirmware:
    """Writes the firmware, Vela's output and `npu.json` into `out`, and gives the content of the latter.

    Args:
        order: of every published mode; its policy is not read, and gates have no part in it.
        duty: of the device, from which the thresholds of a charger follow.

    Raises:
        DimmerError, FirmwareGenError, TargetError: Vela, the relinker or the compiler refuse it, the recipe wants what
            nobody knows of this target, or the firmware does not answer as it should; one line.
    """
    npu = npu_of_target(target)
    graphs = {mode.name: read_tflite(mode.path) for mode in order.modes}
    compiled = _compiled(order.modes, npu, out, progress)
    cycles = {name: one.estimate.cycles for name, one in compiled.items()}
    accuracy = {name: calibration.mode(name).accuracy for name in compiled}
    worse = {
        **on_target(list(compiled), cycles, accuracy, "cycles by Vela's estimate"),
        **_without_sharing(cycles, npu),
    }
    milliseconds = {name: one.estimate.cycles / (1000 * one.estimate.clock_mhz) for name, one in compiled.items()}
    counted = Counted(worse=worse, cycles=cycles, milliseconds=milliseconds)
    order, judged = worth_running(replace(order, gates=None), calibration, section, target, counted, governor, duty)
    names = [mode.name for mode in order.modes]
    for one in judged.left_out:
        compiled[one.mode].forget(out)
    if section.budgets:
        # They are of gates, which have no part here.
        order = replace(order, policy=even_policy(len(names)))
    progress("linking", 0.7)
    modes = [compiled[name] for name in names]
    relinked = relinked_modes(modes, [graphs[name] for name in names], npu.is_packed)
    macs = [calibration.mode(name).macs for name in names]
    model = generated(relinked, modes, order, macs, graphs[names[0]], target, out)
    elf = compiled_firmware(model, target, out)
    progress("running the firmware with a stand-in for the driver", 0.9)
    rehearse(target, elf, names, out)
    sizes = target.size(elf)
    firmware = NpuFirmware(
        accelerator=npu.accelerator,
        vela=version(PACKAGE),
        system_config=npu.system_config,
        memory_mode=npu.memory_mode,
        strategy=npu.strategy,
        modes=tuple(_mode(at, compiled[name], relinked, macs[at]) for at, name in enumerate(names)),
        bytes=_bytes(relinked, modes, model, sizes.text + sizes.rodata + sizes.data),
        arena=model.arena,
        ram=sizes.data + sizes.bss,
        rehearsed=f"{target.runner.command[0]}, " + ("the board's driver" if npu.sources else "a stand-in as driver"),
        policy=policy_tiers(order.policy, names),
        left_out=judged.left_out,
        note="; ".join(filter(None, (judged.policy, judged.governor))),
    )
    firmware.save(out)
    return firmware


def npu_of_target(target: Target) -> Npu:
    """Raises DimmerError where a target has no NPU."""
    if target.npu is None:
        raise DimmerError(f"{target.name} has no NPU: name a target whose engine is ethos-u")
    return target.npu


def _compiled(modes: Sequence[ModeSource], npu: Npu, out: Path, progress: Progress) -> dict[str, Compiled]:
    found = {}
    for number, mode in enumerate(modes):
        progress(f"Vela: {mode.name}", 0.7 * number / len(modes))
        found[mode.name] = compile_mode(mode.name, mode.path, npu, out)
    return found


def _without_sharing(cycles: Mapping[str, int], npu: Npu) -> dict[str, str]:
    """Where modes share no weights, all but the most expensive and the cheapest, and why."""
    if not npu.is_experimental:
        return {}
    ends = {max(cycles, key=lambda name: cycles[name]), min(cycles, key=lambda name: cycles[name])}
    why = f"modes share no weights on {npu.accelerator}: only the most expensive and the cheapest are taken"
    return {name: why for name in cycles if name not in ends}


def relinked_modes(modes: Sequence[Compiled], graphs: Sequence[Graph], packed: bool = True) -> Relinked:
    """Modes on one blob, their FULLY_CONNECTED layers exact; the scales of one mode alone packed, or not."""
    owners = [number for number, mode in enumerate(modes) for _ in mode.streams]
    dense = [dense_layers(graph) for graph in graphs]
    return relink(
        [stream for mode in modes for stream in mode.streams], [dense[owner] for owner in owners], packed, owners
    )


def generated(
    relinked: Relinked,
    modes: Sequence[Compiled],
    order: Order,
    macs: Sequence[int],
    graph: Graph,
    target: Target,
    out: Path,
) -> NpuModel:
    """The C of modes, with what they make of the order's known input; and what the stand-in has to know."""
    npu = npu_of_target(target)
    answers = known_answers(order)
    first = [relinked.owners.index(number) for number in range(len(modes))]
    chains = [chain_of(mode, first[number], macs[number], graph, target, out) for number, mode in enumerate(modes)]
    ends = graph.tensors[graph.input], graph.tensors[graph.output]
    tables = npu_tables(relinked, chains, ends, order.policy, (graph.inputs, graph.outputs), order.name)
    model = generate_npu(tables, order.name, npu.accelerator, answers, out, target.core, order.classes, order.meaning)
    if not npu.sources:
        known = [
            known_values(mode, chain, answers.input, output, out)
            for mode, chain, output in zip(modes, chains, answers.outputs, strict=True)
        ]
        write_atomically(out / REHEARSAL_HEADER, emit_rehearsal(tables, chains, relinked, known))
    return model


def compiled_firmware(model: NpuModel, target: Target, out: Path) -> Path:
    """The firmware of generated modes, linked with the board's driver, or with a stand-in for it.

    Raises:
        TargetError: the compiler or the linker; the latter names the function that the board's sources lack.
    """
    npu = npu_of_target(target)
    sources = [*model.sources, *engine_sources(), *npu_sources(), *(npu.sources or (STAND_IN,)), *APPLICATION]
    if model.kernels:
        sources += kernel_sources(model.kernels)
    return target.compile(sources, [out, INCLUDE, *npu.include], out, _ALIGN)


def rehearse(target: Target, elf: Path, modes: Sequence[str], work: Path) -> None:
    """Runs the firmware's self-test: every byte of the tables checked, every mode given to the driver as it wants it.

    Raises:
        DimmerError: a mode does not answer.
    """
    events = only(SelfTested, named(run_events(target, elf, ["selftest"], work), modes))
    wrong = sorted({*modes} - {event.mode for event in events if event.ok})
    if wrong:
        raise DimmerError(f"{target.name}: the firmware does not run {', '.join(wrong)}; do not flash it, report it")


def _mode(number: int, one: Compiled, relinked: Relinked, macs: int) -> NpuMode:
    estimate = one.estimate
    return NpuMode(
        name=one.name,
        macs=macs,
        cycles=estimate.cycles,
        clock_mhz=estimate.clock_mhz,
        sram_bytes=estimate.sram_bytes,
        flash_bytes=estimate.flash_bytes,
        stream_bytes=relinked.streams(number),
        own_bytes=relinked.alone(number),
        scratch=max(stream.scratch_size for stream in one.streams),
        widened=one.widened,
        parts=one.parts,
        inputs=one.inputs,
        outputs=one.outputs,
    )


def _bytes(relinked: Relinked, modes: Sequence[Compiled], model: NpuModel, total: int) -> NpuBytes:
    streams = sum(len(mode.payload.pack()) for mode in relinked.modes)
    return NpuBytes(
        blob=len(relinked.blob) + aligned(len(relinked.packed)),
        shared=sum(aligned(piece.size) for piece in relinked.pieces if len(piece.modes) > 1)
        + sum(piece.size for piece in relinked.packed_pieces if len(piece.modes) > 1),
        single_mode_blob=sum(len(stream.read_only) for stream in modes[0].streams),
        separate=sum(len(stream.read_only) for mode in modes for stream in mode.streams),
        streams=streams,
        tables=model.table_bytes,
        code=total - model.weight_bytes - model.table_bytes,
        total=total,
    )
