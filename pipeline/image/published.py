"""The firmware of a model's published modes: those worth running on the target, and the policy over them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dimmer.calibration.selection import dominated
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.pipeline.artifacts.calibration import load_calibration
from dimmer.pipeline.artifacts.converted import mode_sources
from dimmer.pipeline.artifacts.gates import recipe_gates
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.image.make import judge, make
from dimmer.pipeline.image.order import Order
from dimmer.pipeline.image.policy import recipe_policy
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.targets import Target


def make_published(recipe: Recipe, build: Path, target: Target, out: Path, progress: Progress) -> None:
    """Writes the firmware and `firmware.json` into `out`.

    Args:
        build: ``build/<model>``, converted.

    Raises:
        FirmwareGenError, DimmerError, TargetError: as `pipeline.image.make`.
    """
    modes = tuple(mode_sources(build / "convert"))
    image = to_int8(load_dataset(recipe.model.dataset).test.images[:1]).tobytes()
    calibration = load_calibration(build / "calibrate")
    order = Order(recipe.name, modes, PolicyConfig(), image, gates=recipe_gates(recipe))
    worse, counted = judge(order, calibration, target, progress)
    left_out = {name: why for name, why in worse.items() if not calibration.mode(name)["kept"]}
    kept = tuple(mode for mode in modes if mode.name not in left_out)
    accuracy = {mode.name: calibration.mode(mode.name)["accuracy"] for mode in kept}
    idle = dominated({mode.name: counted[mode.name] for mode in kept}, accuracy) if counted else {}
    useful = [number for number, mode in enumerate(kept) if mode.name not in idle]
    # By what they cost here, which may be another order than that of the bit-operations.
    useful.sort(key=lambda number: (-counted.get(kept[number].name, 0), number))
    order = replace(order, modes=kept, policy=recipe_policy(recipe.policy, useful))
    entries = [{"mode": name, "instructions": counted[name], "reason": why} for name, why in left_out.items()]
    make(order, target, out, progress, entries, idle)
