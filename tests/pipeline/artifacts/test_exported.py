# SPDX-License-Identifier: Apache-2.0
"""What export leaves for the conversion."""

from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.exported import Exported, Narrow, NarrowLayer, exported_folder
from dimmer.pipeline.networks.sites import NarrowTensor
from tests.tiny import TinyBuild

SITES = {"input": np.ones((1, 1, 2, 2), np.float32), "stem": np.zeros((1, 3, 2, 2), np.float32)}
LAYER = NarrowLayer(np.full((2, 1, 1, 3), 7, np.int8), np.array([0.5, 0.25]), np.array([1.0, -1.0]), "0.0.in")
NARROW = Narrow({"0.0.conv1": LAYER}, {"0.0.in": NarrowTensor(4, "stem"), "0.0.conv1": NarrowTensor(4, None)})


def test_narrow_modes_are_read_as_they_were_saved(tmp_path: Path) -> None:
    Exported(SITES, NARROW).save(tmp_path, "44")
    found = Exported.load(tmp_path, "44")
    assert list(found.sites) == list(SITES)
    for site, value in SITES.items():
        np.testing.assert_array_equal(found.sites[site], value)
    assert found.narrow.tensors == NARROW.tensors
    (layer,) = found.narrow.layers.values()
    assert layer.reads == LAYER.reads
    for got, expected in ((layer.codes, LAYER.codes), (layer.scale, LAYER.scale), (layer.bias, LAYER.bias)):
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got, expected)


def test_modes_of_8_bits_have_one_file(tmp_path: Path) -> None:
    Exported(SITES, Narrow()).save(tmp_path, "88")
    assert [path.name for path in tmp_path.iterdir()] == ["88.sites.npz"]
    assert not Exported.load(tmp_path, "88").narrow.layers


def test_missing_and_damaged_files_have_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"88\.sites\.npz cannot be read \(.*\): remove .* and build again"):
        Exported.load(tmp_path, "88")
    Exported(SITES, NARROW).save(tmp_path, "44")
    np.savez(tmp_path / "44.narrow.npz", **{"0.0.conv1/codes": LAYER.codes})  # type: ignore[arg-type]
    with pytest.raises(
        DimmerError,
        match=r"44\.narrow\.npz lacks '0\.0\.conv1/scale', or has it in another form: remove .* and build again",
    ):
        Exported.load(tmp_path, "44")
    (tmp_path / "44.sites.npz").write_bytes((tmp_path / "44.sites.npz").read_bytes()[:40])
    with pytest.raises(DimmerError, match=r"44\.sites\.npz cannot be read"):
        Exported.load(tmp_path, "44")


@pytest.mark.xdist_group("tiny")
def test_the_sites_of_a_mode_are_those_that_were_calibrated(tiny_converted: TinyBuild) -> None:
    from dimmer.pipeline.artifacts.calibration import Calibration, calibration_folder

    calibration = Calibration.load(calibration_folder(tiny_converted.build))
    for mode in calibration.published:
        exported = Exported.load(exported_folder(tiny_converted.build), mode)
        assert set(exported.sites) == set(calibration.mode(mode).sites)
