# SPDX-License-Identifier: Apache-2.0
"""The firmware of a model's published modes: those worth running on the target, and the policy over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.plan import PlanConfig
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.gates import GateSet
from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.converted import converted_folder
from dimmer.pipeline.artifacts.energy import Quantity
from dimmer.pipeline.artifacts.firmware import Firmware, LeftOut
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.registry import Source, load_dataset
from dimmer.pipeline.energy.account import DAY_S, besides, mean_ua
from dimmer.pipeline.energy.hull import Hull
from dimmer.pipeline.energy.inference import cell_uj, drawn
from dimmer.pipeline.energy.plan import plan_of
from dimmer.pipeline.image.figures import Judged
from dimmer.pipeline.image.make import Counted, judge, make
from dimmer.pipeline.image.meaning import meaning_of
from dimmer.pipeline.image.menu import ids, menu_note, menu_of
from dimmer.pipeline.image.order import Order, converted_order
from dimmer.pipeline.image.policy import Drain, recharge_policy, recipe_policy
from dimmer.pipeline.recipe.sections.duty import Duty
from dimmer.pipeline.recipe.sections.governor import GovernorSection
from dimmer.pipeline.recipe.sections.policy import PolicySection
from dimmer.targets import Target
from dimmer.targets.counter import uncounted

HOST = "host"
"""Core of the target that is this machine."""


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
    return replace(order, classes=data.outputs, meaning=meaning_of(dataset, order.modes))


def make_published(
    order: Order,
    calibration: Calibration,
    section: PolicySection,
    target: Target,
    out: Path,
    progress: Progress,
    governor: GovernorSection = GovernorSection(),  # noqa: B008 (frozen)
    duty: Duty = Duty(),  # noqa: B008 (frozen)
) -> Firmware:
    """Writes the firmware and `firmware.json` into `out`, and gives the content of the latter.

    Args:
        order: of every published mode; its policy is not read.
        section: the recipe's, which becomes a policy over the modes that are worth running on the target.
        governor: the recipe's, which becomes a plan over the concave hull of these modes.
        duty: of the device, from which the thresholds of a charger follow.

    Raises:
        FirmwareGenError, DimmerError, TargetError: as `pipeline.image.make`.
    """
    order = with_accuracies(order, calibration)
    needed = governor.wanted or section.max_ms > 0 or section.recharge != ""
    counted = judge(order, calibration, target, progress, needed)
    order, judged = worth_running(order, calibration, section, target, counted, governor, duty)
    return make(order, target, out, progress, judged)


def with_accuracies(order: Order, calibration: Calibration) -> Order:
    """The order with what calibration found of its modes."""
    return replace(order, accuracy={mode.name: calibration.mode(mode.name).accuracy for mode in order.modes})


def worth_running(
    order: Order,
    calibration: Calibration,
    section: PolicySection,
    target: Target,
    counted: Counted,
    governor: GovernorSection = GovernorSection(),  # noqa: B008 (frozen)
    duty: Duty = Duty(),  # noqa: B008 (frozen)
) -> tuple[Order, Judged]:
    """Of an order the modes that are worth running on a target, with a policy over them, and what was judged.

    Args:
        counted: what the modes cost there.

    Raises:
        DimmerError: the recipe wants what nobody knows of this target.
    """
    instructions, cost = counted.instructions, counted.cost
    gone = {name: why for name, why in counted.worse.items() if not calibration.mode(name).kept}
    kept = tuple(mode for mode in order.modes if mode.name not in gone)
    names = [mode.name for mode in kept]
    slow, unlimited = _too_slow(section, counted, names, target)
    quick = [name for name in names if name not in slow]
    menu = menu_of({name: cost[name] if cost else calibration.mode(name).bit_operations for name in quick}, calibration)
    plan, note = plan_for(governor, duty, names, quick, counted, calibration, target)
    policy, said = _policy(section, duty, names, menu, plan, counted, calibration, target)
    order = replace(order, modes=kept, policy=policy)
    left_out = tuple(LeftOut(name, instructions.get(name) or cost[name], why) for name, why in gone.items())
    told = "; ".join(filter(None, (unlimited, said, menu_note({**slow, **menu.left_out}))))
    return order, Judged(left_out, told, note)


def _policy(
    section: PolicySection,
    duty: Duty,
    names: Sequence[str],
    menu: Hull,
    plan: PlanConfig | None,
    counted: Counted,
    calibration: Calibration,
    target: Target,
) -> tuple[PolicyConfig, str]:
    """The recipe's tiers, and what to say of them.

    Args:
        names: of the modes of the firmware, by their numbers.

    Raises:
        DimmerError: thresholds are to be computed, and what modes draw on the target is not known.
    """
    # By what they cost here, which may be another order than that of the bit-operations.
    useful = ids(menu, names)
    plain = recipe_policy(section, useful, plan, names.index(menu.knee))
    if not section.recharge:
        return plain, ""
    draw = [
        mean_ua(target.energy, duty, counted.instructions.get(mode), counted.cycles.get(mode))
        for mode in reversed(menu.modes)
    ]
    powers = tuple(one for one in draw if one is not None)
    if len(powers) < len(draw):
        return plain, _unknown("policy.recharge", "what its modes draw", target, "thresholds are not computed")
    accuracy = tuple(calibration.mode(mode).accuracy for mode in reversed(menu.modes))
    drain = Drain(powers, accuracy, duty.capacity_mah * 3.6e6)
    every = f"a charger that comes after {section.recharge_hours:g} h on an average, {section.recharge}"
    return recharge_policy(section, useful, drain, plan), f"thresholds computed, modelled, for {every}"


def _unknown(key: str, what: str, target: Target, then: str) -> str:
    """The note for this machine, whose firmware only verifies.

    Raises:
        DimmerError: it is another target, on which the recipe's key would be without effect.
    """
    if target.core != HOST:
        lacks = "its target.toml has no [energy] (docs/energy.md)" if target.energy is None else uncounted(target)
        raise DimmerError(f"{key}: nobody knows {what} on {target.name}: {lacks}; leave it out, or mend that")
    return f"{key}: nobody knows {what} on this machine: {then}"


def _too_slow(
    section: PolicySection, counted: Counted, names: Sequence[str], target: Target
) -> tuple[dict[str, str], str]:
    """Modes that take longer than the recipe allows, and why; the cheapest is never among them. And what to say of it.

    Raises:
        DimmerError: how long an inference takes on the target is not known.
    """
    if not section.max_ms:
        return {}, ""
    took: dict[str, float] = {}
    estimated = False
    for name in names:
        found = drawn(target.energy, counted.instructions.get(name), counted.cycles.get(name))
        if found is not None:
            took[name] = 1000 * found.seconds
        elif name in counted.milliseconds:
            took[name], estimated = counted.milliseconds[name], True
        else:
            return {}, _unknown("policy.max_ms", "how long modes take", target, "it limits nothing")
    how = "by Vela's estimate" if estimated else "modelled"
    cheapest = min(names, key=lambda name: took[name])
    over = {
        name: f"takes {_milliseconds(ms)}, {how}, over max_ms = {section.max_ms:g}"
        for name, ms in took.items()
        if ms > section.max_ms and name != cheapest
    }
    return over, ""


def _milliseconds(value: float) -> str:
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.2g} ms"


def plan_for(
    section: GovernorSection,
    duty: Duty,
    modes: Sequence[str],
    quick: Sequence[str],
    counted: Counted,
    calibration: Calibration,
    target: Target,
) -> tuple[PlanConfig | None, str]:
    """The governor's plan over the modes of a firmware, and what to say of it; nothing where none is wanted.

    Energy is modelled (`pipeline.energy.inference`), and so is what wake-ups and the application take.

    Args:
        duty: how often the device wakes up.
        modes: of the firmware, by their numbers.
        quick: those that may be chosen.

    Raises:
        DimmerError: what modes draw on the target is not known, or battery and modes do not go together.
    """
    if not section.wanted:
        return None, ""
    modelled = {
        mode: cell_uj(
            target.energy,
            counted.instructions.get(mode),
            counted.cycles.get(mode),
            section.millivolts,
            duty.clock_mhz,
        )
        for mode in quick
    }
    energy = {mode: 1000 * uj for mode, uj in modelled.items() if uj is not None}
    if len(energy) < len(quick):
        return None, _unknown("governor", "what its modes draw", target, "there is no plan")
    hull = menu_of(energy, calibration)
    chosen = ", ".join(f"{mode} ({_microjoules(counted, mode, target, energy[mode] / 1000)})" for mode in hull.modes)
    left_out = "".join(f"; not from {mode}: {why}" for mode, why in hull.left_out.items())
    points = [(modes.index(mode), energy[mode]) for mode in hull.modes]
    idle = besides(target.energy, replace(duty, millivolts=section.millivolts))
    # As the report counts them: where the dearest takes longer than the period, there are no more wake-ups than it has
    # time for.
    taken = [
        drawn(target.energy, counted.instructions.get(mode), counted.cycles.get(mode), duty.clock_mhz)
        for mode in hull.modes
    ]
    period_s = max([DAY_S / duty.inferences_a_day, *(one.seconds for one in taken if one is not None)])
    plan = plan_of(section, points, idle.sleep_ua + idle.period_uc / period_s)
    return plan, f"the governor chooses from {chosen}, modelled{left_out}"


def _microjoules(counted: Counted, mode: str, target: Target, uj: float) -> str:
    """An inference's energy with no more digits than it deserves."""
    found = drawn(target.energy, counted.instructions.get(mode), counted.cycles.get(mode))
    assert found is not None
    return f"{Quantity.of(uj, found.error).parts()[0]} uJ"
