# SPDX-License-Identifier: Apache-2.0
"""An untrained autoencoder, and a data set whose test samples would choose another limit than validation does."""

from __future__ import annotations

import numpy as np
import torch

from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.networks import Network
from dimmer.pipeline.networks.families.autoencoder import Autoencoder
from tests.pipeline.networks.families.test_autoencoder_config import SMALL


def autoencoder() -> Network:
    """Of uint8[N,1,8,3], which gives hardly anything back: loud samples are anomalies."""
    torch.manual_seed(0)
    return Autoencoder(SMALL).eval()


def anomalies() -> Dataset:
    """Noise, loud where it is an anomaly; the test split's normal samples are a little louder than validation's."""
    rng = np.random.default_rng(0)

    def split(normal: float, loud: float) -> Split:
        anomalous = np.arange(60) % 2
        amplitude = np.where(anomalous, loud, normal)[:, None, None, None]
        images = np.clip(128 + amplitude * rng.normal(size=(60, 1, 8, 3)), 0, 255).astype(np.uint8)
        codes = to_int8(images).reshape(60, -1)
        return Split(images, np.concatenate([anomalous[:, None].astype(np.int8), codes], 1))

    return Dataset("noise", ("normal", "anomaly"), (1, 8, 3), split(20, 20), split(20, 30), split(26, 40))
