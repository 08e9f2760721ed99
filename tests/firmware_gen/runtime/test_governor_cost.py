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
# What a firmware with a governor holds: dimmer_govern_no_more goes back to the tiers.
for name, policies in {"governor and tiers": ("tiers", "governor"), "all": ("tiers", "harvest")}.items():
    CHOOSES[name] = tuple(dict.fromkeys(function for one in policies for function in CHOOSES[one]))
    STATIC[name] = tuple(function for one in policies for function in STATIC[one])
# 44 bytes of each find damage: pointers of the state are compared with their seal before they are followed.
MOST_CODE = {
    ("tiers", "mps2-an386"): 400,
    ("tiers", "mps2-an385-v6m"): 430,
    ("governor", "mps2-an386"): 1160,
    ("governor", "mps2-an385-v6m"): 1260,
    ("harvest", "mps2-an386"): 1620,
    ("harvest", "mps2-an385-v6m"): 1756,
    ("governor and tiers", "mps2-an386"): 1476,
    ("governor and tiers", "mps2-an385-v6m"): 1600,
    ("all", "mps2-an386"): 1936,
    ("all", "mps2-an385-v6m"): 2096,
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
def test_code(tmp_path: Path, name: str) -> None:
    target = load_target(name)
    files = [RUNTIME / "src" / f"{part}.c" for part in (*GOVERNOR, "govern", "harvest", "policy")]
    command = [target.toolchain.compilers[0], *target.toolchain.flags, f"-I{INCLUDE}", "-c"]
    subprocess.run([*command, *map(str, files)], cwd=tmp_path, check=True)
    lines = output_of("arm-none-eabi-nm", "-S", *(tmp_path / f"{file.stem}.o" for file in files)).splitlines()
    sizes = {words[3]: int(words[1], 16) for words in map(str.split, lines) if len(words) == 4}
    for policy, functions in CHOOSES.items():
        always = sum(sizes[f"dimmer_{function}"] for function in functions)
        # A compiler may make one function of two.
        found = always + sum(sizes.get(function, 0) for function in STATIC[policy])
        assert 0 < found <= MOST_CODE[policy, name], (policy, found)
