# SPDX-License-Identifier: Apache-2.0
"""What the stages of an NPU leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.npu import NpuFirmware, VerifiedNpu
from tests.pipeline.artifact_examples import npu_firmware, verified_npu


def test_both_come_back(tmp_path: Path) -> None:
    npu_firmware().save(tmp_path)
    verified_npu().save(tmp_path)
    assert NpuFirmware.load(tmp_path) == npu_firmware()
    assert VerifiedNpu.load(tmp_path) == verified_npu()


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(DimmerError):
        NpuFirmware.load(tmp_path)


def test_an_extra_mode_is_its_stream_and_what_it_alone_reads() -> None:
    assert [mode.extra_bytes for mode in npu_firmware().modes] == [3300 + 4800, 2600 + 2880]
