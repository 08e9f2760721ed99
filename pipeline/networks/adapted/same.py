# SPDX-License-Identifier: Apache-2.0
"""Whether an adapted network, and what is deployed of it, computes what the user's network does: by values.

Graphs are traced, cut and folded by rules about operators. What a rule does not know of (a tensor changed in place, an
argument that nobody reads, a module that is not what its name says) shows in what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from dimmer.calibration.weights import from_grid, to_grid
from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.adapted.probe import reason_of
from dimmer.pipeline.networks.deploy import deploy
from dimmer.pipeline.networks.network import Network

TOLERANCE = 1e-3
"""Of the largest value: weights lie on their grid, so that folding alone rounds."""


def sample_of(shape: tuple[int, int, int]) -> Tensor:
    """float32[1,C,H,W] of normal values, the same each time."""
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def check_same(
    network: nn.Module, make: Callable[[nn.Module], Network], skippable: Sequence[str], sample: Tensor, names: Names
) -> None:
    """Make an adaptive network of a user's, and compare super-net and base-net with it, then their deployed forms.

    Args:
        network: of the user's, for this alone: it gets other weights, so that none of them is without effect.
        make: the adaptive network, of the same modules.
        skippable: names of the blocks that the base-net skips.
        sample: float32[1,C,H,W].
        names: of the user's blocks, by stage and number.

    Raises:
        DimmerError: they differ, with the place; or no device runs it.
    """
    _disturb(network)
    # Two at once: what is told of one may hold for one alone. Large and small: a clamp far out is seen, too.
    sample = torch.cat([sample, 50 * sample.flip(-1)])
    try:
        whole = network(sample.clone())
    except Exception as error:  # whatever a user's network raises
        raise DimmerError(f"the network does not run with two inputs at once: {reason_of(error)}") from error
    if not bool(torch.isfinite(whole).all()):
        raise DimmerError("the network gives values that are not finite")
    with _passing(network, skippable):
        base = network(sample.clone())
    made = make(network).eval()
    if not torch.equal(made(sample.clone(), made.super_mode()), whole):
        raise DimmerError(
            "cut at its blocks the network computes something else; does it keep a state, or read a tensor that "
            "something else has changed in place?"
        )
    if skippable and not torch.equal(made(sample.clone(), made.base_mode()), base):
        raise DimmerError(
            "what lies between two blocks of a stage would be skipped with the second one; make it a part of a block, "
            "or cut the stage there"
        )
    for norm in _batch_norms(made):
        norm.weight.abs_()
    for mode in dict.fromkeys((made.super_mode(), made.base_mode())):
        _check_deployed(made, mode, sample, names)


Names = Callable[[str], str]
"""The name of a block as stage and number, "1.0", -> that of the user's module."""


def _check_deployed(network: Network, mode: Mode, sample: Tensor, names: Names) -> None:
    """Part by part, so that the place is known and nothing adds up."""
    deployed = deploy(network, mode)
    flags = network.config.skip_flags(mode)

    def near(mine: Tensor, theirs: Tensor) -> bool:
        return float((mine - theirs).abs().max()) <= TOLERANCE * max(float(mine.abs().max()), 1e-6)

    def same(mine: Tensor, theirs: Tensor, place: str) -> None:
        if mine.shape != theirs.shape or not all(map(near, mine, theirs)):
            raise DimmerError(
                f"{place} of the network would be something else on a device; an operator in it is called in a way, or "
                f"is of a class, that is not known: write it with torch's own modules"
            )

    def tap(_: str, x: Tensor) -> Tensor:
        return x

    stream = network.enter(network.begin(sample.clone()), flags)
    same(stream, deployed.stem(sample.clone(), tap), "what lies in front of the blocks")
    for executed, block in zip(network.blocks(mode), deployed.blocks, strict=True):
        made = executed.block(stream.clone(), executed.skipped, executed.bits)
        same(made, block(stream.clone(), tap), f"block '{names(executed.name)}'")
        stream = made
    logits = network.classify(network.leave(stream.clone(), flags))
    same(logits, deployed.head(stream.clone(), tap), "what lies behind the blocks")


def _disturb(network: nn.Module) -> None:
    """Other values, the same each time: norms whose every number matters and half of whose gammas are negative, nothing
    zero as factories begin, and weights on their grid.
    """
    generator = torch.Generator().manual_seed(0)

    def normal(x: Tensor, scale: float = 0.5) -> None:
        x.copy_(scale * torch.randn(x.shape, generator=generator))

    def uniform(x: Tensor, low: float, high: float) -> None:
        x.copy_(low + (high - low) * torch.rand(x.shape, generator=generator))

    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    weights = {id(layer.weight) for layer in layers}
    for parameter in network.parameters():
        if id(parameter) not in weights:
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator).to(parameter))
        elif not bool(parameter.any()):
            normal(parameter, 0.1)
    for layer in layers:
        layer.weight.copy_(from_grid(*to_grid(layer.weight)))
    for norm in _batch_norms(network):
        uniform(norm.weight, 0.5, 1.5)
        norm.weight[torch.rand(norm.weight.shape, generator=generator) < 0.5] *= -1
        normal(norm.bias)
        if norm.running_mean is not None and norm.running_var is not None:
            normal(norm.running_mean)
            uniform(norm.running_var, 0.5, 2.0)


def _batch_norms(network: nn.Module) -> Iterator[nn.BatchNorm2d]:
    """Those with gammas."""
    return (m for m in network.modules() if isinstance(m, nn.BatchNorm2d) and m.weight is not None)


@contextmanager
def _passing(network: nn.Module, blocks: Sequence[str]) -> Iterator[None]:
    """Within, blocks give what they are given, even where they work in place."""
    given: dict[nn.Module, Tensor] = {}

    def keep(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        given[module] = inputs[0].clone()

    handles = []
    for name in blocks:
        block = network.get_submodule(name)
        handles.append(block.register_forward_pre_hook(keep))
        handles.append(block.register_forward_hook(lambda module, _inputs, _made: given[module]))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
