"""Export: every published mode as ONNX, checked against torch with onnxruntime.

Beside each `<mode>.onnx` stands `<mode>.sites.npz`: one image and the value of every site for it, by which the
conversion recognises the tensors of the converted file, and for modes with blocks of 4 or 2 bits `<mode>.narrow.npz`:
the codes, steps and biases of their convolutions, which the conversion puts into the finished file.

    python -m pipeline.export --model mnist5k-r14
"""

from __future__ import annotations

import dataclasses
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from dimmer.pipeline.artifacts.calibration import Calibration, load_calibration
from dimmer.pipeline.artifacts.checkpoint import find_checkpoint
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.calibrate import Progress
from dimmer.pipeline.command import main_of, model_option, progress_bar
from dimmer.pipeline.errors import DimmerError
from dimmer.pipeline.modes import Mode
from dimmer.pipeline.recipe import Recipe, load_recipe
from dimmer.pipeline.stage import ROOT, StageResult, run_stage

if TYPE_CHECKING:
    from dimmer.pipeline.networks import ResNet
    from dimmer.pipeline.networks.deploy import DeployedNetwork

CODE = ("pipeline/export.py", "pipeline/networks", "calibration/weights.py", "pipeline/modes.py")
OPSET = 17
CHECK_IMAGES = 8
TOLERANCE = 1e-3


def export_mode(network: ResNet, calibration: Calibration, name: str, out: Path) -> None:
    """Writes one mode's ONNX file and its site values.

    Raises:
        DimmerError: onnxruntime and torch disagree by more than `TOLERANCE` in a logit.
    """
    import numpy as np
    import onnxruntime
    import torch

    from dimmer.pipeline.networks.deploy import deploy

    shape = (network.config.in_channels, *network.config.image_size)
    deployed = deploy(network, Mode.parse(name), calibration.statistics(name))
    net = deployed.unrounded()
    path = out / f"{name}.onnx"
    with warnings.catch_warnings():
        # The legacy exporter is wanted: the dynamo one leaves a TRANSPOSE before the pooling in TFLite.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        torch.onnx.export(
            net.untapped(),
            (torch.zeros(1, *shape),),
            str(path),
            opset_version=OPSET,
            dynamo=False,
            input_names=["input"],
            output_names=["logits"],
        )
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(CHECK_IMAGES, *shape, generator=generator) * 3.98 - 2.0
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    worst = 0.0
    for image in images:
        with torch.no_grad():
            expected = net(image[None]).numpy()
        worst = max(worst, float(np.abs(session.run(None, {"input": image[None].numpy()})[0] - expected).max()))
    if worst > TOLERANCE:
        raise DimmerError(
            f"{path.name}: onnxruntime differs from torch by {worst:.2g} in a logit; report this as a bug"
        )
    sites: dict[str, np.ndarray] = {}

    def record(site: str, x: torch.Tensor) -> torch.Tensor:
        sites[site] = x.numpy()
        return x

    with torch.no_grad():
        net(images[:1], record)
    np.savez(out / f"{name}.sites.npz", **sites)  # type: ignore[arg-type]
    save_narrow(out / f"{name}.narrow.npz", deployed)


def save_narrow(path: Path, network: DeployedNetwork) -> None:
    """Writes `site/bits`, `site/codes` int8[O,H,W,I], `site/scale` and `site/bias` float64[O]; nothing at 8 bits."""
    import numpy as np

    arrays = {}
    for site, weights in network.narrow_weights().items():
        arrays[f"{site}/bits"] = np.array(weights.bits)
        arrays[f"{site}/codes"] = np.moveaxis(weights.codes.numpy(), 1, -1)
        arrays[f"{site}/scale"] = weights.scale.numpy()
        arrays[f"{site}/bias"] = weights.bias.numpy()
    if arrays:
        np.savez(path, **arrays)  # type: ignore[arg-type]


def run(recipe: Recipe, build: Path, progress: Progress) -> StageResult:
    """The stage: build/<model>/calibrate -> build/<model>/export."""
    checkpoint = find_checkpoint(recipe)
    source = build / "calibrate"

    def action(out: Path) -> None:
        from dimmer.pipeline.artifacts.checkpoint import load_network

        network, calibration = load_network(recipe, checkpoint), load_calibration(source)
        for done, name in enumerate(calibration.published):
            progress(f"{name}.onnx", done / len(calibration.published))
            export_mode(network, calibration, name, out)

    settings = {"model": dataclasses.asdict(recipe.model)}
    inputs = [checkpoint, source / "calibration.json", source / "statistics.safetensors"]
    return run_stage("export", build / "export", inputs, settings, [ROOT / c for c in CODE], action)


def main(model: Annotated[str, model_option] = "mnist5k-r14") -> None:
    """Write every published mode as ONNX and check it against torch."""
    recipe = load_recipe(model)
    build = build_folder(recipe)
    with progress_bar("export") as progress:
        run(recipe, build, progress)
    for path in sorted((build / "export").glob("*.onnx")):
        print(f"{path}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main_of(main)
