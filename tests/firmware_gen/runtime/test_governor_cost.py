# SPDX-License-Identifier: Apache-2.0
"""What a governor costs, counted on emulated boards: instructions of a choice and of a report, and code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from dimmer.firmware_gen.library import INCLUDE, RUNTIME
from dimmer.targets import load_target
from dimmer.targets.target import TARGETS
from tests.firmware_gen.runtime.c_library import output_of

MOST_REPORT = {"mps2-an386": 600, "mps2-an385-v6m": 3500}
MOST_CHOICE = 80

BOARDS = [pytest.param(name, marks=pytest.mark.board(name)) for name in MOST_REPORT]
GOVERNOR = ("governor", "share", "reading")

# Functions of the policy in a firmware; what an application may set or ask besides is linked only where it is called.
CHOOSES = {
    "tiers": ("policy_step", "read_charge"),
    "governor": (
        *("govern", "next", "governor_start", "governor_report", "governor_choose", "set_inference_budget"),
        *("power_over", "share_of", "read_charge"),
    ),
}
CHOOSES["harvest"] = (*CHOOSES["governor"], "harvest_calls")
STATIC = {
    "tiers": ("tier_from",),
    "governor": ("report_to",),
    "harvest": ("report_to", "take_harvest", "budget_with_harvest", "inference_at"),
}
# 44 bytes of each find damage: pointers of the state are compared with their seal before they are followed.
MOST_CODE = {
    ("tiers", "mps2-an386"): 450,
    ("tiers", "mps2-an385-v6m"): 500,
    ("governor", "mps2-an386"): 1272,
    ("governor", "mps2-an385-v6m"): 1424,
    ("harvest", "mps2-an386"): 1744,
    ("harvest", "mps2-an385-v6m"): 1924,
}


@pytest.mark.parametrize("name", BOARDS)
def test_instructions(tmp_path: Path, name: str) -> None:
    target = load_target(name)
    parts = [RUNTIME / "src" / f"{part}.c" for part in (*GOVERNOR, "harvest")]
    sources = [Path(__file__).with_name("governor_cost_test.c"), *parts, TARGETS / "app" / "text.c"]
    elf = target.compile(sources, [INCLUDE, TARGETS / "app"], tmp_path)
    done = target.run(elf, [], tmp_path, count=True)
    assert done.returncode == 0
    found = {line["event"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert 0 < found["choose"]["most"] <= MOST_CHOICE, found
    assert 0 < found["report"]["most"] <= MOST_REPORT[name], found
    assert 0 < found["harvest"]["most"] <= MOST_REPORT[name], found


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("policy", CHOOSES)
def test_code(tmp_path: Path, name: str, policy: str) -> None:
    target = load_target(name)
    files = [RUNTIME / "src" / f"{part}.c" for part in (*GOVERNOR, "govern", "harvest", "policy")]
    command = [target.toolchain.compilers[0], *target.toolchain.flags, f"-I{INCLUDE}", "-c"]
    subprocess.run([*command, *map(str, files)], cwd=tmp_path, check=True)
    lines = output_of("arm-none-eabi-nm", "-S", *(tmp_path / f"{file.stem}.o" for file in files)).splitlines()
    sizes = {words[3]: int(words[1], 16) for words in map(str.split, lines) if len(words) == 4}
    always = sum(sizes[f"dimmer_{function}"] for function in CHOOSES[policy])
    # A compiler may make one function of two.
    assert 0 < always + sum(sizes.get(function, 0) for function in STATIC[policy]) <= MOST_CODE[policy, name]
