# SPDX-License-Identifier: Apache-2.0
"""Targets as parameters of tests: emulated boards are marked, and skipped where their tools are absent."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet

from dimmer.targets import Target, load_target, target_names
from dimmer.targets.target import TARGETS, read_target

SIMULATED = [name for name in target_names() if load_target(name).runner.rtl is not None]
"""Cores that are simulated from their RTL, a hundred times slower than the emulated boards."""
QUICKEST = "ibex-maxperf"
"""Of them, the one that tests run which are not slow: it takes the fewest cycles, and simulates the most a second."""
SLOW_SIMULATED_PARAMS = [pytest.param(name, marks=[pytest.mark.board(name), pytest.mark.slow]) for name in SIMULATED]
SIMULATED_PARAMS = [
    pytest.param(QUICKEST, marks=pytest.mark.board(QUICKEST)),
    *(param for param in SLOW_SIMULATED_PARAMS if param.values[0] != QUICKEST),
]
REAL_BOARDS = [name for name in target_names() if load_target(name).board is not None]
"""Boards that one can hold in his hand; `tests/targets/test_boards.py` runs their twins."""
NPUS = [name for name in target_names() if load_target(name).npu is not None]
"""Their core is that of mps3-an547, their engine another one: `tests/pipeline/test_npu.py`."""
BOARDS = [
    name
    for name in target_names()
    if load_target(name).memory is not None and name not in (*SIMULATED, *REAL_BOARDS, *NPUS)
]
BOARD_PARAMS = [pytest.param(name, marks=pytest.mark.board(name)) for name in BOARDS]
LIKE_M4 = ("mps2-an500", "mps2-an505")
"""Cortex-M7 and M33 run the kernels of the M4: they run with the slow tests."""
CHOSEN_BOARD_PARAMS = [
    pytest.param(name, marks=[pytest.mark.board(name), *([pytest.mark.slow] if name in LIKE_M4 else [])])
    for name in BOARDS
]
EVERY_TARGET = [pytest.param("host"), *CHOSEN_BOARD_PARAMS]


def rest_slow(params: Iterable[Any], *always: object) -> list[ParameterSet]:
    """Parameters of which those run by default whose first value is one of these, the others with the slow tests."""
    sets = [param if isinstance(param, ParameterSet) else pytest.param(param) for param in params]
    return [
        one if one.values[0] in always else pytest.param(*one.values, marks=[*one.marks, pytest.mark.slow], id=one.id)
        for one in sets
    ]


def at_level(name: str, options: str) -> Target:
    """A target with other flags in the place of its level of optimisation, which are its own where they are the same:
    a run compiles no file twice with the same.
    """
    target = load_target(name)
    flags = target.toolchain.flags
    place = next(at for at, flag in enumerate(flags) if flag.startswith("-O"))
    flags = (*flags[:place], *options.split(), *flags[place + 1 :])
    return dataclasses.replace(target, toolchain=dataclasses.replace(target.toolchain, flags=flags))


def small_board(folder: Path, flash: int, ram: int, name: str = "small") -> Target:
    """The Cortex-M4 board with other sizes of memory, bytes; its target.toml lies in a folder of its own."""
    own = folder / name
    own.mkdir()
    text = (TARGETS / "mps2-an386" / "target.toml").read_text().replace('"../', f'"{TARGETS}/')
    for origin, size in (("0x00000000", flash), ("0x20000000", ram)):
        text = text.replace(f"origin = {origin}, size = 0x00400000", f"origin = {origin}, size = {size}")
    (own / "target.toml").write_text(text)
    return read_target(own / "target.toml")
