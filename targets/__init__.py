# SPDX-License-Identifier: Apache-2.0
"""Targets: what a firmware is compiled with, and what it runs on. One folder each, described by target.toml."""

from dimmer.targets.kit.errors import OverflowedError, TargetError
from dimmer.targets.kit.memory import Memory, Region
from dimmer.targets.kit.toolchain import SectionSizes
from dimmer.targets.power.constants import Energy
from dimmer.targets.target import APPLICATION, Target, find_target, load_target, target_names

__all__ = [
    "APPLICATION",
    "Energy",
    "Memory",
    "OverflowedError",
    "Region",
    "SectionSizes",
    "Target",
    "TargetError",
    "find_target",
    "load_target",
    "target_names",
]
