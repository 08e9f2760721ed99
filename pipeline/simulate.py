"""Simulation: a battery empties under the policy, the very C that the firmware runs."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dimmer.firmware_gen.library import INCLUDE, RUNTIME
from dimmer.firmware_gen.tables import PolicyConfig, Tier
from dimmer.pipeline.errors import DimmerError
from dimmer.pipeline.report_data import BatterySample, PolicyTier
from dimmer.pipeline.system import named_tools, require_tools


@dataclass(frozen=True)
class Device:
    """What hangs on the battery.

    Attributes:
        capacity_mah: of the full cell; the default is a CR2032's.
        millivolts: of the cell, taken as constant.
        period_s: from one inference to the next.
        idle_uw: microwatts that are drawn all the time.
    """

    capacity_mah: float = 220.0
    millivolts: int = 3000
    period_s: float = 1.0
    idle_uw: float = 10.0

    @property
    def energy_uj(self) -> float:
        """Microjoules in the full cell: mAh x 3600 s x mV."""
        return self.capacity_mah * 3600 * self.millivolts

    def power_uw(self, inference_uj: float) -> float:
        """Mean microwatts while inferences of this energy run."""
        return self.idle_uw + inference_uj / self.period_s

    def __str__(self) -> str:
        return (
            f"{self.capacity_mah:g} mAh at {self.millivolts / 1000:g} V, an inference every {self.period_s:g} s, "
            f"{self.idle_uw:g} µW besides"
        )


class _Battery(ctypes.Structure):
    _fields_ = (
        ("time_s", ctypes.c_uint32),
        ("harvest_ua", ctypes.c_uint32),
        ("charge_permille", ctypes.c_uint16),
        ("millivolts", ctypes.c_uint16),
    )


class _State(ctypes.Structure):
    _fields_ = (
        ("changed_s", ctypes.c_uint32),
        ("tier", ctypes.c_uint8),
        ("started", ctypes.c_uint8),
        ("reserved", ctypes.c_uint8 * 2),
    )


def discharge(
    policy: Sequence[PolicyTier], inference_uj: Mapping[str, float], device: Device, samples: int = 400
) -> tuple[BatterySample, ...]:
    """Empty a full battery under a policy.

    Args:
        policy: by falling thresholds.
        inference_uj: microjoules of one inference of each mode that the policy names.
        samples: about how many moments to return.

    Returns:
        Moments from the full battery to the empty one.

    Raises:
        DimmerError: there is no C compiler, or the policy cannot be packed.
    """
    modes = list(dict.fromkeys(tier.mode for tier in policy))
    packed = PolicyConfig(
        tuple(Tier(tier.min_charge_permille, tier.min_millivolts, modes.index(tier.mode)) for tier in policy),
        policy[0].dwell_s,
        policy[0].hysteresis_permille,
    ).pack(len(modes))
    slowest = device.power_uw(min(inference_uj[mode] for mode in modes))
    step_s = max(1, int(device.energy_uj / slowest / samples))
    left, time_s, state = device.energy_uj, 0, _State()
    moments: list[BatterySample] = []
    with _policy_next() as policy_next:
        while True:
            permille = max(1000 * left / device.energy_uj, 0.0)
            now = _Battery(time_s, 0, int(permille), device.millivolts)
            state = policy_next(packed, state, ctypes.byref(now))
            mode = policy[state.tier].mode
            moments.append(BatterySample(float(time_s), permille, mode))
            if left <= 0:
                return tuple(moments)
            left -= device.power_uw(inference_uj[mode]) * step_s
            time_s += step_s


@contextmanager
def _policy_next() -> Iterator[Any]:
    """``dimmer_policy_next`` of policy.c, compiled for this machine."""
    require_tools(named_tools(["gcc"]))
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "policy.so"
        command = ["gcc", "-std=c99", "-O1", "-shared", "-fPIC", f"-I{INCLUDE}", str(RUNTIME / "src" / "policy.c")]
        done = subprocess.run([*command, "-o", str(library)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise DimmerError(f"policy.c does not compile on this machine: {done.stderr.splitlines()[0]}")
        function = ctypes.CDLL(str(library)).dimmer_policy_next
        function.argtypes = (ctypes.c_char_p, _State, ctypes.POINTER(_Battery))
        function.restype = _State
        yield function
