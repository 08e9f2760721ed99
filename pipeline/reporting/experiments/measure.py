# SPDX-License-Identifier: Apache-2.0
"""What a trained network of a run is worth: every depth, those between recalibrated; validation chooses, test tells.

Nothing here needs TensorFlow: accuracies are those of the float network, on the device that trained it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.data.encoding import to_input
from dimmer.pipeline.modes.mode import FULL_BITS, Mode, base_mode, super_mode
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.measure import right_in_float
from dimmer.pipeline.reporting.experiments.record import NetRecord, packed
from dimmer.pipeline.subnets.norms import preferred

_EVAL_BATCH = 250


def networks_of(network: Network, *, alone: bool) -> dict[str, Mode]:
    """Name -> mode of what a run measures, the super-net first; at narrow widths super- and base-net."""
    if alone:
        return {"super": network.super_mode()}
    named = {"super": network.super_mode(), "base": network.base_mode()}
    between = [mode for mode in network.depth_patterns() if mode not in named.values()]
    sizes = network.config.mandatory, network.config.skippable
    narrow = [
        make(*sizes, bits) for bits in network.config.bits if bits != FULL_BITS for make in (super_mode, base_mode)
    ]
    return named | {str(mode): mode for mode in (*between, *narrow)}


def measure_nets(
    network: Network, data: Dataset, device: torch.device, images: int, seed: int, *, alone: bool
) -> dict[str, NetRecord]:
    """Every network of a run.

    Args:
        network: trained, on the device; left as it was found, in eval mode.
        images: training images, not augmented, for the norm statistics of mixed depths.
        seed: of their choice, as in a calibration.
    """
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(seed)).numpy()[:images]
    norms = _here(data.train.images[order], device)
    return {
        name: _measured(network, mode, data, device, norms) for name, mode in networks_of(network, alone=alone).items()
    }


def _measured(network: Network, mode: Mode, data: Dataset, device: torch.device, norms: torch.Tensor) -> NetRecord:
    def val() -> float:
        return 100 * float(_right(network, data.val, mode, device).mean())

    with preferred(network, mode, norms, val) as found:
        test = _right(network, data.test, mode, device, data.val)
    return NetRecord(
        mode=str(mode),
        macs=mode.macs(network.cost()),
        val=found.chosen,
        test=100 * float(test.mean()),
        recalibrated=found.own,
        val_as_trained=found.as_trained,
        right=packed(test),
    )


def _right(
    network: Network, split: Split, mode: Mode, device: torch.device, validation: Split | None = None
) -> NDArray[np.bool_]:
    """bool[N]: which samples of a split the float32 network gets right, in equal batches on every device."""
    return right_in_float(network, split, mode, device, validation, _EVAL_BATCH)


def _here(images: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    return to_input(images, device).contiguous(memory_format=torch.channels_last)


def versions() -> Mapping[str, str]:
    """Of what decides a result."""
    import platform

    from dimmer.version import dimmer_version

    return {"python": platform.python_version(), "torch": str(torch.__version__), "dimmer": dimmer_version()}
