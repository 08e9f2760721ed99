"""Gated runs on the host and the target against the interpreter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.artifacts.firmware import firmware_folder
from dimmer.pipeline.core.errors import DimmerError
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.modes.mode import Mode, super_mode
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.targets import Target

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from dimmer.pipeline.networks import Network

    Int8 = npt.NDArray[np.int8]
from dimmer.pipeline.verification.schedules import SEED


def verify_gates(
    recipe: Recipe,
    build: Path,
    backends: Mapping[str, Target],
    sources: Sequence[ModeSource],
    network: Network,
    progress: Progress,
) -> dict[str, Any]:
    """Compares gated runs, each with another budget, and measures each of the recipe's budgets on the whole test set.

    Args:
        backends: name -> target; "host" is among them.

    Returns:
        share_of_macs; samples and for each backend mismatches; budgets: [{budget, accuracy, cost, modes, agreement}],
        where agreement is the share of the inputs for which the float network's gates choose the same mode.

    Raises:
        DimmerError: any mismatch.
    """
    import numpy as np

    from dimmer.pipeline.artifacts.gates import load_gates, recipe_gates
    from dimmer.pipeline.data.encoding import to_int8
    from dimmer.pipeline.data.registry import load_dataset
    from dimmer.pipeline.image.gated_records import run_gated
    from dimmer.pipeline.networks.gates.budget import budget_level, gate_macs, gated_cost
    from dimmer.pipeline.networks.gates.integer import compare as agreement
    from dimmer.pipeline.training.gate_trainer import choices
    from dimmer.pipeline.verification.gated_expected import gated_oracle, mismatches, mode_counts

    gates, config, shape = recipe_gates(recipe), recipe.model.config, recipe.gates.config()
    assert gates is not None
    test = load_dataset(recipe.model.dataset).test
    images, blocks = to_int8(test.images), len(gates.blocks)
    count = min(recipe.verify.images, len(test))
    levels = np.random.default_rng(SEED).integers(0, 256, count)
    progress("gated runs against the interpreter", 0.95)
    expected = gated_oracle(sources, gates, images[:count], levels)
    size = expected.outputs.shape[1]
    found: dict[str, Any] = {"samples": count, "mismatches": {}}
    for name, backend in backends.items():
        elf = firmware_folder(build, backend.name) / "firmware.elf"
        wrong = mismatches(expected, run_gated(backend, elf, images[:count], levels, blocks, size))
        if wrong:
            raise DimmerError(
                f"{name} differs from the TFLite interpreter or the gates' reference in {wrong} of {count} gated "
                "inferences; do not flash it, report it"
            )
        found["mismatches"][name] = wrong
    cost = gated_cost(config, network.cost(), shape, recipe.gates.reference_bits)
    lengths = [len(stage) for stage in cost.blocks]
    found["share_of_macs"] = gate_macs(config, shape) / super_mode(config.mandatory, config.skippable).macs(
        network.cost()
    )
    found["budgets"] = []
    elf = firmware_folder(build, "host") / "firmware.elf"
    for budget in recipe.gates.budgets:
        progress(f"test accuracy of the gates with a budget of {budget}", 0.97)
        level = np.full(len(test), budget_level(budget))
        ran = run_gated(backends["host"], elf, images, level, blocks, size)
        modes = mode_counts(ran.bits, lengths)
        float_bits = choices(recipe, network, load_gates(recipe), test, budget)
        found["budgets"].append(
            {
                "budget": budget,
                "accuracy": float(np.mean(ran.outputs.argmax(1) == test.labels)),
                "cost": sum(cost.relative(Mode.parse(mode)) * n for mode, n in modes.items()) / len(test),
                "agreement": asdict(agreement(ran.bits.astype(np.int64), float_bits)),
                "modes": modes,
            }
        )
    return found
