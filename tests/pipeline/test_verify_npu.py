# SPDX-License-Identifier: Apache-2.0
"""The stage `verify_npu`: streams as they lie in firmware.elf against the interpreter."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import verify_npu
from dimmer.pipeline.artifacts.npu import VerifiedNpu, npu_folder, verify_npu_folder
from dimmer.targets import load_target
from tests.npu import WITHOUT_VELA
from tests.pipeline.test_npu import TARGET, tiny_npu
from tests.tiny import TinyBuild, silent

__all__ = ["tiny_npu"]
pytestmark = [WITHOUT_VELA, pytest.mark.board(TARGET), pytest.mark.xdist_group("npu")]


def test_every_mode_is_exact(tiny_npu: Path, tiny_converted: TinyBuild) -> None:
    verify_npu.run(tiny_converted.recipe, tiny_converted.build, load_target(TARGET), silent)
    found = VerifiedNpu.load(verify_npu_folder(tiny_converted.build, TARGET))
    assert len(found.modes) > 1
    for mode in found.modes:
        assert mode.outcome is not None
        assert (mode.outcome.samples, mode.outcome.mismatches) == (tiny_converted.recipe.verify.images, 0)
    assert "never run on silicon" in found.proves


def test_a_changed_stream_in_the_firmware_is_refused(tiny_npu: Path, tiny_converted: TinyBuild, tmp_path: Path) -> None:
    from dimmer.pipeline.verification.npu.verify import verify_npu as verify

    build = tmp_path / tiny_converted.build.name
    for name in ("convert", "calibrate"):
        shutil.copytree(tiny_converted.build / name, build / name)
    folder = npu_folder(build, TARGET)
    shutil.copytree(tiny_npu, folder)
    elf = folder / "firmware.elf"
    content = bytearray(elf.read_bytes())
    stream = content.index(b"COP1") + 200
    content[stream] ^= 1
    elf.write_bytes(content)
    with pytest.raises(DimmerError, match="the command stream in the firmware is not Vela's") as caught:
        verify("mnist5k", 2, build, load_target(TARGET), tmp_path, silent)
    assert "\n" not in str(caught.value)
