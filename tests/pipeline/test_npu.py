# SPDX-License-Identifier: Apache-2.0
"""The stage `npu`: converted modes -> one blob, command streams, a firmware that runs with a stand-in as driver."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline import npu
from dimmer.pipeline.artifacts.npu import NpuFirmware, npu_folder, vela_output
from dimmer.targets import load_target
from tests.npu import WITHOUT_VELA
from tests.tiny import TinyBuild, silent

TARGET = "ethos-u55-128"
pytestmark = [WITHOUT_VELA, pytest.mark.board(TARGET), pytest.mark.xdist_group("npu")]


@pytest.fixture(scope="session")
def tiny_npu(tiny_converted: TinyBuild) -> Path:
    """The stage's folder."""
    npu.run(tiny_converted.recipe, tiny_converted.build, load_target(TARGET), silent)
    return npu_folder(tiny_converted.build, TARGET)


def test_modes_share_a_blob_and_run_on_the_emulated_core(tiny_npu: Path, tiny_converted: TinyBuild) -> None:
    found = NpuFirmware.load(tiny_npu)
    assert found.accelerator == TARGET
    assert {mode.name for mode in found.modes} >= {"88.88", "80.80"}
    assert found.bytes.blob < found.bytes.separate
    assert found.bytes.shared > 0
    assert all(mode.cycles > 0 and mode.extra_bytes > mode.stream_bytes for mode in found.modes)
    assert all(vela_output(tiny_npu, mode.name).is_file() for mode in found.modes)
    assert [tier.mode for tier in found.policy] or len(found.modes) == 1
    again = npu.run(tiny_converted.recipe, tiny_converted.build, load_target(TARGET), silent)
    assert again.cached


def test_the_key_knows_vela_and_the_board_s_configuration(tiny_converted: TinyBuild, tmp_path: Path) -> None:
    target = load_target(TARGET)
    assert target.npu is not None
    ini = tmp_path / "vela.ini"
    ini.write_text("one")
    own = replace(target, npu=replace(target.npu, config=str(ini)))
    key = npu.stage(tiny_converted.recipe, tiny_converted.build, own, silent).key()
    assert key["contents"]["ethos-u-vela"]  # type: ignore[index,call-overload]
    ini.write_text("another")
    assert npu.stage(tiny_converted.recipe, tiny_converted.build, own, silent).key() != key


def test_a_target_without_an_npu_is_one_line(tiny_converted: TinyBuild) -> None:
    with pytest.raises(DimmerError, match="mps3-an547 has no NPU"):
        npu.main("mnist5k-r14", "mps3-an547")
