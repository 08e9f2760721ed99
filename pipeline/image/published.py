# SPDX-License-Identifier: Apache-2.0
"""The firmware of a model's published modes: those worth running on the target, and the policy over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dimmer.calibration.selection import dominated
from dimmer.firmware_gen.emit.plan import MAX_POINTS, PlanConfig
from dimmer.firmware_gen.gates import GateSet
from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.converted import converted_folder
from dimmer.pipeline.artifacts.firmware import Firmware, LeftOut
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.energy.hull import concave_hull
from dimmer.pipeline.energy.inference import cell_uj
from dimmer.pipeline.energy.plan import plan_of
from dimmer.pipeline.image.figures import Judged
from dimmer.pipeline.image.make import Counted, judge, make
from dimmer.pipeline.image.order import Order, converted_order
from dimmer.pipeline.image.policy import recipe_policy
from dimmer.pipeline.recipe.sections.governor import GovernorSection
from dimmer.pipeline.recipe.sections.policy import PolicySection
from dimmer.targets import Target


def published_order(build: Path, name: str, dataset: str, gates: GateSet | None) -> Order:
    """An order for every published mode, with the first test image for the self-test.

    Args:
        build: ``build/<model>``, converted.

    Raises:
        DimmerError: the model was not converted.
    """
    image = to_int8(load_dataset(dataset).test.images[:1]).tobytes()
    return converted_order(name, converted_folder(build), gates, image)


def make_published(
    order: Order,
    calibration: Calibration,
    section: PolicySection,
    target: Target,
    out: Path,
    progress: Progress,
    governor: GovernorSection = GovernorSection(),  # noqa: B008 (frozen)
) -> Firmware:
    """Writes the firmware and `firmware.json` into `out`, and gives the content of the latter.

    Args:
        order: of every published mode; its policy is not read.
        section: the recipe's, which becomes a policy over the modes that are worth running on the target.
        governor: the recipe's, which becomes a plan over the concave hull of these modes.

    Raises:
        FirmwareGenError, DimmerError, TargetError: as `pipeline.image.make`.
    """
    order = replace(order, accuracy={mode.name: calibration.mode(mode.name).accuracy for mode in order.modes})
    counted = judge(order, calibration, target, progress, governor.wanted)
    instructions, cost = counted.instructions, counted.cost
    gone = {name: why for name, why in counted.worse.items() if not calibration.mode(name).kept}
    kept = tuple(mode for mode in order.modes if mode.name not in gone)
    accuracy = {mode.name: order.accuracy[mode.name] for mode in kept}
    idle = dominated({mode.name: cost[mode.name] for mode in kept}, accuracy) if cost else {}
    useful = [number for number, mode in enumerate(kept) if mode.name not in idle]
    # By what they cost here, which may be another order than that of the bit-operations.
    useful.sort(key=lambda number: (-cost.get(kept[number].name, 0), number))
    plan, note = _plan(governor, [mode.name for mode in kept], counted, calibration, target)
    order = replace(order, modes=kept, policy=recipe_policy(section, useful, plan))
    left_out = tuple(LeftOut(name, instructions[name], why) for name, why in gone.items())
    return make(order, target, out, progress, Judged(left_out, idle, note, counted.unit))


def _plan(
    section: GovernorSection, modes: Sequence[str], counted: Counted, calibration: Calibration, target: Target
) -> tuple[PlanConfig | None, str]:
    """The governor's plan over the modes of a firmware, and what to say of it; nothing where none is wanted.

    Energy is modelled (`pipeline.energy.inference`).
    """
    if not section.wanted:
        return None, ""
    modelled = {
        mode: cell_uj(target.energy, counted.instructions.get(mode), counted.cycles.get(mode), section.millivolts)
        for mode in modes
    }
    energy = {mode: 1000 * uj for mode, uj in modelled.items() if uj is not None}
    if len(energy) < len(modes):
        lacks = "no [energy]" if target.energy is None else "no way to count instructions"
        return None, f"the recipe asks for one, but targets/{target.name}/target.toml has {lacks}: there is no plan"
    accuracy = {mode: calibration.mode(mode).accuracy for mode in modes}
    hull = concave_hull(energy, accuracy, calibration.validation_images, MAX_POINTS)
    chosen = ", ".join(f"{mode} ({energy[mode] / 1000:,.0f} uJ)" for mode in hull.modes)
    left_out = "".join(f"; not from {mode}: {why}" for mode, why in hull.left_out.items())
    points = [(modes.index(mode), energy[mode]) for mode in hull.modes]
    return plan_of(section, points), f"the governor chooses from {chosen}, modelled{left_out}"
