# SPDX-License-Identifier: Apache-2.0
"""Several processes that do one work, as `torchrun` starts them: on one machine, or on several.

What is drawn at random is drawn by all of them alike; each then computes its own share, and what comes of it is put
together in the order that one process would have. Alone, everything here is what one process does anyway, and torch is
not even imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from dimmer.errors import DimmerError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PATIENCE = timedelta(hours=2)
"""How long a process waits for the others, one of which may read a large data set for all."""
LONG_PATIENCE = timedelta(days=30)
"""The same of work that is not shared out evenly."""
_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
T = TypeVar("T")
R = TypeVar("R")


def launched(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `torchrun` started this process, alone or beside others."""
    return all(name in environment for name in _VARIABLES)


def are_joined() -> bool:
    """Whether this is a process of `torchrun` that has met the others, be there none."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized()


def count() -> int:
    """How many processes work together; 1 where this one is alone."""
    return int(sys.modules["torch"].distributed.get_world_size()) if are_joined() else 1


def rank() -> int:
    """The number of this process, from 0."""
    if count() == 1:
        return 0
    import torch.distributed as dist

    return int(dist.get_rank())


def is_first() -> bool:
    """Whether this is the process that writes files and talks."""
    return rank() == 0


def own() -> slice:
    """The share of this process in a sequence: every so many-th item, from its own number on.

    Of a batch that is dealt out so, the first half of each share makes up the first half of the batch.
    """
    return slice(rank(), None, count())


@contextmanager
def joined() -> Iterator[None]:
    """Within, the processes that `torchrun` started know of each other; nothing changes where it started none.

    Raises:
        DimmerError: they cannot find each other, or more of them than a machine has GPUs.
    """
    if not launched() or are_joined():
        yield
        return
    import torch
    import torch.distributed as dist

    gpus, local = torch.cuda.device_count(), int(os.environ["LOCAL_RANK"])
    if gpus and local >= gpus:
        raise DimmerError(
            f"process {local} of this machine has no GPU of its own, there are {gpus}: "
            f"type torchrun --nproc-per-node {gpus}, or hide the GPUs with CUDA_VISIBLE_DEVICES="
        )
    if gpus:
        torch.cuda.set_device(local)
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo", timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        where = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DimmerError(
            f"the other processes cannot be reached by {where} ({why}): check --rdzv-endpoint, and name the network "
            "with GLOO_SOCKET_IFNAME"
        ) from error
    try:
        yield
    finally:
        dist.destroy_process_group()


def device() -> torch.device:
    """Where this process computes: its own GPU where there is one, else the CPU."""
    import torch

    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", torch.cuda.current_device()) if count() > 1 else torch.device("cuda")


def agreed(look: Callable[[], T]) -> T:
    """What the first process finds, in all of them: the others may have another disk, and do not look.

    Raises:
        DimmerError: that of the first process, in all of them.
    """
    if count() == 1:
        return look()
    import torch.distributed as dist

    found: list[tuple[T | None, str | None]] = [(None, None)]
    if is_first():
        try:
            found = [(look(), None)]
        except DimmerError as error:
            found = [(None, str(error))]
    dist.broadcast_object_list(found, src=0)
    value, fault = found[0]
    if fault is not None:
        raise DimmerError(fault)
    return value  # type: ignore[return-value]


def gathered(value: T) -> list[T]:
    """One process's value of each, in the order of their numbers, in all of them."""
    return [value] if count() == 1 else _gathered(value, None)


def gathered_late(value: T) -> list[T]:
    """As `gathered`, behind work of very different length: the first to be done waits for days."""
    if count() == 1:
        return [value]
    import torch.distributed as dist

    return _gathered(value, dist.new_group(backend="gloo", timeout=LONG_PATIENCE))


def _gathered(value: T, group: Any) -> list[T]:
    import torch.distributed as dist

    found: list[T | None] = [None] * count()
    dist.all_gather_object(found, value, group=group)
    return found  # type: ignore[return-value]


def spread(items: Sequence[T], work: Callable[[T], R]) -> list[R]:
    """``[work(item) for item in items]``, each item done by one process; all get all results, in the items' order.

    The items are what one process would have worked on, so that sums within an item are the same bit for bit.
    """
    done = gathered([work(item) for item in items[own()]])
    return [done[n % len(done)][n // len(done)] for n in range(len(items))]


def averaged(values: Tensor) -> Tensor:
    """The mean of all processes' tensors, which are of one shape."""
    if count() == 1:
        return values
    import torch.distributed as dist

    total = values.clone()
    dist.all_reduce(total)
    return total / count()


def average_gradients(parameters: Sequence[Tensor], parts: int = 1) -> None:
    """Replaces gradients by their mean over all processes, and over the parts of a batch that were added up.

    All are sent at once, in one tensor of each type.

    Args:
        parameters: in the same order in all processes; those without a gradient have none anywhere.
        parts: backward passes that were added up in each process.
    """
    import torch

    others = count()
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if others == 1:
        if parts > 1 and gradients:
            torch._foreach_mul_(gradients, 1 / parts)
        return
    import torch.distributed as dist

    for kind in sorted({gradient.dtype for gradient in gradients}, key=str):
        alike = [gradient for gradient in gradients if gradient.dtype == kind]
        flat = torch.cat([gradient.flatten() for gradient in alike])
        dist.all_reduce(flat)
        flat *= 1 / (others * parts)
        sizes = [gradient.numel() for gradient in alike]
        for gradient, mean in zip(alike, flat.split(sizes), strict=True):
            gradient.copy_(mean.view(gradient.shape))


def wait() -> None:
    """Until all processes are here."""
    if count() > 1:
        import torch.distributed as dist

        dist.barrier()


@contextmanager
def once_a_machine() -> Iterator[None]:
    """Within, one process of each machine after which come its others: the first reads what all of them then find."""
    first = count() == 1 or os.environ.get("LOCAL_RANK", "0") == "0"
    if not first:
        wait()
    try:
        yield
    finally:
        if first:
            wait()
