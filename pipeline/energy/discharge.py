# SPDX-License-Identifier: Apache-2.0
"""A battery empties under the policy, the very C that the firmware runs."""

from __future__ import annotations

import ctypes
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.pipeline.artifacts.firmware import PolicyTier
from dimmer.pipeline.artifacts.report import BatterySample
from dimmer.pipeline.energy.device import Device, Inference
from dimmer.pipeline.energy.policy import Battery, State, policy_next_function


def discharge(
    policy: Sequence[PolicyTier], taken: Mapping[str, Inference], device: Device, samples: int = 400
) -> tuple[BatterySample, ...]:
    """Empty a full battery under a policy.

    Args:
        policy: by falling thresholds.
        taken: what one inference takes in each mode that the policy names.
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
    slowest = min(device.power_uw(taken[mode]) for mode in modes)
    step_s = max(1, int(device.energy_uj / slowest / samples))
    left, time_s, state = device.energy_uj, 0, State()
    moments: list[BatterySample] = []
    with policy_next_function() as policy_next:
        while True:
            permille = max(1000 * left / device.energy_uj, 0.0)
            now = Battery(time_s, 0, int(permille), device.millivolts)
            state = policy_next(packed, state, ctypes.byref(now))
            mode = policy[state.tier].mode
            moments.append(BatterySample(float(time_s), permille, mode))
            if left <= 0:
                return tuple(moments)
            left -= device.power_uw(taken[mode]) * step_s
            time_s += step_s


def life(policy: Sequence[PolicyTier], taken: Mapping[str, Inference], device: Device) -> float:
    """Seconds until a full battery is empty; arguments as for `discharge`."""
    return discharge(policy, taken, device)[-1].time_s


def policy_of_report(path: Path, millivolts: int | None = None) -> tuple[tuple[PolicyTier, ...], dict[str, Inference]]:
    """The policy of a build's report.json, and what one inference of each mode takes.

    Args:
        millivolts: of the cell that they are taken from: behind a linear regulator they grow with it. None for those of
            the board's own supply.

    Raises:
        DimmerError: there is no such report, or it has no policy of static modes, or no energies.
    """
    try:
        report = json.loads(path.read_text())
        policy = tuple(PolicyTier(**tier) for tier in report["policy"])
        energies = {mode["name"]: mode["energy_uj"] for mode in report["modes"]}
        board = report.get("energy") or {}
        scale = 1.0
        if millivolts is not None and board.get("regulator") == "linear":
            scale = millivolts / float(board["supply_mv"])
        seconds = {mode["name"]: float(mode["milliseconds"]["value"]) / 1000 for mode in board.get("modes", ())}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        build = f"python -m pipeline.build --model {path.parent.parent.name} --target {path.parent.name}"
        raise DimmerError(f"{path} cannot be read ({error}): type '{build}' first") from error
    if not policy or any(tier.mode not in energies for tier in policy):
        raise DimmerError(f"{path} has no policy of static modes, so there is nothing to simulate: give [policy] tiers")
    if any(energy is None for energy in energies.values()):
        raise DimmerError(f"{path}: energy is null; name a target whose target.toml has [energy]")
    for mode, energy in energies.items():
        if not isinstance(energy, int | float) or not 0 < scale * energy < math.inf:
            raise DimmerError(
                f"{path}: an inference of mode {mode} takes {energy} uJ, which cannot be; build again for this target"
            )
        if not 0 <= seconds.get(mode, 0.0) < math.inf:
            raise DimmerError(
                f"{path}: an inference of mode {mode} lasts {seconds[mode]} s, which cannot be; build again for this "
                "target"
            )
    return policy, {mode: Inference(scale * energy, seconds.get(mode, 0.0)) for mode, energy in energies.items()}
