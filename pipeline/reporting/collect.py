# SPDX-License-Identifier: Apache-2.0
"""Gathering: what the stages measured becomes the report's figures, and what they made becomes the deliverables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dimmer.pipeline.artifacts.calibration import CalibratedMode, Calibration, calibration_folder
from dimmer.pipeline.artifacts.energy import EnergyFigures
from dimmer.pipeline.artifacts.firmware import (
    Firmware,
    FirmwareMode,
    GateCount,
    LayerConstant,
    PolicyTier,
    Verification,
    firmware_folder,
)
from dimmer.pipeline.artifacts.report import BatterySample, Candidate, Flash, LayerFlash, ModeFigures, Ram, ReportData
from dimmer.pipeline.artifacts.verification import Verified, VerifiedGates, verify_folder
from dimmer.pipeline.core.documents import to_json
from dimmer.pipeline.core.stage import Json, StageResult
from dimmer.pipeline.energy.account import DAY_S, Counted, account, besides
from dimmer.pipeline.energy.device import Inference
from dimmer.pipeline.energy.discharge import discharge
from dimmer.pipeline.energy.hanging import device_of
from dimmer.pipeline.energy.inference import drawn, energy_note, inference_uj
from dimmer.pipeline.energy.lasting import lasting
from dimmer.pipeline.recipe.sections.duty import Duty, duty_of
from dimmer.pipeline.recipe.sections.governor import GovernorSection
from dimmer.pipeline.reporting.detection import NEVER_TUNED, detection_figures
from dimmer.pipeline.reporting.ends import input_figures, output_figures
from dimmer.pipeline.reporting.features import feature_figures
from dimmer.targets.timing.run import macs_per_cycle
from dimmer.version import dimmer_version

if TYPE_CHECKING:
    from dimmer.pipeline.artifacts.build import BuildContext
    from dimmer.targets import Target


def collect(context: BuildContext, stages: Sequence[StageResult]) -> ReportData:
    """Read the figures that calibration, firmware and verification left.

    Raises:
        DimmerError: one of their files is missing or damaged.
    """
    build, target = context.build_dir, context.target
    if target.engine == "tvm":
        from dimmer.pipeline.reporting.collect_bundle import collect_bundle

        return collect_bundle(context, stages)
    if target.engine == "ethos-u":
        from dimmer.pipeline.reporting.collect_npu import collect_npu

        return collect_npu(context, stages)
    calibration = Calibration.load(calibration_folder(build))
    firmware = Firmware.load(firmware_folder(build, target.name))
    verified = Verified.load(verify_folder(build, target.name))
    duty = duty_of(context.recipe.duty, context.recipe.governor)
    modes = tuple(_mode(mode, calibration.mode(mode.name), verified, target, duty) for mode in firmware.modes)
    battery, battery_note = battery_of(modes, firmware.policy, target, duty)
    if governed := governor_line(modes, firmware.governor, target, context.recipe.governor, duty):
        battery_note = f"{battery_note} {governed}".lstrip()
    flash, ram = firmware.flash, firmware.ram
    features, detection = feature_figures(context), detection_figures(context)
    notes = _notes(firmware, target, verified.test_images, duty)
    if features is not None and features.detector and detection is None:
        notes["detection"] = NEVER_TUNED
    return ReportData(
        model=context.recipe.name,
        target=target.name,
        dataset=context.recipe.model.dataset,
        generator_version=dimmer_version(),
        flash=Flash(flash.weights, flash.tables, flash.code, flash.total, flash.single_mode_total),
        ram=Ram(ram.arena, ram.scratch, ram.stack, ram.total, ram.single_mode_arena, ram.state),
        stack=firmware.stack,
        switch=firmware.switch,
        modes=modes,
        candidates=_candidates(calibration, firmware),
        policy=firmware.policy,
        gates=_gates(firmware.gates, verified.gates),
        stages=tuple(stages),
        energy=energy_of(modes, target, duty),
        features=features,
        detection=detection,
        inputs=input_figures(context),
        outputs=output_figures(context),
        notes=notes,
        arena=firmware.buffers,
        macs_per_cycle=macs_per_cycle(target),
        layers=layers_of(firmware.layers, modes),
        steps=firmware.steps,
        arena_lower_bound=ram.lower_bound,
        battery=battery,
        battery_note=battery_note,
        scores={mode.name: mode.scores for mode in verified.modes if mode.scores is not None},
    )


def _candidates(calibration: Calibration, firmware: Firmware) -> tuple[Candidate, ...]:
    """What calibration says of every mode, and after it the counts on the target."""
    gone = {mode.mode: mode.reason for mode in firmware.left_out}
    found = [Candidate.of(mode) for mode in calibration.modes]
    return tuple(replace(c, published=False, reason=gone[c.name]) if c.name in gone else c for c in found)


def _gates(counted: GateCount | None, verified: VerifiedGates | None) -> dict[str, Json]:
    """What is known of the gates; figures that the target cannot count are left out."""
    found: dict[str, Json] = {} if verified is None else to_json(verified)
    known = {} if counted is None else {key: value for key, value in to_json(counted).items() if value is not None}
    return {**found, **known}


def _mode(
    counted: FirmwareMode, calibrated: CalibratedMode, verified: Verified, target: Target, duty: Duty
) -> ModeFigures:
    measured = verified.mode(counted.name)
    return ModeFigures(
        name=counted.name,
        macs=calibrated.macs,
        bit_operations=calibrated.bit_operations,
        accuracy=measured.accuracy,
        accuracy_float=measured.accuracy_float,
        instructions=counted.instructions,
        energy_uj=inference_uj(target.energy, counted.instructions, counted.cycles, duty.clock_mhz),
        verify=Verification(measured.target.samples, measured.target.mismatches, verified.backend),
        cycles=counted.cycles,
        cycles_source=counted.cycles_source,
    )


def _notes(firmware: Firmware, target: Target, test_images: int, duty: Duty) -> dict[str, str]:
    # The firmware's own check is with random inputs; the report's is verification's, with test images.
    notes = {place: why for place, why in firmware.notes.items() if place != "modes[*].verify"}
    notes["modes[*].accuracy"] = f"of {test_images:,} test images, by the C code on the host, which is bit-exact"
    notes["ram.arena"] = "scratch included"
    if target.runner.samples is not None:
        few = f"at most {target.runner.samples} inferences of a mode, since each takes long on {target.name}"
        notes["modes[*].verify"] = (
            f"{few} (samples in its target.toml); the host's C is compared on all that the recipe asks for"
        )
    return notes | energy_notes(firmware, target, duty.clock_mhz)


def energy_notes(firmware: Firmware, target: Target, clock_mhz: float | None = None) -> dict[str, str]:
    """How energies were come by, or why there are none; `clock_mhz` as of `drawn`."""
    how = energy_note(target, all(mode.cycles is not None for mode in firmware.modes), clock_mhz)
    notes = dict.fromkeys(("modes[*].energy_uj", "energy"), how)
    if target.energy is not None:
        notes["energy.board"] = f"targets/{target.name}/target.toml has constants of its own"
        notes |= dict.fromkeys(
            ("energy.constants[*].date", "energy.constants[*].trace"), "not measured by you: dimmer measure does it"
        )
    return notes


def layers_of(constants: Sequence[LayerConstant], modes: Sequence[ModeFigures]) -> tuple[LayerFlash, ...]:
    """The firmware's runs of constants, added up by layer."""
    weights: dict[str, int] = {}
    parameters: dict[str, int] = {}
    readers: dict[str, set[str]] = {}
    for constant in constants:
        layer, role = constant.layer.rsplit(": ", 1)
        sums, others = (weights, parameters) if role in ("weights", "filter") else (parameters, weights)
        sums[layer] = sums.get(layer, 0) + constant.bytes
        others.setdefault(layer, 0)
        readers.setdefault(layer, set()).update(constant.modes)
    return tuple(
        LayerFlash(
            layer, weights[layer], parameters[layer], tuple(mode.name for mode in modes if mode.name in readers[layer])
        )
        for layer in readers
    )


