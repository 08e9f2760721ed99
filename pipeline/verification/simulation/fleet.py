# SPDX-License-Identifier: Apache-2.0
"""The firmware's own governor and policy, compiled for this machine, for many devices at a call."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.plan import MAX_POINTS, PlanConfig
from dimmer.firmware_gen.emit.policy import PolicyConfig
from dimmer.firmware_gen.library import INCLUDE, RUNTIME
from dimmer.pipeline.core.debian import named_tools, require_tools

Counts = npt.NDArray[np.uint32]

REPORT = np.dtype(
    [
        ("time_s", "<u4"),
        ("harvest_ua", "<u4"),
        ("charge_permille", "<u2"),
        ("millivolts", "<u2"),
        ("temperature_dk", "<u2"),
        ("flags", "u1"),
        ("reserved", "u1"),
    ]
)
"""`dimmer_battery_t` of dimmer.h."""

_STATE_BYTES = 24
_LEFT_OUT, _STOPPED, _POINTS, _COUNTS = 0, 1, 2, 2 + MAX_POINTS
_PARTS = ("governor.c", "plan.c", "policy.c", "reading.c", "share.c")


@cache
def library() -> ctypes.CDLL:
    """Governor, policy and `fleet.c` as a library of this machine.

    Raises:
        DimmerError: there is no C compiler, or it refuses.
    """
    require_tools(named_tools(["gcc"]))
    with children.scratch() as folder:
        out = folder / "fleet.so"
        command = ["gcc", "-std=c99", "-O2", "-shared", "-fPIC", f"-I{INCLUDE}"]
        command += [str(Path(__file__).with_name("fleet.c")), *(str(RUNTIME / "src" / part) for part in _PARTS)]
        done = children.run([*command, "-o", str(out)])
        if done.returncode:
            said = done.stderr.splitlines() or [f"gcc {children.how_it_ended(done.returncode)}"]
            raise DimmerError(f"fleet.c does not compile on this machine: {said[0]}")
        loaded = ctypes.CDLL(str(out))
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    loaded.fleet_start.argtypes = (pointer, size, pointer)
    loaded.fleet_govern.argtypes = (pointer, size, pointer, pointer, ctypes.c_int, pointer)
    loaded.fleet_tiers.argtypes = (pointer, pointer, size, pointer, pointer)
    loaded.fleet_governor_size.restype = size
    return loaded


class Governors:
    """A governor for each of some devices that have the same plan."""

    def __init__(self, plan: PlanConfig, devices: int, each: bool = False) -> None:
        """Begins them, as the first report finds them.

        Args:
            each: whether to step through every choice.
        """
        self.points = len(plan.points)
        self._devices, self._each = devices, each
        modes = 1 + max(point.mode for point in plan.points)
        self._plan = np.frombuffer(plan.pack(modes), np.uint8).copy()
        self._state = np.zeros((devices, library().fleet_governor_size()), np.uint8)
        library().fleet_start(self._state.ctypes.data, devices, self._plan.ctypes.data)

    def step(self, reports: npt.NDArray[np.void], wanted: npt.NDArray[np.uint32]) -> Counts:
        """A report of each device, and so many inferences after it.

        Args:
            reports: REPORT[devices].

        Returns:
            uint32[devices, points]: how many ran at each point.
        """
        assert reports.dtype == REPORT
        assert wanted.dtype == np.uint32
        assert len(reports) == len(wanted) == self._devices
        counts = np.zeros((self._devices, _COUNTS), np.uint32)
        library().fleet_govern(
            self._state.ctypes.data,
            self._devices,
            reports.ctypes.data,
            wanted.ctypes.data,
            self._each,
            counts.ctypes.data,
        )
        return counts[:, _POINTS : _POINTS + self.points]


class Tiers:
    """The policy's tiers for each of some devices."""

    def __init__(self, tiers: PolicyConfig, modes: int, devices: int) -> None:
        """Begins them.

        Args:
            modes: that the firmware has.
        """
        self._devices = devices
        self._policy = np.frombuffer(tiers.pack(modes).ljust(64, b"\0"), np.uint8).copy()
        self._state = np.zeros((devices, _STATE_BYTES), np.uint8)
        self._modes = np.array([tier.mode for tier in tiers.tiers], np.int64)

    def step(self, reports: npt.NDArray[np.void]) -> npt.NDArray[np.int64]:
        """A report of each device.

        Returns:
            The mode of each device.
        """
        assert reports.dtype == REPORT
        assert len(reports) == self._devices
        tiers = np.zeros(self._devices, np.uint8)
        library().fleet_tiers(
            self._policy.ctypes.data, self._state.ctypes.data, self._devices, reports.ctypes.data, tiers.ctypes.data
        )
        return self._modes[tiers]


def states(governors: Governors) -> Sequence[bytes]:
    """What each governor remembers, byte by byte, but for where its plan lies."""
    # Two pointers and what seals them begin a dimmer_governor_t.
    return [row[3 * ctypes.sizeof(ctypes.c_void_p) :].tobytes() for row in governors._state]
