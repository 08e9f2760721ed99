# SPDX-License-Identifier: Apache-2.0
"""The menu: of a model's modes those that are worth choosing from, by what they cost and how often they are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dimmer.errors import DimmerError
from dimmer.firmware_gen.emit.plan import MAX_POINTS
from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.energy.hull import Hull, concave_hull
from dimmer.pipeline.recipe.sections.policy import PolicySection


def menu_of(cost: Mapping[str, float], calibration: Calibration) -> Hull:
    """Of modes, which are worth choosing from.

    Args:
        cost: mode -> of an inference, in any unit.
    """
    accuracy = {name: calibration.mode(name).accuracy for name in cost}
    return concave_hull(cost, accuracy, calibration.validation_images, MAX_POINTS, calibration.right([*cost]))


def ids(menu: Hull, modes: Sequence[str]) -> list[int]:
    """The menu's modes as numbers of a firmware's, the most expensive first."""
    return [modes.index(name) for name in reversed(menu.modes)]


def menu_note(left_out: Mapping[str, str]) -> str:
    """What the report tells of modes that are there and never chosen; empty where there are none."""
    if not left_out:
        return ""
    return "in flash and callable, but never chosen: " + "; ".join(f"{mode}: {why}" for mode, why in left_out.items())


def check_needs_no_figures(section: PolicySection, unknown: str) -> None:
    """Raises DimmerError where a policy asks for the time or the charge of an inference.

    Args:
        unknown: why nobody knows them, for people.
    """
    for key in ("max_ms", "recharge"):
        if getattr(section, key):
            raise DimmerError(f"policy.{key}: {unknown}: leave it out, and give tiers")