def energy_of(modes: Sequence[ModeFigures], target: Target, duty: Duty) -> EnergyFigures | None:
    """Days, periods and levers; None where the target has no constants, or a mode was not counted."""
    counted = [Counted(mode.name, mode.instructions, mode.cycles) for mode in modes]
    return account(target.energy, duty, counted)


def governor_line(
    modes: Sequence[ModeFigures], chosen: Sequence[str], target: Target, governor: GovernorSection, duty: Duty
) -> str:
    """How long the governor makes the battery last, and how often the device is then right; empty where nobody knows.

    What a wake-up and the application take is counted as in the energy table. Where the dearest mode takes longer than
    the period, there are no more inferences than it has time for.

    Args:
        chosen: the modes that it chooses from, by rising cost.
    """
    duty = replace(duty, millivolts=governor.millivolts)
    named = {mode.name: mode for mode in modes}
    points, period_s = [], DAY_S / duty.inferences_a_day
    for mode in (named[name] for name in chosen):
        one = _inference(mode, target, duty)
        if one is None or mode.accuracy is None:
            return ""
        points.append((one.microjoules * 1000 / governor.millivolts, mode.accuracy))
        period_s = max(period_s, one.seconds)
    if not points or not governor.days:
        return ""
    capacity, kept = governor.capacity_mah * 3.6e6, governor.reserve_permille / 1000
    idle = besides(target.energy, duty)
    idle_ua = idle.sleep_ua + idle.period_uc / period_s
    found = lasting(capacity, kept, governor.days, idle_ua, DAY_S / period_s, points)
    if not found.run:
        return (
            f"Under the governor {governor.capacity_mah:g} mAh last {found.days:,.3g} days, and nothing is inferred: "
            f"{idle_ua:,.3g} uA between inferences empty them before the {governor.days:g} days of [governor]."
        )
    share = "" if found.run == 1 else f", with {100 * found.run:.0f} % of the inferences run"
    days, right = f"{found.days:,.3g} days", f"{100 * found.accuracy:.1f} %"
    return (
        f"Under the governor {governor.capacity_mah:g} mAh last {days}, and {right} are right{share}, where everything "
        "is as [governor] says."
    )


