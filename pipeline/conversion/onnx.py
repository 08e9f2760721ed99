# SPDX-License-Identifier: Apache-2.0
"""A mode as ONNX, checked against torch, with what the conversion needs to know of it."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.exported import Exported, Narrow, NarrowLayer
from dimmer.pipeline.modes.mode import Mode

if TYPE_CHECKING:
    from dimmer.calibration.batchnorm import NormStatistics
    from dimmer.pipeline.networks import Network
    from dimmer.pipeline.networks.deployed import DeployedNetwork


CHECK_IMAGES = 8

TOLERANCE = 1e-3
"""Of a logit, or of the largest one where that is over 1: float32 rounds in proportion."""


def export_mode(network: Network, name: str, statistics: NormStatistics, out: Path) -> None:
    """Writes one mode's ONNX file and its site values.

    Args:
        statistics: of the mode's own norms; empty where it keeps the trained ones.

    Raises:
        DimmerError: onnxruntime and torch disagree by more than `TOLERANCE` in a logit.
    """
    import numpy as np
    import onnxruntime
    import torch

    from dimmer.pipeline.networks.deploy import deploy
    from dimmer.pipeline.networks.joined import taken_apart

    config = network.config
    shapes = [(c, h, w) for h, w, c in config.joined_inputs] or [(config.in_channels, *config.image_size)]
    names = [f"input_{name}" for name in config.names_of("input")] or ["input"]
    outputs = [f"out_{name}" for name in config.names_of("output")] or ["logits"]
    deployed = deploy(network, Mode.parse(name), statistics)
    net = deployed.unrounded()
    path = out / f"{name}.onnx"
    with warnings.catch_warnings():
        # The legacy exporter is wanted: the dynamo one leaves a TRANSPOSE before the pooling in TFLite.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        torch.onnx.export(
            net.untapped(),
            tuple(torch.zeros(1, *shape) for shape in shapes),
            str(path),
            opset_version=net.opset,
            dynamo=False,
            input_names=names,
            output_names=outputs,
        )
    generator = torch.Generator().manual_seed(0)
    size = sum(int(np.prod(shape)) for shape in shapes)
    whole = (size, 1, 1) if config.joined_inputs else shapes[0]
    images = torch.rand(CHECK_IMAGES, *whole, generator=generator) * 3.98 - 2.0
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    worst, largest = 0.0, 1.0
    for image in images:
        with torch.no_grad():
            expected = net(image[None]).numpy()
        largest = max(largest, float(np.abs(expected).max()))
        parts = list(taken_apart(image[None], config.joined_inputs)) or [image[None]]
        found = session.run(None, {name: part.numpy() for name, part in zip(names, parts, strict=True)})
        worst = max(worst, float(np.abs(np.concatenate(found, 1) - expected).max()))
    if worst > TOLERANCE * largest:
        raise DimmerError(
            f"{path.name}: onnxruntime differs from torch by {worst:.2g} in a logit; report this as a bug"
        )
    sites: dict[str, np.ndarray] = {}

    def record(site: str, x: torch.Tensor) -> torch.Tensor:
        # What lies elsewhere is copied: of several inputs each is a part of one array.
        sites[site] = x.contiguous().numpy()
        return x

    with torch.no_grad():
        net(images[:1], record)
    Exported(sites, narrow_of(deployed)).save(out, name)


def narrow_of(network: DeployedNetwork) -> Narrow:
    """The constants of a mode's narrow convolutions as TFLite lays them out, and its narrow activations."""
    import numpy as np

    layers = {
        site: NarrowLayer(
            np.moveaxis(weights.codes.numpy(), 1, -1), weights.scale.numpy(), weights.bias.numpy(), weights.reads
        )
        for site, weights in network.narrow_weights().items()
    }
    return Narrow(layers, network.narrow_tensors())
