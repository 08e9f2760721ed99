# SPDX-License-Identifier: Apache-2.0
"""The two networks with random weights: what they are, and that every board runs them exactly and as fast as before."""

from pathlib import Path

import pytest

from dimmer.benchmarks.count import grown, key, measured_modes, read_baseline
from dimmer.benchmarks.networks import NETWORKS, write_networks
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.image.make import make
from dimmer.pipeline.image.order import foreign_order
from dimmer.targets import load_target
from tests.boards import CHOSEN_BOARD_PARAMS, rest_slow

MACS = {"random_visual_wake_words": 7_489_664, "random_anomaly_detection": 264_192}


def test_the_files_repeat(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write_networks(tmp_path)]
    assert [network.build() for network in NETWORKS] == first


def test_the_architectures(tmp_path: Path) -> None:
    for path in write_networks(tmp_path):
        model = generate([ModeSource(path.stem, path)], tmp_path / path.stem)
        assert model.macs == (MACS[path.stem],)
        for tensor in read_tflite(path).tensors:
            assert tensor.quantisation is None or min(tensor.quantisation.scales) > 1e-7


@pytest.mark.parametrize("name", rest_slow(CHOSEN_BOARD_PARAMS, "mps2-an386"))
def test_boards_are_exact_and_nothing_grew(name: str, tmp_path: Path) -> None:
    baseline, measured = read_baseline(), {}
    for path in write_networks(tmp_path):
        figures = make(foreign_order([path], samples=2), load_target(name), tmp_path / path.stem, lambda _t, _s: None)
        assert figures.modes[0].verify is not None
        assert figures.mismatches == 0
        measured[key(path, name)] = measured_modes(figures)[0].count
    if reason := baseline.other_compiler(name):
        pytest.skip(reason)
    assert grown(measured, baseline.counts) == []
