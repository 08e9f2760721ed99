# SPDX-License-Identifier: Apache-2.0
"""Which images a calibration looks at."""

import numpy as np
import torch

from dimmer.pipeline.data.dataset import Dataset, Split
from dimmer.pipeline.data.encoding import INPUT_SCALE
from dimmer.pipeline.recipe.sections.publishing import CalibrationSection, SelectionSection
from dimmer.pipeline.subnets.images import BATCH, PROBE_IMAGES, CalibrationImages, calibration_images


def split(count: int) -> Split:
    """Every image is one pixel of its own value."""
    pixels = np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1)
    return Split(pixels, np.arange(count) % 10)


def drawn(seed: int) -> CalibrationImages:
    data = Dataset("pixels", tuple("0123456789"), (1, 1, 1), split(250), split(7), split(5))
    return calibration_images(data, CalibrationSection(images=150, bn_images=200), SelectionSection(images=30), seed)


def values(images: torch.Tensor) -> set[int]:
    return {round(float(x) / INPUT_SCALE) + 128 for x in images.flatten()}


def test_the_proposals_are_compared_on_images_that_were_not_observed() -> None:
    images = drawn(1)
    assert [len(batch) for batch in images.observed] == [BATCH, 150 - BATCH]
    observed, probe = values(torch.cat(images.observed)), values(torch.cat(images.probe))
    assert len(observed) == 150
    assert len(probe) == PROBE_IMAGES
    assert not observed & probe
    assert observed < values(images.norms)
    assert (len(values(images.norms)), len(values(images.search))) == (200, 30)
    assert values(images.validation) == set(range(7))
    assert images.labels.tolist() == list(range(7))


def test_they_are_the_same_for_the_same_seed_alone() -> None:
    first, again, other = drawn(1), drawn(1), drawn(2)
    assert torch.equal(first.search, again.search)
    assert not torch.equal(first.search, other.search)
