# SPDX-License-Identifier: Apache-2.0
"""The firmware of a model's published modes: those worth running on the target, and the policy over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.plan import MAX_POINTS, PlanConfig
from dimmer.firmware_gen.gates import GateSet
from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.converted import converted_folder
from dimmer.pipeline.artifacts.firmware import Firmware, LeftOut
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.registry import Source, load_dataset
from dimmer.pipeline.energy.hull import Hull, concave_hull
from dimmer.pipeline.energy.inference import cell_uj, drawn
from dimmer.pipeline.energy.plan import plan_of
from dimmer.pipeline.image.figures import Judged
from dimmer.pipeline.image.make import Counted, judge, make
from dimmer.pipeline.image.meaning import meaning_of
from dimmer.pipeline.image.order import Order, converted_order
from dimmer.pipeline.image.policy import recipe_policy
from dimmer.pipeline.recipe.sections.governor import GovernorSection
from dimmer.pipeline.recipe.sections.policy import PolicySection
from dimmer.targets import Target


def published_order(build: Path, name: str, dataset: Source, gates: GateSet | None) -> Order:
    """An order for every published mode, with the first test image for the self-test.

    Args:
        build: ``build/<model>``, converted.

    Raises:
        DimmerError: the model was not converted.
    """
    data = load_dataset(dataset)
    image = to_int8(data.test.images[:1]).tobytes()
    order = converted_order(name, converted_folder(build), gates, image)
    return replace(order, classes=data.classes, meaning=meaning_of(dataset))


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
    counted = judge(order, calibration, target, progress, governor.wanted or section.max_ms > 0)
    instructions, cost = counted.instructions, counted.cost
    gone = {name: why for name, why in counted.worse.items() if not calibration.mode(name).kept}
    kept = tuple(mode for mode in order.modes if mode.name not in gone)
    names = [mode.name for mode in kept]
    slow = _too_slow(section, counted, names, target)
    quick = [name for name in names if name not in slow]
    menu = _hull({name: cost[name] if cost else calibration.mode(name).bit_operations for name in quick}, calibration)
    # By what they cost here, which may be another order than that of the bit-operations.
    useful = [names.index(name) for name in reversed(menu.modes)]
    plan, note = _plan(governor, names, quick, counted, calibration, target)
    order = replace(order, modes=kept, policy=recipe_policy(section, useful, plan))
    left_out = tuple(LeftOut(name, instructions[name], why) for name, why in gone.items())
    return make(order, target, out, progress, Judged(left_out, {**slow, **menu.left_out}, note))


def _too_slow(section: PolicySection, counted: Counted, names: Sequence[str], target: Target) -> dict[str, str]:
    """Modes that take longer than the recipe allows, and why; the cheapest is never among them.

    Raises:
        DimmerError: how long an inference takes on the target is not known.
    """
    if not section.max_ms:
        return {}
    took: dict[str, float] = {}
    for name in names:
        found = drawn(target.energy, counted.instructions.get(name), counted.cycles.get(name))
        if found is None:
            lacks = "has no [energy]" if target.energy is None else "counts no instructions"
            raise DimmerError(f"policy.max_ms: nobody knows how long {target.name} takes, which {lacks}: leave it out")
        took[name] = 1000 * found.seconds
    cheapest = min(names, key=lambda name: took[name])
    return {
        name: f"takes {ms:,.0f} ms, modelled, over max_ms = {section.max_ms:g}"
        for name, ms in took.items()
        if ms > section.max_ms and name != cheapest
    }


def _hull(cost: Mapping[str, float], calibration: Calibration) -> Hull:
    """Of modes, which are worth choosing from."""
    accuracy = {name: calibration.mode(name).accuracy for name in cost}
    return concave_hull(cost, accuracy, calibration.validation_images, MAX_POINTS, calibration.right([*cost]))


def _plan(
    section: GovernorSection,
    modes: Sequence[str],
    quick: Sequence[str],
    counted: Counted,
    calibration: Calibration,
    target: Target,
) -> tuple[PlanConfig | None, str]:
    """The governor's plan over the modes of a firmware, and what to say of it; nothing where none is wanted.

    Energy is modelled (`pipeline.energy.inference`).

    Args:
        modes: of the firmware, by their numbers.
        quick: those that may be chosen.
    """
    if not section.wanted:
        return None, ""
    modelled = {
        mode: cell_uj(target.energy, counted.instructions.get(mode), counted.cycles.get(mode), section.millivolts)
        for mode in quick
    }
    energy = {mode: 1000 * uj for mode, uj in modelled.items() if uj is not None}
    if len(energy) < len(quick):
        lacks = "no [energy]" if target.energy is None else "no way to count instructions"
        return None, f"the recipe asks for one, but targets/{target.name}/target.toml has {lacks}: there is no plan"
    hull = _hull(energy, calibration)
    chosen = ", ".join(f"{mode} ({energy[mode] / 1000:,.0f} uJ)" for mode in hull.modes)
    left_out = "".join(f"; not from {mode}: {why}" for mode, why in hull.left_out.items())
    points = [(modes.index(mode), energy[mode]) for mode in hull.modes]
    return plan_of(section, points), f"the governor chooses from {chosen}, modelled{left_out}"
