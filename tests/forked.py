# SPDX-License-Identifier: Apache-2.0
"""Processes that work together as those of torchrun do, forked from the test: they need no second to start."""

from __future__ import annotations

import os
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist

T = TypeVar("T")


def in_processes(folder: Path, count: int, work: Callable[[], T]) -> list[T]:
    """What `work` gives in each of several processes that know of each other.

    Args:
        folder: an empty one, where they meet.
    """
    children = [_fork(folder, rank, count, work) for rank in range(count)]
    for child in children:
        os.waitpid(child, 0)
    found: list[T] = []
    for rank in range(count):
        done, value = pickle.loads((folder / f"{rank}.pickle").read_bytes())
        assert done, value
        found.append(value)
    return found


def _store(folder: Path, count: int) -> Any:
    return dist.FileStore(str(folder / "store"), count)  # type: ignore[attr-defined]


def _fork(folder: Path, rank: int, count: int, work: Callable[[], T]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        torch.set_num_threads(1)
        dist.init_process_group("gloo", store=_store(folder, count), rank=rank, world_size=count)
        found: tuple[bool, object] = (True, work())
    except BaseException:
        found = (False, traceback.format_exc())
    (folder / f"{rank}.pickle").write_bytes(pickle.dumps(found))
    # Not exit: what pytest wants to do at its end is for the parent.
    os._exit(0)
