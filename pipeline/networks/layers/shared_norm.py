# SPDX-License-Identifier: Apache-2.0
"""Batch norms whose statistics are those of the whole batch, however many processes it is dealt out to.

Each process sees an equal share. Mean and variance are put together from all shares, and so are the two sums that the
gradient needs, on a CPU as on GPUs; `torch.nn.SyncBatchNorm` is for GPUs alone. One process of `torchrun` computes in
the same way, so that its losses differ from those of several by the order of sums alone.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from dimmer import processes
from dimmer.errors import DimmerError


class _Normalise(torch.autograd.Function):
    """Batch norm with the statistics of all processes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
        """float[N,C,...] -> the same normalised; mean float32[C] and biased variance float32[C] of all processes."""
        wide = _wide(x)
        var, mean = torch.var_mean(wide, _all_but_channels(x), correction=0)
        own = torch.stack([mean, var])
        shares = [torch.empty_like(own) for _ in range(processes.count())]
        dist.all_gather(shares, own)
        means, variances = torch.stack(shares).unbind(1)
        mean = means.mean(0)
        var = (variances + (means - mean).square()).mean(0)
        ctx.save_for_backward(x, weight, mean, torch.rsqrt(var + epsilon))
        ctx.mark_non_differentiable(mean, var)
        return F.batch_norm(x, mean, var, weight, bias, False, 0.0, epsilon), mean, var

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """The gradient of the losses of all processes, added up: they share mean and variance."""
        x, weight, mean, inverse = ctx.saved_tensors
        dy = _wide(gradients[0])
        dims, shape = _all_but_channels(x), (1, -1, *(1,) * (x.ndim - 2))
        scaled = (_wide(x) - mean.view(shape)) * inverse.view(shape)
        own = torch.stack([dy.sum(dims), (dy * scaled).sum(dims)])
        total = own.clone()
        dist.all_reduce(total)
        each = processes.count() * x.numel() // x.shape[1]
        by_mean, by_scale = (total / each).unbind(0)
        dx = dy - by_mean.view(shape) - scaled * by_scale.view(shape)
        dx = dx * (weight * inverse).view(shape)
        return dx.to(x.dtype), own[1].to(weight.dtype), own[0].to(weight.dtype), None


def _wide(x: Tensor) -> Tensor:
    """Numbers of half precision in float32, in which sums are made."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def _all_but_channels(x: Tensor) -> list[int]:
    return [0, *range(2, x.ndim)]


class SharedNorm(_BatchNorm):
    """A batch norm that learns beside others; where no gradient is wanted it is one of its own process."""

    def forward(self, input: Tensor) -> Tensor:
        """float[N,C,...] -> the same, normalised."""
        if not (self.training and torch.is_grad_enabled() and processes.are_joined()):
            return super().forward(input)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        y: Tensor
        y, mean, var = _Normalise.apply(input, self.weight, self.bias, self.eps)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
            seen = processes.count() * input.numel() // input.shape[1]
            self.running_mean.lerp_(mean, share)
            self.running_var.lerp_(var * (seen / max(1, seen - 1)), share)
        return y


class SharedNorm1d(SharedNorm, nn.BatchNorm1d):
    """Of series."""


class SharedNorm2d(SharedNorm, nn.BatchNorm2d):
    """Of images."""


_SHARED = {nn.BatchNorm1d: SharedNorm1d, nn.BatchNorm2d: SharedNorm2d}


def share_statistics(network: nn.Module) -> None:
    """Makes every batch norm of a network one of all processes; names and weights stay, and so does what holds them.

    Raises:
        DimmerError: one is of a class of its own, whose statistics cannot be shared.
    """
    for name, module in network.named_modules():
        if type(module) in _SHARED:
            module.__class__ = _SHARED[type(module)]
        elif isinstance(module, _BatchNorm) and not isinstance(module, SharedNorm):
            raise DimmerError(
                f"{name} is a {type(module).__name__}, whose statistics several processes cannot share: "
                "train this network without torchrun"
            )
