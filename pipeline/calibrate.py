"""Calibration: from a trained network to the modes worth publishing and the range of every tensor in them.

For every candidate (all depth patterns at every trained width, and the best mixed widths that a search by sensitivity
finds): batch-norm statistics of its own where validation accuracy gains by them; then, for all
patterns together, one range for each group of tensors (block boundaries of a stage share theirs), by the estimator
that disturbs the logits least; then the accuracy of the quantised modes on the validation images, and of these the
Pareto front.

    python -m pipeline.calibrate --model mnist5k-r14
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from dimmer.pipeline.artifacts.calibration import RESULT, STATISTICS, Calibration, load_calibration
from dimmer.pipeline.artifacts.checkpoint import find_checkpoint
from dimmer.pipeline.core.command import console, main_of, model_option
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import ROOT, StageResult, atomic_write, run_stage
from dimmer.pipeline.networks.measure import Measured, measure
from dimmer.pipeline.recipe.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    import torch

    from dimmer.calibration.assign import Choice
    from dimmer.pipeline.modes.mode import Mode
    from dimmer.pipeline.networks import ResNet
    from dimmer.pipeline.networks.deploy import DeployedNetwork

CODE = (
    "calibration",
    "pipeline/calibrate.py",
    "pipeline/candidates.py",
    "pipeline/static_front.py",
    "pipeline/networks",
    "pipeline/modes/mode.py",
    "pipeline/data",
)
PROBE_IMAGES = 64
BATCH = 128


def calibrate(recipe: Recipe, network: ResNet, out: Path, progress: Progress) -> None:
    """Writes `calibration.json` and `statistics.safetensors` into `out`."""
    import torch
    from safetensors.torch import save_file

    from dimmer.calibration.assign import Settings, assign_ranges
    from dimmer.calibration.observe import quantising_tap, site_errors
    from dimmer.calibration.ranges import Range
    from dimmer.calibration.selection import Candidate, limited, select
    from dimmer.pipeline.candidates import candidate_modes
    from dimmer.pipeline.data import load_dataset
    from dimmer.pipeline.data.encoding import INPUT_OFFSET, INPUT_SCALE, to_input
    from dimmer.pipeline.networks.deploy import deploy, fixed_ranges, range_group

    data = load_dataset(recipe.model.dataset)
    settings = recipe.calibration
    generator = torch.Generator().manual_seed(recipe.train.seed)
    order = torch.randperm(len(data.train), generator=generator).numpy()
    seen = to_input(data.train.images[order[: settings.images]]).split(BATCH)
    probe = to_input(data.train.images[order[settings.images :][:PROBE_IMAGES]]).split(BATCH)
    for_norms = to_input(data.train.images[order[: settings.bn_images]])
    val_x, val_y = to_input(data.val.images), torch.from_numpy(data.val.labels)

    search_x = to_input(data.train.images[order[-recipe.selection.images :]])
    modes = candidate_modes(recipe, network, search_x, lambda share: progress("search over widths", 0.1 * share))
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
        depths = set(mode.skip_flags(recipe.model.mandatory))
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


def _own_statistics(
    network: ResNet, mode: Mode, images: torch.Tensor
) -> Mapping[str, tuple[torch.Tensor, torch.Tensor]]:
    from dimmer.calibration.batchnorm import recalibrated

    whole = len(images) // BATCH * BATCH or len(images)
    batches = images[:whole].split(BATCH)
    return recalibrated(network, lambda x: network(x, mode), batches, trained_prefix(network, mode))


def trained_prefix(network: ResNet, mode: Mode) -> set[str]:
    """Names of the modules with which a mode begins just as a trained one does.

    They see the same there, so that statistics of its own would only cost flash: stem, and the first blocks that
    super-net or base-net at some width executes with the same bits and the same norms.
    """
    from dimmer.pipeline.modes.mode import base_mode, super_mode

    config = network.config
    own = list(network.blocks(mode))
    longest = 0
    for make in (super_mode, base_mode):
        for bits in config.bits:
            trained = network.blocks(make(config.mandatory, config.skippable, bits))
            pairs = zip(own, trained, strict=False)
            longest = max(longest, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)))
    inside = ("stem.", *(f"{name}." for name, *_ in own[:longest]))
    return {name for name, _ in network.named_modules() if name.startswith(inside)}


def _ranges_of(name: str, choices: Mapping[str, Choice]) -> dict[str, Any]:
    return {site: choice.range for choice in choices.values() for n, site in choice.members if n == name}


def run(recipe: Recipe, build: Path, progress: Progress) -> StageResult:
    """The stage: build/<model>/train -> build/<model>/calibrate."""
    checkpoint = find_checkpoint(recipe)

    def action(out: Path) -> None:
        from dimmer.pipeline.artifacts.checkpoint import load_network

        calibrate(recipe, load_network(recipe, checkpoint), out, progress)

    settings: dict[str, Any] = {
        "model": dataclasses.asdict(recipe.model),
        "calibration": dataclasses.asdict(recipe.calibration),
        "selection": dataclasses.asdict(recipe.selection),
        "seed": recipe.train.seed,
    }
    return run_stage("calibrate", build / "calibrate", [checkpoint], settings, [ROOT / c for c in CODE], action)


def print_tables(calibration: Calibration) -> None:
    """The modes, the ranges and the error at every tensor, as tables on the terminal."""
    from rich.table import Table

    terminal = console()
    table = Table(title="Modes on the validation images, int8 simulated")
    for heading in ("mode", "MMACs", "Gbitops", "float, as trained", "recalibrated", "int8", "verdict"):
        table.add_column(heading, justify="left" if heading in ("mode", "verdict") else "right")
    for m in sorted(calibration.contents["modes"], key=lambda m: -m["bit_operations"]):
        again = f"{m['accuracy_float']:.2%}" if m["recalibrated"] else "-"
        verdict = ("published: " if m["published"] else "dropped: ") + m["reason"]
        table.add_row(
            m["name"],
            f"{m['macs'] / 1e6:.2f}",
            f"{m['bit_operations'] / 1e9:.3f}",
            f"{m['accuracy_as_trained']:.2%}",
            again,
            f"{m['accuracy']:.2%}",
            verdict,
        )
    terminal.print(table)
    names = calibration.published
    table = Table(title="Ranges; signal to quantisation noise in dB, all errors before the tensor included")
    for heading in ("tensor", "range of", "low", "high", "estimator", *names):
        table.add_column(
            heading, justify="left" if heading in ("tensor", "range of", "estimator") else "right", no_wrap=True
        )
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for name in names:
        for site, entry in calibration.mode(name)["sites"].items():
            rows.setdefault((site, entry["group"]), {})[name] = entry["sqnr_db"]
    for (site, group), by_mode in rows.items():
        g = calibration.contents["groups"][group]
        cells = [f"{by_mode[n]:.1f}" if n in by_mode else "" for n in names]
        shared = group.partition("@")[2] or (group if group != site else "")
        table.add_row(site, shared, f"{g['low']:.3f}", f"{g['high']:.3f}", g["method"], *cells)
    terminal.print(table)


def main(model: Annotated[str, model_option] = "mnist5k-r14") -> None:
    """Calibrate a trained model and choose the modes to publish."""
    from dimmer.pipeline.artifacts.context import build_folder
    from dimmer.pipeline.core.command import progress_bar

    recipe = load_recipe(model)
    build = build_folder(recipe)
    with progress_bar("calibrate") as progress:
        run(recipe, build, progress)
    print_tables(load_calibration(build / "calibrate"))


if __name__ == "__main__":
    main_of(main)
