# SPDX-License-Identifier: Apache-2.0
"""Where builds lie."""

from __future__ import annotations

from pathlib import Path

from dimmer.pipeline.artifacts.places import built_elf, built_folder
from dimmer.targets import load_target


def test_an_npu_s_lies_where_its_stage_leaves_it() -> None:
    build = Path("build/lamp")
    assert built_folder(build, load_target("mps2-an386")) == build / "mps2-an386" / "firmware"
    assert built_elf(build, load_target("ethos-u55-128")) == build / "ethos-u55-128" / "npu" / "firmware.elf"
