# SPDX-License-Identifier: Apache-2.0
"""Modes compared with the interpreter, and what a difference says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.verification.npu.chain import Bytes, ShippedMode
from dimmer.pipeline.verification.npu.verify import compare, refuse_other_work
from tests.npu import NpuModes
from tests.tiny import silent


def no_core(path: Path, inputs: Bytes) -> Bytes:
    raise AssertionError(f"{path}: the core has nothing to run")


def test_relinked_modes_pass(npu_modes: NpuModes) -> None:
    streams = [(mode,) for mode in npu_modes.relinked.modes]
    refuse_other_work(npu_modes.sources, [(mode,) for mode in npu_modes.compiled], streams)
    modes = [ShippedMode(mode.name, (mode,)) for mode in npu_modes.relinked.modes]
    found = compare(npu_modes.sources, modes, npu_modes.inputs, silent, folder=npu_modes.folder, run_core=no_core)
    assert [(one.samples, one.mismatches) for one in found] == [(6, 0), (6, 0)]


def test_other_scales_are_told_with_mode_and_image(npu_modes: NpuModes) -> None:
    mode = npu_modes.relinked.modes[1]
    packed = bytearray(mode.packed)
    packed[3] ^= 0x20
    changed = replace(mode, packed=bytes(packed))
    modes = [ShippedMode("80", (changed,))]
    with pytest.raises(DimmerError, match=r"80: the model of the NPU differs .* known edge"):
        compare(npu_modes.sources[1:], modes, npu_modes.inputs, silent, folder=npu_modes.folder, run_core=no_core)
    with pytest.raises(DimmerError, match="80: the command stream in the firmware is not Vela's"):
        refuse_other_work(npu_modes.sources[1:], [npu_modes.compiled[1:]], [(changed,)])
