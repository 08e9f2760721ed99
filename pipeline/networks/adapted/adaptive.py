# SPDX-License-Identifier: Apache-2.0
"""``dimmer.adapt(module, sample)``: a user's network with modes, in torch alone.

Nothing is traced: blocks and norms are wrapped where they are. For a device, `dimmer adapt` writes a project whose
network is the family `adapted`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from dimmer.errors import DimmerError
from dimmer.pipeline.modes.mode import Mode, base_mode, check_mode, depth_patterns, super_mode
from dimmer.pipeline.networks.adapted.probe import probe, reason_of
from dimmer.pipeline.networks.adapted.split import Split, find_split, make_split, mandatory_of
from dimmer.pipeline.networks.adapted.twins import TwinNorm, give_twins, put, set_state
from dimmer.pipeline.networks.tasks import imitation, label_loss


class Skippable(nn.Module):
    """A block that passes its input on while it is skipped."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block
        self.skipping = False

    def forward(self, x: Tensor, *given: Any, **named: Any) -> Any:
        """As the block."""
        return x if self.skipping else self.block(x, *given, **named)

    def __getattr__(self, name: str) -> Any:
        """Networks that look into their blocks find what they look for."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("block"), name)


class Adaptive(nn.Module):
    """A network whose depth is chosen call by call; made by `adapt`.

    Attributes:
        network: the user's, changed in place.
        split: its stages.
    """

    def __init__(self, network: nn.Module, split: Split) -> None:
        super().__init__()
        self.network = network
        self.split = split
        for stage in split.stages:
            for name in stage.blocks[: stage.mandatory]:
                give_twins(network.get_submodule(name))
            for name in stage.blocks[stage.mandatory :]:
                put(network, name, Skippable(network.get_submodule(name)))
            for name in stage.norms:
                put(network, name, TwinNorm(network.get_submodule(name)))
        self._chosen = self.super_mode()

    def super_mode(self) -> Mode:
        """The mode in which every block is executed: the network as it was."""
        return super_mode(self.split.mandatory, self.split.skippable)

    def base_mode(self) -> Mode:
        """The mode in which every skippable sub-path is skipped."""
        return base_mode(self.split.mandatory, self.split.skippable)

    def modes(self) -> tuple[Mode, ...]:
        """All modes, from super-net to base-net."""
        return depth_patterns(self.split.mandatory, self.split.skippable)

    def forward(self, x: Any, mode: Mode | str | None = None) -> Tensor:
        """What the network gives for its input in a mode, or in that of the last `set_mode` where none is given.

        A mode that is given is that of this call alone. Where blocks are computed again in the backward pass, as with
        activation checkpointing, choose it by `set_mode`.

        Raises:
            DimmerError: it is none of the network's modes.
        """
        try:
            if mode is not None:
                self._switch_to(self._checked(mode))
            made: Tensor = self.network(x)
        finally:
            if mode is not None:
                self._switch_to(self._chosen)
        return made

    def set_mode(self, mode: Mode | str) -> None:
        """Choose the mode of the calls that come; the super-net at first.

        Raises:
            DimmerError: it is none of the network's modes.
        """
        self._chosen = self._checked(mode)
        self._switch_to(self._chosen)

    def _checked(self, mode: Mode | str) -> Mode:
        found = Mode.parse(mode) if isinstance(mode, str) else mode
        if not isinstance(found, Mode):
            raise DimmerError(f"a mode is a Mode or its text, such as '{self.super_mode()}', no {type(found).__name__}")
        check_mode(found, self.split.mandatory, self.split.skippable, (8,))
        return found

    def _switch_to(self, mode: Mode) -> None:
        flags = mode.skip_flags(self.split.mandatory)
        for stage, bits, skipping in zip(self.split.stages, mode.blocks, flags, strict=True):
            for name, of_block in zip(stage.blocks, bits, strict=True):
                block = self.network.get_submodule(name)
                if isinstance(block, Skippable):
                    block.skipping = not of_block
                else:
                    set_state(block, skipping)
            for name in stage.norms:
                set_state(self.network.get_submodule(name), skipping)

    def learn(self, x: Any, targets: Tensor, temperature: float = 1.0, alpha: float = 0.5) -> Tensor:
        """The gradients of Algorithm 1 (Kang & Lee, 2024): the super-net learns from the labels, the base-net from the
        super-net. Call it between an optimizer's ``zero_grad`` and ``step``; the mode of other calls stays as it is.

        Args:
            x: whatever the network takes.
            targets: int64[N].
            temperature: of the distillation.
            alpha: the super-net's share of the loss.

        Returns:
            The super-net's label loss, detached.
        """
        try:
            self._switch_to(self.super_mode())
            logits = self.network(x)
            loss = label_loss(logits, targets)
            (2 * alpha * loss).backward()
            self._switch_to(self.base_mode())
            (2 * (1 - alpha) * imitation(self.network(x), logits.detach(), targets, temperature)).backward()
        finally:
            self._switch_to(self._chosen)
        return loss.detach()


def adapt(
    network: nn.Module,
    sample: Tensor,
    *,
    groups: int | None = None,
    stages: Sequence[Sequence[str]] | None = None,
    mandatory: Sequence[int] | None = None,
) -> Adaptive:
    """Make a network adaptive in depth; its weights are kept, and its super-net is the network bit for bit.

    Args:
        network: any; it is copied.
        sample: an input, float32[N,C,H,W] or whatever the network takes, with values that differ.
        groups: stages that a network with blocks all alike is cut into.
        stages: names of the blocks of each stage, in place of those found.
        mandatory: how many blocks of each stage, the first ones, are always executed; by default half, rounded up.

    Raises:
        DimmerError: there is nothing to skip, with the reason; or the stages asked for do not fit.

    Examples:
        >>> import torch
        >>> class Block(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.linear = nn.Linear(8, 8)
        ...     def forward(self, x):
        ...         return x + self.linear(x)
        >>> found = adapt(nn.Sequential(Block(), Block(), nn.Linear(8, 2)), torch.ones(1, 8))
        >>> [str(mode) for mode in found.modes()]
        ['88', '80']
    """
    if stages is not None and groups is not None:
        raise DimmerError("give groups or stages, not both")
    if isinstance(mandatory, int | str):
        raise DimmerError("mandatory must be a list of whole numbers, one a stage")
    if stages is not None and mandatory is None:
        mandatory = [mandatory_of(len(run)) for run in stages]
    probed = probe(network, sample)
    split = find_split(probed, groups) if stages is None else make_split(probed, stages, mandatory or [])
    if mandatory is not None and stages is None:
        split = make_split(probed, [stage.blocks for stage in split.stages], mandatory)
    for number, stage in enumerate(split.stages):
        if not 1 <= stage.mandatory < len(stage.blocks):
            count = len(stage.blocks)
            raise DimmerError(f"stage {number} has {count} blocks; mandatory must be 1 to {count - 1}")
    try:
        own = copy.deepcopy(network)
    except Exception as error:  # whatever the user's attributes raise
        raise DimmerError(f"the network cannot be copied: {reason_of(error)}") from error
    made = Adaptive(own, split)
    made.set_mode(made.super_mode())
    return made
