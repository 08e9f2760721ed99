# SPDX-License-Identifier: Apache-2.0
"""Networks of several inputs and outputs keep what all families are held to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from dimmer.pipeline.networks import NetworkConfig
from dimmer.pipeline.networks.deploy import deploy, range_group
from dimmer.pipeline.networks.joined import Branch, taken_apart
from tests.pipeline.networks.families.road import (
    check_costs,
    check_deployed,
    check_entries,
    check_gradients,
    check_one_blob,
    images,
    network,
)
from tests.several_ends import keywords, resnet, series, vectors

CONFIGS: dict[str, tuple[str, Callable[[], NetworkConfig]]] = {
    "an image, a series and a vector": ("resnet", resnet),
    "vectors": ("resnet", vectors),
    "series": ("resnet1d", series),
    "rows and a small image": ("ds_cnn", keywords),
}


@pytest.mark.parametrize("which", CONFIGS)
def test_what_every_family_is_held_to(which: str) -> None:
    family, config = CONFIGS[which]
    net = network(family, config())
    check_costs(net)
    check_entries(net)
    check_deployed(net)
    check_one_blob(net)
    check_gradients(net)


def test_every_input_and_only_its_own_elements_count() -> None:
    net = network("resnet", resnet())
    x = images(net.config, 1)
    for shape, part in zip(resnet().inputs, taken_apart(x, resnet().inputs), strict=True):
        height, width, channels = shape
        assert part.shape == (1, channels, height, width)
    # The elements of an input lie row by row, a pixel's channels beside each other.
    flat = np.arange(x.numel(), dtype=np.float32)
    second = list(taken_apart(torch.from_numpy(flat).reshape(x.shape), resnet().inputs))[1]
    assert second[0, :, 0, 1].tolist() == [26.0, 27.0]
    before = net(x, net.super_mode())
    for at in (0, 24, 34):
        other = x.clone()
        other[:, at] += 3.0
        assert not torch.equal(net(other, net.super_mode()), before)


def test_sites_have_the_inputs_range_and_outputs_their_own() -> None:
    net = network("resnet", resnet())
    deployed, seen = deploy(net, net.super_mode()), dict[str, tuple[int, ...]]()

    def tap(site: str, x: torch.Tensor) -> torch.Tensor:
        seen[site] = tuple(x.shape)
        return x

    with torch.no_grad():
        said = deployed(images(net.config, 2), tap)
    assert {"input/image", "input/imu", "input/vector", "imu_sum", "stem", "out_kind", "out_kg"} <= set(seen)
    assert "logits" not in seen
    assert {range_group(deployed, f"input/{name}") for name in ("image", "imu", "vector")} == {"input"}
    assert range_group(deployed, "out_kind") != range_group(deployed, "out_kg")
    # A vector has one position, and no mean.
    assert "imu_mean" in seen
    assert "vector_mean" not in seen
    assert (seen["out_kind"], seen["out_kg"], tuple(said.shape)) == ((2, 2), (2, 3), (2, 5))


def test_exported_it_takes_its_inputs_and_gives_its_outputs_apart() -> None:
    net = network("resnet", resnet())
    deployed = deploy(net, net.base_mode()).unrounded()
    x = images(net.config, 1)
    with torch.no_grad():
        found = deployed.untapped()(*taken_apart(x, resnet().inputs))
        assert torch.equal(torch.cat(found, 1), deployed(x))
    assert [tuple(one.shape) for one in found] == [(1, 2), (1, 3)]


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 2, 1), (2, 2, 1), (1, 7, 2), (9, 5, 3)])
def test_a_branch_takes_any_shape(shape: tuple[int, int, int]) -> None:
    height, width, channels = shape
    assert Branch(shape, 8)(torch.zeros(2, channels, height, width)).shape == (2, 8, 1, 1)
