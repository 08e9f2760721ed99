"""Targets as commands name them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import typer

from dimmer.pipeline.core.errors import DimmerError
from dimmer.targets import Target, load_target

scratch_option: Any = typer.Option(
    "--scratch-limit", min=0, help="Bytes of arena that a kernel may take for speed, instead of target.toml's."
)


def with_scratch_limit(target: Target, limit: int | None) -> Target:
    """The target with another `scratch_limit`, where one is given."""
    return target if limit is None else replace(target, scratch_limit=limit)


def load_firmware_target(name: str) -> Target:
    """As load_target, for a target that takes a firmware.

    Raises:
        TargetError: there is no such target.
        DimmerError: it takes a bundle.
    """
    target = load_target(name)
    if target.engine != "tables":
        raise DimmerError(
            f"{name} takes a bundle, no firmware: ./nox -s build-target -- {name} makes it and runs its self-test"
        )
    return target
