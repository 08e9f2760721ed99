# SPDX-License-Identifier: Apache-2.0
"""Skip-aware norms put into blocks of the user's, and the state of the stage that chooses between them."""

from __future__ import annotations

import copy
from typing import Any

from torch import Tensor, nn

from dimmer.pipeline.networks.adapted.probe import is_norm
from dimmer.pipeline.networks.layers.norm import SkipAwareNorm


class TwinNorm(SkipAwareNorm):
    """A norm of the user's and its twin, which begins as its copy.

    Attributes:
        executed: the user's own, used while the stage's skippable sub-path is executed.
        skipped: used while it is skipped.
        skipping: which of them is called.
    """

    executed: Any
    skipped: Any

    def __init__(self, norm: nn.Module) -> None:
        nn.Module.__init__(self)
        self.executed = norm
        self.skipped = copy.deepcopy(norm)
        self.skipping = False

    def forward(self, x: Tensor, *given: Any, **named: Any) -> Tensor:
        """Whatever the norm takes and gives."""
        made: Tensor = self.select(self.skipping)(x, *given, **named)
        return made

    def __getattr__(self, name: str) -> Any:
        """Blocks that read a norm's weight or epsilon get those in force."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("skipped" if self.skipping else "executed"), name)


def give_twins(module: nn.Module) -> None:
    """Put a `TwinNorm` in place of every norm inside a module."""
    for parent in list(module.modules()):
        if isinstance(parent, TwinNorm):
            continue
        for name, child in list(parent.named_children()):
            if is_norm(child):
                put(parent, name, TwinNorm(child))


def put(network: nn.Module, name: str, module: nn.Module) -> None:
    """Put a module in place of another of this name."""
    parent, _, own = name.rpartition(".")
    # Not setattr: names of modules may be of any kind.
    network.get_submodule(parent)._modules[own] = module


def set_state(module: nn.Module, skipping: bool) -> None:
    """Choose the norms of a module, in front of each call."""
    for child in module.modules():
        if isinstance(child, TwinNorm):
            child.skipping = skipping
