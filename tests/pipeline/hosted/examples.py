# SPDX-License-Identifier: Apache-2.0
"""Models that the tests of `pipeline/hosted/` run."""

from __future__ import annotations

from pathlib import Path

from dimmer.firmware_gen.emit.policy import PolicyConfig, Tier
from dimmer.firmware_gen.gates import MODE_GATED
from dimmer.firmware_gen.generate import generate
from tests.firmware_gen.gated import random_gates
from tests.firmware_gen.modes import write_modes

GATE_SEED = 4
POLICY = PolicyConfig((Tier(700, 0, 0), Tier(400, 3500, 1), Tier(0, 0, 2)), dwell_s=60, hysteresis_permille=20)
GATED_POLICY = PolicyConfig((Tier(500, 0, MODE_GATED, 51), Tier(0, 0, 2)))


def modes_folder(work: Path, gated: bool = False) -> Path:
    """The C of three modes in five positions, with a policy, as a build for the host leaves it; gives build/<model>."""
    sources = work / "sources"
    sources.mkdir()
    build = work / "build" / "blocks"
    gates = random_gates(GATE_SEED) if gated else None
    policy = GATED_POLICY if gated else POLICY
    generate(write_modes(sources), build / "host" / "firmware", policy, name="blocks", gates=gates)
    return build
