# SPDX-License-Identifier: Apache-2.0
"""The firmware's own policy, compiled for this machine."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.firmware_gen.library import INCLUDE, RUNTIME
from dimmer.pipeline.core.debian import named_tools, require_tools


class Battery(ctypes.Structure):
    """`dimmer_battery_t` of dimmer.h."""

    _fields_ = (
        ("time_s", ctypes.c_uint32),
        ("harvest_ua", ctypes.c_uint32),
        ("charge_permille", ctypes.c_uint16),
        ("millivolts", ctypes.c_uint16),
        ("temperature_dk", ctypes.c_uint16),
        ("flags", ctypes.c_uint8),
        ("reserved", ctypes.c_uint8),
    )


class Charge(ctypes.Structure):
    """`dimmer_charge_t` of dimmer.h."""

    _fields_ = (
        ("last_s", ctypes.c_uint32),
        ("passed_s", ctypes.c_uint32),
        ("silent_s", ctypes.c_uint32),
        ("believed", ctypes.c_uint16),
        ("odd", ctypes.c_uint8),
        ("reserved", ctypes.c_uint8),
    )


class State(ctypes.Structure):
    """`dimmer_policy_state_t` of dimmer.h."""

    _fields_ = (
        ("charge", Charge),
        ("held_s", ctypes.c_uint32),
        ("tier", ctypes.c_uint8),
        ("candidate", ctypes.c_uint8),
        ("reserved", ctypes.c_uint8 * 2),
    )


@contextmanager
def policy_next_function() -> Iterator[Any]:
    """``dimmer_policy_next`` of policy.c, compiled for this machine."""
    require_tools(named_tools(["gcc"]))
    with children.scratch() as folder:
        library = folder / "policy.so"
        command = ["gcc", "-std=c99", "-O1", "-shared", "-fPIC", f"-I{INCLUDE}"]
        command += [str(RUNTIME / "src" / name) for name in ("policy.c", "reading.c")]
        done = children.run([*command, "-o", str(library)])
        if done.returncode:
            said = done.stderr.splitlines() or [f"gcc {children.how_it_ended(done.returncode)}"]
            raise DimmerError(f"policy.c does not compile on this machine: {said[0]}")
        function = ctypes.CDLL(str(library)).dimmer_policy_next
        function.argtypes = (ctypes.c_char_p, State, ctypes.POINTER(Battery))
        function.restype = State
        yield function