def battery_of(
    modes: Sequence[ModeFigures], policy: Sequence[PolicyTier], target: Target, duty: Duty
) -> tuple[tuple[BatterySample, ...], str]:
    """A simulated discharge and what was assumed for it; nothing where there is no policy or no energy figure."""
    found = {mode.name: _inference(mode, target, duty) for mode in modes}
    taken = {name: one for name, one in found.items() if one is not None}
    # What a gated tier costs depends on the inputs.
    if not policy or len(taken) < len(modes) or any(tier.mode not in taken for tier in policy):
        return (), ""
    device = device_of(target.energy, duty)
    samples = discharge(policy, taken, device)
    fixed = {name: device.life_s(one) / 3600 for name, one in taken.items()}
    life = samples[-1].time_s / 3600
    lasts = ", ".join(f"{name} {hours:,.3g} h" for name, hours in fixed.items())
    told = f"Simulated with the firmware's policy: {device}. It lasts {life:,.3g} h; in one mode throughout: {lasts}."
    return samples, f"{told} {device.without_pause(taken)}".rstrip()


def _inference(mode: ModeFigures, target: Target, duty: Duty) -> Inference | None:
    """What one takes from the cell; None where nobody knows."""
    found = drawn(target.energy, mode.instructions, mode.cycles, duty.clock_mhz)
    if found is None:
        return None
    return Inference(found.from_cell_uc(duty.millivolts) * duty.millivolts / 1000, found.seconds)
