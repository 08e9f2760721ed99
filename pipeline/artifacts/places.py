# SPDX-License-Identifier: Apache-2.0
"""Where a target's build lies, whatever its engine."""

from __future__ import annotations

from pathlib import Path

from dimmer.pipeline.artifacts.firmware import firmware_folder
from dimmer.pipeline.artifacts.npu import npu_folder
from dimmer.targets import Target


def built_folder(build: Path, target: Target) -> Path:
    """The folder with firmware.elf and the generated C of a target, under ``build/<model>``: of the stage `npu` where
    an NPU computes, else of the stage `firmware`.
    """
    return npu_folder(build, target.name) if target.npu is not None else firmware_folder(build, target.name)


def built_elf(build: Path, target: Target) -> Path:
    """The program in it."""
    return built_folder(build, target) / "firmware.elf"
