# SPDX-License-Identifier: Apache-2.0
"""Targets for cores that users have and that no target of Dimmer's own is for: a few words of its file change."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import foreign_order
from dimmer.targets import Target
from dimmer.targets.target import TARGETS, read_target
from tests.firmware_gen.networks import tiny_resnet
from tests.tiny import silent

MACHINE = '"-M", "virt"'
CORES = {
    "cortex-m85": ("mps3-an547", {"-mcpu=cortex-m55": "-march=armv8.1-m.main+mve.fp+fp.dp"}),
    "rv32imc": (
        "riscv-virt",
        {"-march=rv32imac": "-march=rv32imc", MACHINE: f'"-cpu", "rv32,a=false,zba=false,zbb=false", {MACHINE}'},
    ),
    "rv32imac_zba_zbb": (
        "riscv-virt",
        {
            "-march=rv32imac": "-march=rv32imac_zba_zbb",
            # There is no C library for it but that of rv32imac.
            '"-nostartfiles"': '"-march=rv32imac", "-nostartfiles"',
            MACHINE: f'"-cpu", "rv32,zba=true,zbb=true", {MACHINE}',
        },
    ),
}
"""Core of an ESP32-C3, of an RP2350's Hazard3, or of Arm's -> the target that runs it here, and what changes."""


def target_of(core: str, folder: Path) -> Target:
    like, changes = CORES[core]
    text = (TARGETS / like / "target.toml").read_text().replace('"../', '"dimmer:')
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    text = re.sub('^core = ".*"$', f'core = "{core}"', text, flags=re.MULTILINE)
    own = folder / "mine"
    own.mkdir()
    (own / "target.toml").write_text(text)
    return read_target(own / "target.toml")


@pytest.mark.board
@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
def test_it_is_exact_and_counted(tmp_path: Path, core: str) -> None:
    target = target_of(core, tmp_path)
    assert target.core == core
    model = tmp_path / "model.tflite"
    model.write_bytes(tiny_resnet())
    figures = make(foreign_order([model], samples=3), target, tmp_path / "out", silent)
    assert figures.mismatches == 0
    assert figures.modes[0].instructions is not None
    kernels = {step.kernel for step in figures.steps}
    assert any(kernel.endswith("_mve" if core == "cortex-m85" else ("_winograd", "_panel")) for kernel in kernels)
