# SPDX-License-Identifier: Apache-2.0
"""Residual blocks found by probing: which modules pass their input on when all their parameters are zero.

A block x + f(x) whose f ends in something with parameters is the identity without them, and so is relu(x + f(x)) where
x is a ReLU's output already. Nothing is traced, so control flow does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from dimmer.errors import DimmerError

NORMS: tuple[type[nn.Module], ...] = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)

TOLERANCE = 1e-5
"""Of the largest input: an absolute one would take vanishing activations for identities."""


def is_norm(module: nn.Module) -> bool:
    """Whether a module normalises, one of torch's or a library's own of such a name."""
    named = type(module).__name__.lower()
    own = "norm" in named and next(module.children(), None) is None and next(module.parameters(), None) is not None
    return isinstance(module, NORMS) or own


def is_drop(module: nn.Module) -> bool:
    """Whether a module leaves something out in training, by its name: it has no parameters."""
    return "drop" in type(module).__name__.lower() and next(module.parameters(), None) is None


@dataclass(frozen=True)
class Call:
    """What a module did with the sample.

    Attributes:
        name: of the module in the network.
        kind: its class.
        given: shape of its first input.
        made: shape of its output.
        passes: whether it passes its input on without its parameters.
        macs: multiply-accumulates of all its calls.
        again: how many further times it was called.
        is_norm: whether it is a norm.
    """

    name: str
    kind: type[nn.Module] = field(repr=False)
    given: tuple[int, ...]
    made: tuple[int, ...]
    passes: bool
    macs: int = 0
    again: int = 0
    is_norm: bool = False


@dataclass(frozen=True)
class Probed:
    """A network as the probe saw it.

    Attributes:
        calls: of modules from tensor to tensor, by name, in the order in which they ended.
        blocks: names of the residual blocks, in that order; none lies in another.
        macs: multiply-accumulates of an inference.
        output: shape of the network's output.
        unseen: names of modules with parameters that are not called with a tensor first, or do not give one.
    """

    calls: dict[str, Call]
    blocks: tuple[str, ...]
    macs: int
    output: tuple[int, ...]
    unseen: tuple[str, ...] = ()


@torch.no_grad()
def probe(network: nn.Module, sample: Tensor) -> Probed:
    """Run a sample through a network and look at every module; both are left as they were.

    Args:
        network: any; put into eval mode while it is probed.
        sample: float32[N,C,H,W], or whatever it takes; values that differ, not zeros.

    Raises:
        DimmerError: the network does not run with the sample, or gives something else than a tensor.
    """
    _check_probed(network, sample)
    calls: dict[str, Call] = {}
    unseen: dict[str, None] = {}

    def hook(name: str) -> Callable[..., None]:
        def look(module: nn.Module, given: tuple[Any, ...], named: dict[str, object], made: Any) -> None:
            if name in calls:
                seen = calls[name]
                calls[name] = replace(seen, passes=False, again=seen.again + 1)
            elif given and isinstance(given[0], Tensor) and isinstance(made, Tensor):
                passes = given[0].shape == made.shape and _passes(module, given, named)
                shapes = tuple(given[0].shape), tuple(made.shape)
                calls[name] = Call(name, type(module), *shapes, passes, is_norm=is_norm(module))
            elif next(module.parameters(), None) is not None:
                unseen[name] = None

        return look

    with _kept(network):
        hooks = [m.register_forward_hook(hook(name), with_kwargs=True) for name, m in network.named_modules() if name]
        try:
            network.eval()
            made = network(sample.clone())
            for handle in hooks:
                handle.remove()
            macs, of_module = _macs_by_module(network, sample.clone())
        except (Exception, SystemExit) as error:  # whatever a user's network raises
            shape = tuple(sample.shape)
            raise DimmerError(f"the network does not run with an input of {shape}: {reason_of(error)}") from error
        finally:
            for handle in hooks:
                handle.remove()
    if not isinstance(made, Tensor):
        raise DimmerError(f"the network gives a {type(made).__name__}, not a tensor; wrap it in a factory of your own")
    calls = {name: replace(call, macs=of_module.get(name, 0)) for name, call in calls.items()}
    return Probed(calls, _innermost(network, calls), macs, tuple(made.shape), tuple(unseen))


def reason_of(error: BaseException) -> str:
    """What an error of the user's code says, in one line with its class."""
    said = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _check_probed(network: nn.Module, sample: Tensor) -> None:
    if not isinstance(network, nn.Module):
        raise DimmerError(f"the network is a {type(network).__name__}; give a torch.nn.Module")
    if not isinstance(sample, Tensor):
        raise DimmerError(f"the sample is a {type(sample).__name__}; give a tensor, as the network takes it")
    if any(tensor.is_inference() for tensor in (*network.parameters(), *network.buffers())):
        raise DimmerError(
            "its tensors were made under torch.inference_mode, and cannot learn; build it outside of that"
        )
    for name, module in network.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise DimmerError(f"'{name or 'the network'}' is TorchScript, which cannot be looked into; give the module")
        if dotted := next((own for own, _ in module.named_children() if "." in own), None):
            raise DimmerError(f"a module is named '{dotted}'; a name with a dot is no name of one module")


