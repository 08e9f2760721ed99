# SPDX-License-Identifier: Apache-2.0
"""Who counts for a board: no twin counts instructions, an emulated board with the same core does."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace

from dimmer.targets.target import FILE, TARGETS, Target, read_target

EMULATED: Mapping[str, str] = {
    "cortex-m0plus": "mps2-an385-v6m",
    "cortex-m3": "mps2-an385",
    "cortex-m4": "mps2-an386",
    "cortex-m7": "mps2-an500",
    "cortex-m33": "mps2-an505",
    "cortex-m55": "mps3-an547",
    "rv32imc": "riscv-virt",
}
"""Core of a board -> Dimmer's target that counts for it, whose generated C is the same but for the start-up."""


def emulated_for(target: Target) -> Target | None:
    """The emulated board that counts for a board, and chooses its kernels alike.

    Returns:
        None where the target counts itself or is no board, or where none has its core.
    """
    if target.board is None or target.counts_instructions or target.core not in EMULATED:
        return None
    found = read_target(TARGETS / EMULATED[target.core] / FILE)
    return replace(found, scratch_limit=target.scratch_limit, latency=target.latency)


def counter_of(target: Target) -> Target | None:
    """Where a target's instructions are counted: on itself, or on the emulated board, if its emulator is here.

    Returns:
        None where they cannot be.
    """
    if target.counts_instructions:
        return target
    found = emulated_for(target)
    return None if found is None or shutil.which(found.runner.command[0]) is None else found


def uncounted(target: Target) -> str:
    """Why nothing is counted for a target that `counter_of` knows no counter for."""
    found = emulated_for(target)
    if found is None:
        return f"{target.name} has no instruction counter"
    return f"{found.name}, which counts for {target.name}, needs {found.runner.command[0]}, which is not here"
