# SPDX-License-Identifier: Apache-2.0
"""The firmware of a model's published modes: those worth running on the target, and the policy over them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dimmer.calibration.selection import dominated
from dimmer.firmware_gen.gates import GateSet
from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.converted import converted_folder
from dimmer.pipeline.artifacts.firmware import Firmware, LeftOut
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.image.figures import Judged
from dimmer.pipeline.image.make import judge, make
from dimmer.pipeline.image.order import Order, converted_order
from dimmer.pipeline.image.policy import recipe_policy
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
    order: Order, calibration: Calibration, section: PolicySection, target: Target, out: Path, progress: Progress
) -> Firmware:
    """Writes the firmware and `firmware.json` into `out`, and gives the content of the latter.

    Args:
        order: of every published mode; its policy is not read.
        section: the recipe's, which becomes a policy over the modes that are worth running on the target.

    Raises:
        FirmwareGenError, DimmerError, TargetError: as `pipeline.image.make`.
    """
    order = replace(order, accuracy={mode.name: calibration.mode(mode.name).accuracy for mode in order.modes})
    counted = judge(order, calibration, target, progress)
    instructions, cost = counted.instructions, counted.cost
    gone = {name: why for name, why in counted.worse.items() if not calibration.mode(name).kept}
    kept = tuple(mode for mode in order.modes if mode.name not in gone)
    accuracy = {mode.name: order.accuracy[mode.name] for mode in kept}
    idle = dominated({mode.name: cost[mode.name] for mode in kept}, accuracy) if cost else {}
    useful = [number for number, mode in enumerate(kept) if mode.name not in idle]
    # By what they cost here, which may be another order than that of the bit-operations.
    useful.sort(key=lambda number: (-cost.get(kept[number].name, 0), number))
    order = replace(order, modes=kept, policy=recipe_policy(section, useful))
    left_out = tuple(LeftOut(name, instructions[name], why) for name, why in gone.items())
    return make(order, target, out, progress, Judged(left_out, idle, counted.unit))