@contextmanager
def _kept(network: nn.Module) -> Iterator[None]:
    """Afterwards every module is in training or not as before, and buffers hold what they held."""
    training = {module: module.training for module in network.modules()}
    buffers = [(buffer, buffer.detach().clone()) for buffer in network.buffers()]
    try:
        yield
    finally:
        for module, flag in training.items():
            module.training = flag
        for buffer, held in buffers:
            buffer.copy_(held)


def _passes(module: nn.Module, given: tuple[Any, ...], named: dict[str, object]) -> bool:
    """Whether a module without its parameters gives what it is given."""
    parameters = list(module.parameters())
    x = given[0]
    if not parameters or is_norm(module) or not x.is_floating_point():
        return False
    saved = [p.detach().clone() for p in parameters]
    try:
        for p in parameters:
            p.zero_()
        # A copy, since it may work in place. `forward`, since calling it would probe what is inside once more.
        with _silent(module):
            made = module.forward(x.clone(), *given[1:], **named)
    finally:
        for p, value in zip(parameters, saved, strict=True):
            p.copy_(value)
    largest = float(x.abs().max())
    return largest > 0 and float((made - x).abs().max()) <= TOLERANCE * largest


@contextmanager
def _silent(module: nn.Module) -> Iterator[None]:
    """Without the hooks of what is inside."""
    inside = [m for m in module.modules() if m is not module]
    kept = [m._forward_hooks.copy() for m in inside]
    for m in inside:
        m._forward_hooks.clear()
    try:
        yield
    finally:
        for m, hooks in zip(inside, kept, strict=True):
            m._forward_hooks.update(hooks)


def _innermost(network: nn.Module, calls: dict[str, Call]) -> tuple[str, ...]:
    """The residual blocks, without those that are nothing but a chain of others: a stage of blocks passes its input,
    too, and what lies in a block beside other parameters (a position encoding x + conv(x)) is a part of it.
    """

    def below(name: str) -> list[str]:
        inner = [n for n in passing if n.startswith(f"{name}.") and n != name]
        direct = [n for n in inner if not any(n.startswith(f"{other}.") for other in inner if other != n)]
        found = [block for child in direct for block in below(child)]
        owned = {p for block in found for p in network.get_submodule(block).parameters()}
        return found if found and owned == set(network.get_submodule(name).parameters()) else [name]

    passing = [name for name, call in calls.items() if call.passes]
    outer = [n for n in passing if not any(n.startswith(f"{other}.") for other in passing if other != n)]
    found = {block for name in outer for block in below(name)}
    return tuple(name for name in passing if name in found)


def count_macs(run: Callable[[], object]) -> int:
    """Multiply-accumulates of convolutions, linear layers and attention while something runs."""
    with _counting() as counter:
        run()
    return counter.flops // 2


def _macs_by_module(network: nn.Module, sample: Tensor) -> tuple[int, dict[str, int]]:
    """Those of the network, and of each module by name."""
    of_module: dict[str, int] = {}
    begun: dict[str, int] = {}
    hooks = []
    with _counting() as counter:

        def begin(name: str) -> None:
            begun[name] = counter.flops

        def end(name: str) -> None:
            of_module[name] = of_module.get(name, 0) + (counter.flops - begun[name]) // 2

        for name, module in network.named_modules():
            hooks.append(module.register_forward_pre_hook(lambda *_, name=name: begin(name)))
            hooks.append(module.register_forward_hook(lambda *_, name=name: end(name)))
        try:
            network(sample)
        finally:
            for handle in hooks:
                handle.remove()
        return counter.flops // 2, of_module


@contextmanager
def _counting() -> Iterator[_Counter]:
    """Fused attention, which the registry does not know on every device, runs as plain products meanwhile."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    counter = _Counter()
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
            yield counter
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


class _Counter(TorchDispatchMode):
    """torch's FlopCounterMode also follows modules, which parameters as inputs without gradients upset."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if (known := flop_registry.get(func._overloadpacket)) is not None:
            self.flops += int(known(*args, **(kwargs or {}), out_val=made))
        return made
