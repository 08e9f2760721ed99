# SPDX-License-Identifier: Apache-2.0
"""Gathering for `.tflite` files that came alone: the firmware's figures, and no data set to measure accuracy on."""

from __future__ import annotations

from dimmer.pipeline.artifacts.firmware import Firmware, FirmwareMode
from dimmer.pipeline.artifacts.quantised import Quantised
from dimmer.pipeline.artifacts.report import Flash, ModeFigures, Ram, ReportData
from dimmer.pipeline.energy.inference import inference_uj
from dimmer.pipeline.recipe.sections.duty import Duty
from dimmer.pipeline.reporting.collect import battery_of, energy_notes, energy_of, layers_of
from dimmer.targets import Target
from dimmer.targets.timing.run import macs_per_cycle
from dimmer.version import dimmer_version


def collect_foreign(firmware: Firmware, target: Target, quantised: Quantised | None = None) -> ReportData:
    """The report's figures of a firmware whose modes are files from anywhere.

    Args:
        quantised: what was found where the file was a float network.
    """
    modes = tuple(_mode(mode, target, quantised) for mode in firmware.modes)
    duty = Duty()
    battery, battery_note = battery_of(modes, firmware.policy, target, duty)
    flash, ram = firmware.flash, firmware.ram
    return ReportData(
        model=firmware.model,
        target=target.name,
        dataset=None,
        generator_version=dimmer_version(),
        flash=Flash(flash.weights, flash.tables, flash.code, flash.total, flash.single_mode_total),
        ram=Ram(ram.arena, ram.scratch, ram.stack, ram.total, ram.single_mode_arena, ram.state),
        stack=firmware.stack,
        switch=firmware.switch,
        modes=modes,
        policy=firmware.policy,
        energy=energy_of(modes, target, duty),
        notes=_notes(firmware, target, quantised),
        steps=firmware.steps,
        arena=firmware.buffers,
        macs_per_cycle=macs_per_cycle(target),
        arena_lower_bound=ram.lower_bound,
        layers=layers_of(firmware.layers, modes),
        battery=battery,
        battery_note=battery_note,
    )


def _mode(counted: FirmwareMode, target: Target, quantised: Quantised | None) -> ModeFigures:
    return ModeFigures(
        name=counted.name,
        macs=counted.macs,
        bit_operations=None,
        accuracy=None if quantised is None else quantised.cost.accuracy,
        accuracy_float=None if quantised is None else quantised.cost.accuracy_float,
        instructions=counted.instructions,
        energy_uj=inference_uj(target.energy, counted.instructions, counted.cycles),
        verify=counted.verify,
        cycles=counted.cycles,
        cycles_source=counted.cycles_source,
    )


def _notes(firmware: Firmware, target: Target, quantised: Quantised | None) -> dict[str, str]:
    alone = "the file came alone, without a recipe"
    notes = {
        **firmware.notes,
        "dataset": alone,
        "modes[*].bit_operations": alone,
        "modes[*].accuracy": "the file came alone, without labelled inputs",
        "modes[*].accuracy_float": "the file came alone, without its float model",
        **energy_notes(firmware, target),
        "ram.arena": "scratch included",
    }
    if quantised is not None:
        for key in ("modes[*].accuracy", "modes[*].accuracy_float"):
            notes[key] = "; ".join(quantised.lines()[1:])
    if any(mode.verify is None for mode in firmware.modes):
        notes["modes[*].verify"] = "--samples 0 asked for no comparison"
    return notes
