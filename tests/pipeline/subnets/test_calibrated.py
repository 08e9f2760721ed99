# SPDX-License-Identifier: Apache-2.0
"""A real, if tiny, network calibrated from end to end."""

from pathlib import Path

import pytest
import torch

from dimmer.pipeline.artifacts.calibration import RESULT, STATISTICS, Calibration, calibration_folder
from dimmer.pipeline.artifacts.trained import load_network
from dimmer.pipeline.subnets.calibrated import calibrate
from dimmer.pipeline.subnets.order import order_of
from tests.forked import in_processes
from tests.tiny import TinyBuild, silent

pytestmark = pytest.mark.xdist_group("tiny")


def test_every_pattern_is_measured_and_judged(tiny: TinyBuild) -> None:
    calibration = Calibration.load(calibration_folder(tiny.build))
    assert [mode.name for mode in calibration.modes] == ["88.88", "80.88", "88.80", "80.80"]
    for mode in calibration.modes:
        assert 0.0 <= mode.accuracy <= 1.0
        assert not mode.published or mode.dominated_by is None
        assert mode.reason


def test_calibration_repeats_bit_for_bit(tiny: TinyBuild, tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    shares: list[float] = []
    calibrate(order_of(tiny.recipe), load_network(tiny.recipe), tmp_path, lambda _text, share: shares.append(share))
    torch.set_num_threads(threads)
    for name in (RESULT, STATISTICS):
        assert (tmp_path / name).read_bytes() == (calibration_folder(tiny.build) / name).read_bytes()
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.2
    assert 0.9 < shares[-1] <= 1


@pytest.mark.slow
def test_two_processes_calibrate_as_one_does(tiny: TinyBuild, tmp_path: Path) -> None:
    network, out = load_network(tiny.recipe), tmp_path / "out"
    out.mkdir()
    in_processes(tmp_path, 2, lambda: calibrate(order_of(tiny.recipe), network, out, silent))
    for name in (RESULT, STATISTICS):
        assert (out / name).read_bytes() == (calibration_folder(tiny.build) / name).read_bytes()
