"""A trained network calibrated: norms, ranges, accuracies, verdicts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dimmer.pipeline.artifacts.calibration import RESULT, STATISTICS
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.networks.measure import Measured, measure
from dimmer.pipeline.recipe.recipe import Recipe

if TYPE_CHECKING:
    import torch

    from dimmer.calibration.assign import Choice
    from dimmer.pipeline.networks import Network
    from dimmer.pipeline.networks.deployed import DeployedNetwork
from dimmer.pipeline.subnets.norms import BATCH, _own_statistics

PROBE_IMAGES = 64


def calibrate(recipe: Recipe, network: Network, out: Path, progress: Progress) -> None:
    """Writes `calibration.json` and `statistics.safetensors` into `out`."""
    import torch
    from safetensors.torch import save_file

    from dimmer.calibration.assign import Settings, assign_ranges
    from dimmer.calibration.observe import quantising_tap, site_errors
    from dimmer.calibration.ranges import Range
    from dimmer.calibration.selection import Candidate, limited, select
    from dimmer.pipeline.data.encoding import INPUT_OFFSET, INPUT_SCALE, to_input
    from dimmer.pipeline.data.registry import load_dataset
    from dimmer.pipeline.networks.deploy import deploy, fixed_ranges, range_group
    from dimmer.pipeline.subnets.candidates import candidate_modes

    data = load_dataset(recipe.model.dataset)
    settings = recipe.calibration
    generator = torch.Generator().manual_seed(recipe.train.seed)
    order = torch.randperm(len(data.train), generator=generator).numpy()
    seen = to_input(data.train.images[order[: settings.images]]).split(BATCH)
    probe = to_input(data.train.images[order[settings.images :][:PROBE_IMAGES]]).split(BATCH)
    for_norms = to_input(data.train.images[order[: settings.bn_images]])
    val_x, val_y = to_input(data.val.images), torch.from_numpy(data.val.labels)

    search_x = to_input(data.train.images[order[-recipe.selection.images :]])
    modes = candidate_modes(
        network,
        recipe.forced_modes(),
        recipe.selection,
        recipe.train.temperature,
        search_x,
        lambda share: progress("search over widths", 0.1 * share),
    )
    deployed: dict[str, DeployedNetwork] = {}
    kept: dict[str, torch.Tensor] = {}
    floats: dict[str, Measured] = {}
    as_trained: dict[str, Measured] = {}
    for done, mode in enumerate(modes):
        name = str(mode)
        progress(f"norms of {name}", 0.1 + 0.2 * done / len(modes))
        plain = deploy(network, mode)
        as_trained[name] = floats[name] = measure(plain, val_x, val_y)
        deployed[name] = plain
        # The depths in between were never trained; widths were, block by block.
        depths = set(mode.skip_flags(recipe.model.config.mandatory))
        if settings.recalibrate_bn and len(depths) > 1:
            statistics = _own_statistics(network, mode, for_norms)
            own = deploy(network, mode, statistics)
            again = measure(own, val_x, val_y)
            if again.accuracy > as_trained[name].accuracy:
                deployed[name], floats[name] = own, again
                for norm, (mean, var) in statistics.items():
                    kept[f"{name}/{norm}/mean"], kept[f"{name}/{norm}/var"] = mean, var

    low, high = (-128 * INPUT_SCALE, 127 * INPUT_SCALE) if INPUT_OFFSET == 128 else (0.0, 255 * INPUT_SCALE)
    fixed = {"input": Range(low, high)}
    for net in deployed.values():
        fixed |= {range_group(net, site): Range(*ends) for site, ends in fixed_ranges(net).items()}
    choices = assign_ranges(
        deployed,
        lambda name, site: range_group(deployed[name], site),
        seen,
        probe,
        Settings(settings.methods, settings.percentile, fixed),
        lambda text, share: progress(text, 0.3 + 0.5 * share),
    )

    ranges = {name: _ranges_of(name, choices) for name in deployed}
    quantised: dict[str, Measured] = {}
    errors = {}
    for done, (name, net) in enumerate(deployed.items()):
        progress(f"accuracy of {name}", 0.8 + 0.2 * done / len(deployed))
        tap = quantising_tap(ranges[name])
        quantised[name] = measure(lambda x, net=net, tap=tap: net(x, tap), val_x, val_y)  # type: ignore[misc]
        errors[name] = site_errors(net, seen[:1], ranges[name])

    forced = {str(m) for m in (*recipe.forced_modes(), recipe.super_mode(), recipe.base_mode())}
    cost = network.cost()
    candidates = [
        Candidate(str(m), m.bit_operations(cost), quantised[str(m)].correct, quantised[str(m)].loss, str(m) in forced)
        for m in modes
    ]
    verdicts = limited(candidates, select(candidates), recipe.selection.limit)
    result = {
        "model": recipe.name,
        "validation_images": len(data.val),
        "modes": [
            {
                "name": str(mode),
                "macs": mode.macs(cost),
                "bit_operations": mode.bit_operations(cost),
                "recalibrated": any(key.startswith(f"{mode}/") for key in kept),
                "accuracy_as_trained": as_trained[str(mode)].accuracy,
                "accuracy_float": floats[str(mode)].accuracy,
                "accuracy": quantised[str(mode)].accuracy,
                "loss": quantised[str(mode)].loss,
                "published": verdict.published,
                "kept": str(mode) in forced,
                "dominated_by": verdict.dominated_by,
                "reason": verdict.reason,
                "sites": {
                    site: {
                        "group": range_group(deployed[str(mode)], site),
                        "sqnr_db": round(error.sqnr_db, 2),
                        "clipped": error.clipped,
                    }
                    for site, error in errors[str(mode)].items()
                },
            }
            for mode, verdict in zip(modes, verdicts, strict=True)
        ],
        "groups": {
            group: {
                "low": choice.range.low,
                "high": choice.range.high,
                "method": choice.method,
                "logit_error": dict(choice.errors),
                "modes": sorted({n for n, _ in choice.members}),
            }
            for group, choice in choices.items()
        },
    }
    save_file(kept, out / STATISTICS)
    atomic_write(out / RESULT, json.dumps(result, indent=1) + "\n")


def _ranges_of(name: str, choices: Mapping[str, Choice]) -> dict[str, Any]:
    return {site: choice.range for choice in choices.values() for n, site in choice.members if n == name}
