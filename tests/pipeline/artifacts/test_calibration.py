# SPDX-License-Identifier: Apache-2.0
"""What a calibration leaves, read again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.calibration import (
    RESULT,
    STATISTICS,
    CalibratedMode,
    Calibration,
    RangeGroup,
    SiteFigures,
    Statistics,
    calibration_folder,
)
from tests.tiny import TinyBuild


def mode(name: str, bit_operations: int, published: bool) -> CalibratedMode:
    sites = {"stem": SiteFigures("stem", 40.5, 0.0), "0.0.out": SiteFigures("stream.0", 35.0, 0.01)}
    figures = (0.9, 0.91, 0.89, 0.3)
    return CalibratedMode(name, 5, bit_operations, False, *figures, published, False, None, "best of its cost", sites)


CALIBRATION = Calibration(
    "lamp",
    500,
    (mode("80", 100, True), mode("88", 200, True), mode("40", 50, False)),
    {
        "stem": RangeGroup(0.0, 5.5, "mse", {"mse": 0.1}, ("80", "88")),
        "stream.0": RangeGroup(0.0, 6.0, "fixed", {}, ("80", "88")),
    },
)


def test_it_is_read_as_it_was_saved(tmp_path: Path) -> None:
    CALIBRATION.save(tmp_path)
    assert Calibration.load(tmp_path) == CALIBRATION
    entry = json.loads((tmp_path / RESULT).read_text())["modes"][0]
    assert list(entry)[:4] == ["name", "macs", "bit_operations", "recalibrated"]
    assert entry["sites"]["stem"] == {"group": "stem", "sqnr_db": 40.5, "clipped": 0.0}


def test_published_modes_stand_by_their_cost_and_have_the_ranges_of_their_groups() -> None:
    assert CALIBRATION.published == ("88", "80")
    assert CALIBRATION.mode("40").bit_operations == 50
    assert CALIBRATION.ranges("88") == {"stem": (0.0, 5.5), "0.0.out": (0.0, 6.0)}
    with pytest.raises(DimmerError, match="mode 44 was not calibrated; build lamp again"):
        CALIBRATION.mode("44")


def test_statistics_are_read_as_they_were_saved(tmp_path: Path) -> None:
    pair = (torch.arange(3.0), torch.ones(3))
    Statistics({"80.88": {"stages.0.0.norm1": pair}}).save(tmp_path)
    found = Statistics.load(tmp_path)
    assert not found.of("88.88")
    (norm,) = found.of("80.88")
    assert norm == "stages.0.0.norm1"
    for got, expected in zip(found.of("80.88")[norm], pair, strict=True):
        assert torch.equal(got, expected)
    both = Statistics({mode: {"stages.0.0.norm1": pair} for mode in ("80.88", "88.80")})  # one pair for two modes
    both.save(tmp_path)
    assert all(torch.equal(Statistics.load(tmp_path).of(mode)["stages.0.0.norm1"][0], pair[0]) for mode in both.modes)
    Statistics({}).save(tmp_path)
    assert not Statistics.load(tmp_path).modes


@pytest.mark.parametrize("content", [None, b"", b"cut", b"\x05\0\0\0\0\0\0\0{}"])
def test_damaged_statistics_are_one_line(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / STATISTICS).write_bytes(content)
    with pytest.raises(DimmerError, match=r"statistics\.safetensors cannot be read \(.*\): remove .* and build again"):
        Statistics.load(tmp_path)


def test_half_statistics_are_one_line(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"88/stem.norm/mean": torch.ones(2)}, tmp_path / STATISTICS)
    with pytest.raises(DimmerError, match=r"remove .* and build again"):
        Statistics.load(tmp_path)


@pytest.mark.xdist_group("tiny")
def test_super_base_and_forced_modes_are_published_in_order_of_cost(tiny: TinyBuild) -> None:
    assert Calibration.load(calibration_folder(tiny.build)).published == ("88.88", "88.80", "80.80")


def test_which_images_a_mode_gets_right_is_kept() -> None:
    pattern = np.arange(500) % 3 == 0
    packed = np.packbits(pattern).tobytes().hex()
    modes = (replace(CALIBRATION.modes[0], right=packed), replace(CALIBRATION.modes[1], right=packed))
    found = replace(CALIBRATION, modes=modes).right(["80", "88"])
    assert found is not None
    assert (found["88"] == pattern).all()
    assert CALIBRATION.right(["80"]) is None
