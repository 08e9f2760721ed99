"""Gathering: what the stages measured becomes the report's figures, and what they made becomes the deliverables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dimmer.pipeline.artifacts.figures import generator_version, read_figures
from dimmer.pipeline.artifacts.report import (
    ArenaBuffer,
    BatterySample,
    Candidate,
    Flash,
    LayerFlash,
    ModeFigures,
    PolicyTier,
    Ram,
    ReportData,
    Switch,
    Verification,
)
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.energy.device import Device
from dimmer.pipeline.energy.discharge import discharge

if TYPE_CHECKING:
    from dimmer.pipeline.artifacts.build import BuildContext
    from dimmer.targets import Target


def collect(context: BuildContext, stages: Sequence[StageResult]) -> ReportData:
    """Read the figures that calibration, firmware and verification left.

    Raises:
        DimmerError: one of their files is missing.
    """
    if context.target.engine == "tvm":
        from dimmer.pipeline.reporting.collect_bundle import collect_bundle

        return collect_bundle(context, stages)
    calibration = read_figures(context.build_dir / "calibrate" / "calibration.json")
    firmware = read_figures(context.target_dir / "firmware" / "firmware.json")
    verified = read_figures(context.target_dir / "verify" / "verify.json")
    modes = tuple(_mode(figures, calibration, verified, context.target) for figures in firmware["modes"])
    policy = tuple(PolicyTier(**tier) for tier in firmware["policy"])
    battery, battery_note = _battery(modes, policy)
    return ReportData(
        model=context.recipe.name,
        target=context.target.name,
        dataset=context.recipe.model.dataset,
        generator_version=generator_version(),
        flash=Flash(**_only(firmware["flash"], Flash)),
        ram=Ram(**_only(firmware["ram"], Ram)),
        switch=Switch(**_only(firmware["switch"], Switch)),
        modes=modes,
        candidates=_candidates(calibration, firmware),
        policy=policy,
        gates=_gates(firmware, verified),
        stages=tuple(stages),
        notes=_notes(firmware["notes"], context.target, verified["test_images"]),
        arena=tuple(ArenaBuffer(**_only(buffer, ArenaBuffer)) for buffer in firmware["buffers"]),
        layers=_layers(firmware["layers"], modes),
        arena_lower_bound=firmware["ram"]["lower_bound"],
        battery=battery,
        battery_note=battery_note,
    )


def _candidates(calibration: Mapping[str, Any], firmware: Mapping[str, Any]) -> tuple[Candidate, ...]:
    """What calibration says of every mode, and after it the counts on the target."""
    found = []
    for mode in calibration["modes"]:
        entry = _only(mode, Candidate)
        for gone in firmware["left_out"]:
            if gone["mode"] == mode["name"]:
                entry |= {"published": False, "reason": gone["reason"]}
        found.append(Candidate(**entry))
    return tuple(found)


def _gates(firmware: Mapping[str, Any], verified: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of the gates; figures that the target cannot count are left out."""
    counted = firmware.get("gates") or {}
    return {**(verified.get("gates") or {}), **{key: value for key, value in counted.items() if value is not None}}


def _only(entry: Mapping[str, Any], cls: type[Any]) -> dict[str, Any]:
    """The keys that a dataclass has; the stages' files tell more than the report does."""
    return {key: entry[key] for key in cls.__dataclass_fields__}


def _mode(
    figures: Mapping[str, Any], calibration: Mapping[str, Any], verified: Mapping[str, Any], target: Target
) -> ModeFigures:
    name = figures["name"]
    costs = next(mode for mode in calibration["modes"] if mode["name"] == name)
    measured = next(mode for mode in verified["modes"] if mode["name"] == name)
    instructions = figures["instructions"]
    energy = None
    if instructions is not None and target.energy is not None:
        energy = round(instructions * target.energy.nanojoules_per_instruction / 1000, 3)
    outcome = measured["target"]
    return ModeFigures(
        name=name,
        macs=costs["macs"],
        bit_operations=costs["bit_operations"],
        accuracy=measured["accuracy"],
        accuracy_float=measured["accuracy_float"],
        instructions=instructions,
        energy_uj=energy,
        verify=Verification(outcome["samples"], outcome["mismatches"], verified["backend"]),
    )


def _notes(firmware: Mapping[str, str], target: Target, test_images: int) -> dict[str, str]:
    # The firmware's own check is with random inputs; the report's is verification's, with test images.
    notes = {place: why for place, why in firmware.items() if place != "modes[*].verify"}
    notes["modes[*].accuracy"] = f"of {test_images:,} test images, by the C code on the host, which is bit-exact"
    notes["ram.arena"] = "scratch included"
    if target.energy is None:
        notes["modes[*].energy_uj"] = f"targets/{target.name}/target.toml has no [energy]"
    elif not target.counts_instructions:
        notes["modes[*].energy_uj"] = "modelled from instructions, which this target does not count"
    else:
        constant = f"{target.energy.nanojoules_per_instruction:g} nJ"
        source = f"nanojoules_per_instruction in targets/{target.name}/target.toml"
        notes["modes[*].energy_uj"] = f"modelled: instructions x {constant} ({source}: {target.energy.source})"
    return notes


def _layers(entries: Sequence[Mapping[str, Any]], modes: Sequence[ModeFigures]) -> tuple[LayerFlash, ...]:
    """The firmware's runs of constants, added up by layer."""
    weights: dict[str, int] = {}
    parameters: dict[str, int] = {}
    readers: dict[str, set[str]] = {}
    for entry in entries:
        layer, role = entry["layer"].rsplit(": ", 1)
        sums, others = (weights, parameters) if role in ("weights", "filter") else (parameters, weights)
        sums[layer] = sums.get(layer, 0) + entry["bytes"]
        others.setdefault(layer, 0)
        readers.setdefault(layer, set()).update(entry["modes"])
    return tuple(
        LayerFlash(
            layer, weights[layer], parameters[layer], tuple(mode.name for mode in modes if mode.name in readers[layer])
        )
        for layer in readers
    )


def _battery(modes: Sequence[ModeFigures], policy: Sequence[PolicyTier]) -> tuple[tuple[BatterySample, ...], str]:
    """A simulated discharge and what was assumed for it; nothing where there is no policy or no energy figure."""
    energies = {mode.name: mode.energy_uj for mode in modes if mode.energy_uj is not None}
    # What a gated tier costs depends on the inputs.
    if not policy or len(energies) < len(modes) or any(tier.mode not in energies for tier in policy):
        return (), ""
    device = Device()
    samples = discharge(policy, energies, device)
    top = device.life_s(energies[modes[0].name]) / 3600
    life = samples[-1].time_s / 3600
    return (
        samples,
        f"Simulated with the firmware's policy: {device}. It lasts {life:,.0f} h; {top:,.0f} h in the top mode.",
    )
