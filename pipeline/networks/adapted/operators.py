# SPDX-License-Identifier: Apache-2.0
"""What nodes of a traced network are on a device: the operators that an adapted network may be made of."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from dimmer.pipeline.networks.adapted.probe import is_drop
from dimmer.pipeline.networks.adapted.twins import TwinNorm
from dimmer.pipeline.networks.folding import Folding

ADDITIONS = (operator.add, operator.iadd, torch.add, "add", "add_")
RELU = (torch.relu, torch.relu_, F.relu, F.relu_, "relu", "relu_")
RELU6 = (F.relu6,)
CLIP = (F.hardtanh, torch.clamp, torch.clamp_, "clamp", "clamp_")
FLATTEN = (torch.flatten, "flatten")
RESHAPE = ("view", "reshape", torch.reshape)
MEAN = (torch.mean, "mean")
SHAPES = ("size", getattr, operator.getitem)
PASSED = (F.dropout, F.dropout2d, "contiguous")

M = TypeVar("M", bound=nn.Module)


def samples(shape: tuple[int, ...]) -> Iterator[Tensor]:
    """float32 normal values of several sizes, the same each time: a clamp may lie far out."""
    generator = torch.Generator().manual_seed(0)
    for scale in (1.0, 0.01, 100.0, 10_000.0):
        yield scale * torch.randn(shape, generator=generator)


def only_user(node: fx.Node) -> fx.Node | None:
    """The one node that reads a node; None where it is not one."""
    users = list(node.users)
    return users[0] if len(users) == 1 else None


class Nodes:
    """The nodes of a graph with the modules that they call.

    Args:
        root: the graph's module.
    """

    def __init__(self, root: nn.Module) -> None:
        self._root = root

    def module(self, node: fx.Node | None) -> nn.Module | None:
        """The module that a node calls; None where it calls a function."""
        calls = node is not None and node.op == "call_module"
        return self._root.get_submodule(str(node.target)) if calls and node is not None else None

    def attribute(self, node: fx.Node) -> object:
        """What a node reads of the root by its name."""
        found: object = self._root
        for name in str(node.target).split("."):
            found = getattr(found, name)
        return found

    def calls(self, node: fx.Node | None, kind: type[M]) -> M | None:
        """The module, where it is of a class."""
        module = self.module(node)
        return module if isinstance(module, kind) else None

    def is_function(self, node: fx.Node, known: tuple[Any, ...]) -> bool:
        """Whether a node is one of some functions and methods."""
        return node.op in ("call_function", "call_method") and any(node.target is f or node.target == f for f in known)

    def passed(self, node: fx.Node) -> bool:
        """Whether a node gives its input in eval mode."""
        module = self.module(node)
        if module is None:
            return self.is_function(node, PASSED)
        return type(module) in (nn.Identity, nn.Dropout, nn.Dropout2d) or is_drop(module)

    def next(self, node: fx.Node) -> fx.Node | None:
        """The one reader behind what passes its input."""
        user = only_user(node)
        while user is not None and self.passed(user):
            user = only_user(user)
        return user

    def plain(self, node: fx.Node, kind: type[M]) -> M | None:
        """As `calls`, where the module computes just what that class does: libraries derive others from it."""
        module = self.calls(node, kind)
        if module is None or type(module).forward is kind.forward:
            return module
        if isinstance(module, nn.Conv2d):
            wide = 4 * max(module.kernel_size)
            shape: tuple[int, ...] = (1, module.in_channels, wide, wide)
        elif isinstance(module, nn.Linear):
            shape = (2, module.in_features)
        else:
            return None
        with torch.no_grad():
            return module if all(torch.equal(module(x), kind.forward(module, x)) for x in samples(shape)) else None

    def norm(self, node: fx.Node | None) -> nn.BatchNorm2d | TwinNorm | None:
        """The batch norm, with or without a twin, that a node is; None where it cannot be folded."""
        module = self.module(node)
        own = module.executed if isinstance(module, TwinNorm) else module
        return module if isinstance(own, nn.BatchNorm2d) and not why_not_folded(own) else None  # type: ignore[return-value]

    def activation(self, node: fx.Node | None) -> nn.Module | None:
        """ReLU or ReLU6."""
        if node is None:
            return None
        module = self.module(node)
        if module is not None:
            return relu_of(module)
        if self.is_function(node, RELU):
            return nn.ReLU()
        clip = self.is_function(node, CLIP) and tuple(node.args[1:]) == (0, 6)
        return nn.ReLU6() if clip or self.is_function(node, RELU6) else None


def relu_of(module: nn.Module) -> nn.Module | None:
    """ReLU or ReLU6, where a module is one."""
    if not isinstance(module, nn.ReLU | nn.Hardtanh):
        return None
    if type(module).forward not in (nn.ReLU.forward, nn.Hardtanh.forward):
        # One of somebody's own.
        return None
    if isinstance(module, nn.ReLU):
        return nn.ReLU()
    return nn.ReLU6() if (module.min_val, module.max_val) == (0, 6) else None


def why_not_folded(norm: nn.BatchNorm2d) -> str:
    """What a batch norm has that a convolution cannot take in; empty where there is nothing."""
    if norm.weight is None or norm.running_mean is None or norm.running_var is None:
        return "a batch norm without weights, or without running statistics,"
    if type(norm).forward is nn.BatchNorm2d.forward:
        return ""
    # Libraries derive their own, with an activation in it; anything else a user's may compute.
    was_training = norm.training
    with torch.no_grad():
        held = getattr(norm, "act", None)
        norm.eval()
        same = True
        for x in samples((2, norm.num_features, 2, 2)):
            plain = F.batch_norm(
                x.to(norm.weight), norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
            )
            same &= torch.allclose(norm(x.to(norm.weight)), held(plain) if isinstance(held, nn.Module) else plain)
    norm.train(was_training)
    return "" if same else f"a batch norm that computes something of its own, {type(norm).__name__},"


def own_activation(norm: nn.Module) -> nn.Module | None:
    """The activation that timm's norms hold; None where it is none.

    Raises:
        KeyError: it is one that a device does not get; with its name.
    """
    inner = norm.executed if isinstance(norm, TwinNorm) else norm
    held = getattr(inner, "act", None)
    if not isinstance(held, nn.Module) or isinstance(held, nn.Identity):
        return None
    if (found := relu_of(held)) is None:
        raise KeyError(type(held).__name__)
    return found


class Convolution(nn.Module):
    """A folded convolution, and what follows it at once."""

    def __init__(self, conv: nn.Conv2d | nn.Linear, activation: nn.Module | None) -> None:
        super().__init__()
        self.conv, self.act = conv, activation

    def forward(self, x: Tensor) -> Tensor:
        """float[N,C,H,W] -> float[N,C',H',W'], or of features."""
        y: Tensor = self.conv(x)
        return y if self.act is None else self.act(y)


class Add(nn.Module):
    """The sum of two tensors, and what follows it at once."""

    def __init__(self, activation: nn.Module | None) -> None:
        super().__init__()
        self.act = activation

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Both of one shape."""
        z = x + y
        return z if self.act is None else self.act(z)


class GlobalPool(nn.Module):
    """The mean of each channel, as features or as an image of one pixel."""

    def __init__(self, flat: bool) -> None:
        super().__init__()
        self.flat = flat

    def forward(self, x: Tensor) -> Tensor:
        """float[N,C,H,W] -> float[N,C] or float[N,C,1,1]."""
        # This form becomes a single MEAN in TFLite without a TRANSPOSE before it.
        y = F.adaptive_avg_pool2d(x, 1)
        return y.flatten(1) if self.flat else y


class MaxPool(nn.Module):
    """The maximum over windows of what is not negative, whose edges are padded with zeros."""

    def __init__(self, pool: nn.MaxPool2d) -> None:
        super().__init__()
        around = pool.padding if isinstance(pool.padding, tuple) else (pool.padding, pool.padding)
        self.around = (around[1], around[1], around[0], around[0])
        self.pool = nn.MaxPool2d(pool.kernel_size, pool.stride)

    def forward(self, x: Tensor) -> Tensor:
        """float[N,C,H,W] -> float[N,C,H',W']."""
        y: Tensor = self.pool(F.pad(x, self.around) if any(self.around) else x)
        return y


class Flatten(nn.Module):
    """All features of an image in one row."""

    def forward(self, x: Tensor) -> Tensor:
        """float[N,...] -> float[N,C]."""
        return x.flatten(1)


def is_global_pool(nodes: Nodes, node: fx.Node) -> bool:
    """Whether a node is the mean of each channel."""
    pool = nodes.plain(node, nn.AdaptiveAvgPool2d)
    if pool is not None:
        return pool.output_size in (1, (1, 1))
    if nodes.is_function(node, (F.adaptive_avg_pool2d,)):
        return node.args[1] in (1, (1, 1), [1, 1])
    dims = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else None)
    return nodes.is_function(node, MEAN) and isinstance(dims, tuple | list) and sorted(dims) in ([2, 3], [-2, -1])


def max_pool_of(nodes: Nodes, node: fx.Node) -> nn.MaxPool2d | None:
    """The max pooling that a node is, as a module or as torch's function."""
    if (pool := nodes.plain(node, nn.MaxPool2d)) is not None:
        return pool
    if not nodes.is_function(node, (F.max_pool2d, torch.max_pool2d)) or len(node.all_input_nodes) != 1:
        return None
    return _max_pool(*node.args[1:], **{key: value for key, value in node.kwargs.items() if key != "input"})


def _max_pool(
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: Any = False,
    return_indices: Any = False,
) -> nn.MaxPool2d | None:
    """As torch's function is called."""
    return None if return_indices else nn.MaxPool2d(kernel_size, stride, padding, dilation, ceil_mode=bool(ceil_mode))


def is_flatten(nodes: Nodes, node: fx.Node | None) -> bool:
    """Whether a node makes one row of each image's features."""
    if node is None:
        return False
    if nodes.plain(node, nn.Flatten) is not None:
        return True
    row = nodes.is_function(node, RESHAPE) and node.args[-1] == -1 and len(node.args) <= 3
    return row or (nodes.is_function(node, FLATTEN) and 1 in (*node.args[1:], node.kwargs.get("start_dim")))


def folded_convolution(
    fold: Folding,
    name: str,
    conv: nn.Conv2d,
    norm: nn.BatchNorm2d | TwinNorm | None,
    refuse: Callable[[str], Exception],
) -> nn.Conv2d:
    """A convolution on the shared grid, its norm folded in where it has one."""
    if conv.padding_mode != "zeros" or isinstance(conv.padding, str):
        raise refuse(f"padding '{conv.padding}' of mode {conv.padding_mode}")
    if conv.groups not in (1, conv.in_channels):
        raise refuse(f"a convolution of {conv.groups} groups of {conv.in_channels // conv.groups} channels")
    if norm is None:
        return fold.biased(conv)
    return fold.convolution(name, conv, norm)
