"""Targets: what a firmware is compiled with, and what it runs on. One folder each, described by target.toml."""

from dimmer.targets.errors import TargetError
from dimmer.targets.spec import APPLICATION, Energy, Memory, Region, Target, load_target, target_names
from dimmer.targets.toolchain import SectionSizes

__all__ = [
    "APPLICATION",
    "Energy",
    "Memory",
    "Region",
    "SectionSizes",
    "Target",
    "TargetError",
    "load_target",
    "target_names",
]
