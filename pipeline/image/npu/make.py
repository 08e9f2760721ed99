# SPDX-License-Identifier: Apache-2.0
"""Modes compiled by Vela, relinked onto one blob, generated as C, linked for the NPU's core and run with a stand-in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from dimmer.calibration.selection import on_target
from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.graph.types import Graph
from dimmer.firmware_gen.library import INCLUDE, engine_sources, npu_sources
from dimmer.firmware_gen.npu.compiled import CompiledMode
from dimmer.firmware_gen.npu.emit import LINE, NpuModel, generate_npu, npu_tables
from dimmer.firmware_gen.npu.exact import dense_layers
from dimmer.firmware_gen.npu.relink import PIECE_ALIGN, Relinked, relink
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.firmware import LeftOut
from dimmer.pipeline.artifacts.npu import NpuBytes, NpuFirmware, NpuMode
from dimmer.pipeline.conversion.npu.vela import Compiled, compile_mode
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.image.compiled import known_answers
from dimmer.pipeline.image.events import SelfTested, only, run_events
from dimmer.pipeline.image.figures import policy_tiers
from dimmer.pipeline.image.make import Counted
from dimmer.pipeline.image.menu import ids, menu_of
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.image.policy import recipe_policy
from dimmer.pipeline.image.published import plan_for
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
    target: Target,
    out: Path,
    progress: Progress,
) -> NpuFirmware:
    """Writes the firmware, Vela's output and `npu.json` into `out`, and gives the content of the latter.

    Args:
        order: of every published mode; its policy is not read, and gates have no part in it.

    Raises:
        DimmerError, FirmwareGenError, TargetError: Vela, the relinker or the compiler refuse it, or the firmware does
            not answer as it should; one line.
    """
    npu = npu_of_target(target)
    graphs = {mode.name: read_tflite(mode.path) for mode in order.modes}
    compiled = _compiled(order.modes, npu, out, progress)
    cycles = {name: one.estimate.cycles for name, one in compiled.items()}
    accuracy = {name: calibration.mode(name).accuracy for name in compiled}
    worse = on_target(list(compiled), cycles, accuracy, "cycles by Vela's estimate")
    gone = {name: why for name, why in worse.items() if not calibration.mode(name).kept}
    kept = tuple(mode for mode in order.modes if mode.name not in gone)
    names = [mode.name for mode in kept]
    for name in gone:
        (out / f"{name}.npz").unlink()
    progress("linking", 0.7)
    relinked = relinked_modes([compiled[name].mode for name in names], [graphs[name] for name in names])
    counted = Counted(cycles={name: cycles[name] for name in names})
    menu = menu_of(counted.cycles, calibration)
    plan, note = plan_for(governor, names, names, counted, calibration, target)
    own = recipe_policy(section, ids(menu, names), plan, names.index(menu.knee))
    policy = even_policy(len(names)) if section.budgets else own
    order = replace(order, modes=kept, policy=policy, gates=None)
    macs = [calibration.mode(name).macs for name in names]
    model = generated(relinked, order, macs, graphs[names[0]], npu, out)
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
        bytes=_bytes(relinked, [compiled[name].mode for name in names], model, sizes.text + sizes.rodata + sizes.data),
        arena=model.arena,
        ram=sizes.data + sizes.bss,
        rehearsed=f"{target.runner.command[0]}, " + ("the board's driver" if npu.sources else "a stand-in as driver"),
        policy=policy_tiers(policy, names),
        left_out=tuple(LeftOut(name, cycles[name], why) for name, why in gone.items()),
        note=note,
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


def relinked_modes(modes: Sequence[CompiledMode], graphs: Sequence[Graph]) -> Relinked:
    """Modes on one blob, their FULLY_CONNECTED layers exact."""
    return relink(modes, [dense_layers(graph) for graph in graphs])


def generated(relinked: Relinked, order: Order, macs: Sequence[int], graph: Graph, npu: Npu, out: Path) -> NpuModel:
    """The C of modes, with what they make of the order's known input."""
    ends = graph.tensors[graph.input], graph.tensors[graph.output]
    tables = npu_tables(relinked, macs, ends, order.policy)
    return generate_npu(tables, order.name, npu.accelerator, known_answers(order), out)


def compiled_firmware(model: NpuModel, target: Target, out: Path) -> Path:
    """The firmware of generated modes, linked with the board's driver, or with a stand-in for it.

    Raises:
        TargetError: the compiler or the linker; the latter names the function that the board's sources lack.
    """
    npu = npu_of_target(target)
    sources = [*model.sources, *engine_sources(), *npu_sources(), *(npu.sources or (STAND_IN,)), *APPLICATION]
    return target.compile(sources, [out, INCLUDE, *npu.include], out, _ALIGN)


def rehearse(target: Target, elf: Path, modes: Sequence[str], work: Path) -> None:
    """Runs the firmware's self-test: every byte of the tables checked, every mode given to the driver as it wants it.

    Raises:
        DimmerError: a mode does not answer.
    """
    events = only(SelfTested, run_events(target, elf, ["selftest"], work))
    wrong = sorted({*modes} - {event.mode for event in events if event.ok})
    if wrong:
        raise DimmerError(f"{target.name}: the firmware does not run {', '.join(wrong)}; do not flash it, report it")


def _mode(number: int, one: Compiled, relinked: Relinked, macs: int) -> NpuMode:
    own = sum(_rounded(piece.size) for piece in relinked.pieces if piece.modes == (number,))
    estimate = one.estimate
    return NpuMode(
        name=one.mode.name,
        macs=macs,
        cycles=estimate.cycles,
        clock_mhz=estimate.clock_mhz,
        sram_bytes=estimate.sram_bytes,
        flash_bytes=estimate.flash_bytes,
        stream_bytes=len(relinked.modes[number].payload.pack()),
        own_bytes=own,
        scratch=one.mode.scratch_size,
        widened=one.widened,
    )


def _bytes(relinked: Relinked, modes: Sequence[CompiledMode], model: NpuModel, total: int) -> NpuBytes:
    streams = sum(len(mode.payload.pack()) for mode in relinked.modes)
    return NpuBytes(
        blob=len(relinked.blob),
        shared=sum(_rounded(piece.size) for piece in relinked.pieces if len(piece.modes) > 1),
        single_mode_blob=len(modes[0].read_only),
        separate=sum(len(mode.read_only) for mode in modes),
        streams=streams,
        tables=model.table_bytes,
        code=total - model.weight_bytes - model.table_bytes,
        total=total,
    )


def _rounded(size: int) -> int:
    return -(-size // PIECE_ALIGN) * PIECE_ALIGN
