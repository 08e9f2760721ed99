# SPDX-License-Identifier: Apache-2.0
"""What all families are held to: the same checks on networks of each, and the whole road to firmware that is exact."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from dimmer.calibration.weights import from_grid, to_grid
from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.calibration import Calibration, calibration_folder
from dimmer.pipeline.artifacts.firmware import Firmware, firmware_folder
from dimmer.pipeline.artifacts.verification import Verified, verify_folder
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks import Network, NetworkConfig, build
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.targets import load_target
from tests.tiny import calibrated, converted, silent


def network(family: str, config: NetworkConfig, seed: int = 0) -> Network:
    """An untrained network in eval mode whose norms all differ, those of twins too, with weights on their grids."""
    torch.manual_seed(seed)
    made = build(family, config)
    with torch.no_grad():
        for module in made.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.uniform_(-0.2, 0.2)
                module.running_var.uniform_(0.5, 1.5)
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.weight.copy_(from_grid(*to_grid(module.weight)))
            if isinstance(module, nn.BatchNorm2d | nn.LayerNorm):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.2, 0.2)
    return made.eval()


def images(config: NetworkConfig, count: int = 3) -> Tensor:
    """float32[count,C,H,W]; of several inputs float32[count,D,1,1]."""
    if config.joined_inputs:
        size = sum(math.prod(shape) for shape in config.joined_inputs)
        return torch.randn(count, size, 1, 1, generator=torch.Generator().manual_seed(1))
    return torch.randn(count, config.in_channels, *config.image_size, generator=torch.Generator().manual_seed(1))


def check_costs(net: Network) -> None:
    """What `cost` says is what runs, in every depth mode: convolutions, linear layers, products of matrices."""
    x = images(net.config, 1)
    for mode in net.depth_patterns():
        with _Products() as counted, torch.no_grad():
            net(x, mode)
        assert mode.macs(net.cost()) == counted.macs, str(mode)


class _Products(TorchFunctionMode):
    """Counts multiply-accumulates while it is entered."""

    macs = 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        if func in (torch.conv2d, F.linear):
            self.macs += made.numel() * args[1][0].numel()
        elif func is torch.matmul:
            self.macs += made.numel() * args[0].shape[-1]
        return made


def check_entries(net: Network) -> None:
    """What `entries` says is what enters each stage."""
    flags = net.config.skip_flags(net.super_mode())
    with torch.no_grad():
        stream = net.enter(net.begin(images(net.config, 1)), flags)
        for number, entry in enumerate(net.config.entries()):
            assert (entry.channels, entry.pixels) == (stream.shape[1], stream.shape[2] * stream.shape[3])
            for block in net.stage(number):
                stream = block(stream, flags.stages[number])


def check_deployed(net: Network, closeness: float = 1e-4) -> None:
    """Folded, every depth mode computes what the network does."""
    x = images(net.config)
    for mode in net.depth_patterns():
        with torch.no_grad():
            expected, found = net(x, mode), deploy(net, mode)(x)
        error = float((found - expected).abs().max() / expected.std())
        assert error < closeness, (str(mode), error)


def check_gradients(net: Network, *modes: Mode) -> None:
    """The parameters of a mode are those that get gradients, with twins and without."""
    for mode in (net.super_mode(), net.base_mode(), *modes):
        net.zero_grad()
        net.train()(images(net.config), mode).square().sum().backward()
        assert net.parameters_in(mode) == {p for p in net.parameters() if p.grad is not None}, str(mode)


def check_one_blob(net: Network) -> None:
    """Every convolution and linear layer of every depth mode has the codes that it has in the super-net.

    A weight's codes are its values by the largest of its output channel: norms change the step alone.
    """

    def codes(mode: Mode) -> dict[str, Tensor]:
        deployed = deploy(net, mode)
        blocks = {f"blocks.{i}.": f"{getattr(block, 'name')}." for i, block in enumerate(deployed.blocks)}  # noqa: B009
        found = {}
        for name, module in deployed.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                place = next((name.replace(i, b, 1) for i, b in blocks.items() if name.startswith(i)), name)
                flat = module.weight.flatten(1).double()
                found[place] = torch.round(flat / flat.abs().amax(1, keepdim=True) * 127)
        return found

    full = codes(net.super_mode())
    assert full
    for mode in net.depth_patterns():
        for place, own in codes(mode).items():
            assert torch.equal(own, full[place]), f"{mode}: {place}"


REST = """
[train]
epochs = 1
batch = 128
lr = 0.05
momentum = 0.9
weight_decay = 5e-4
warmup = 0.1
alpha = 0.5
temperature = 2.0
seed = 1

[calibration]
images = 32
bn_images = 128
methods = ["minmax"]

[selection]
force = "all"
limit = 32

[verify]
images = 100
"""
"""Behind a family's [model]: every depth mode, after one epoch."""


@dataclass(frozen=True)
class Road:
    """A network at the road's end.

    Attributes:
        build: its folder.
        modes: the published modes.
        verified: board -> what came of it.
        figures: board -> its figures of size.
    """

    build: Path
    modes: tuple[str, ...]
    verified: dict[str, Verified]
    figures: dict[str, Firmware]


def walk(builds: Path, name: str, text: str, *boards: str) -> Road:
    """Trains a recipe for an epoch, and calibrates, exports, converts, generates and verifies it on these boards."""
    from dimmer.pipeline import firmware, verify

    made = converted(calibrated(builds, name, text))
    firmware.run(made.recipe, made.build, load_target("host"), silent)
    verified, figures = {}, {}
    for board in boards:
        target = load_target(board)
        if board != "host":
            firmware.run(made.recipe, made.build, target, silent)
        verify.run(made.recipe, made.build, target, silent)
        verified[board] = Verified.load(verify_folder(made.build, board))
        figures[board] = Firmware.load(firmware_folder(made.build, board))
    published = Calibration.load(calibration_folder(made.build)).published
    return Road(made.build, published, verified, figures)


def check_exact(road: Road) -> None:
    """Not an output byte of any mode, or of switches between them, differs from the interpreter's."""
    for board, verified in road.verified.items():
        left_out = {mode.mode for mode in road.figures[board].left_out}
        assert [mode.name for mode in verified.modes] == [name for name in road.modes if name not in left_out], board
        for mode in verified.modes:
            assert (mode.host.samples, mode.host.mismatches) == (100, 0), (board, mode.name)
            assert (mode.target.samples, mode.target.mismatches) == (100, 0), (board, mode.name)
        for side in (verified.switches.host, verified.switches.target):
            assert side is not None
            assert side.samples > 0
            assert side.mismatches == 0, board


def refused(folder: Path, recipe: str, old: str, new: str, says: str) -> None:
    """A recipe with `new` in place of `old` is refused with file, line, and what a regular expression says."""
    assert recipe.count(old) == 1
    path = folder / "recipe.toml"
    path.write_text(recipe.replace(old, new))
    with pytest.raises(DimmerError, match=says) as failure:
        load_recipe(path)
    assert str(failure.value).startswith(f"{path}, line ")
