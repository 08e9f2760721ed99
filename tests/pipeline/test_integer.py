# SPDX-License-Identifier: Apache-2.0
"""The integers derived from network and calibration against the stock interpreter on the converted files."""

import numpy as np
import pytest

from dimmer.pipeline.artifacts.calibration import Calibration, Statistics, calibration_folder
from dimmer.pipeline.artifacts.converted import mode_sources
from dimmer.pipeline.artifacts.trained import load_network
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.oracle.interpreter import OracleJob, run_oracle
from tests.pipeline.integer_network import IntegerNetwork, integer_network, rescale
from tests.tiny import TinyBuild


def expected(build: TinyBuild, mode: str, images: np.ndarray) -> np.ndarray:
    path = next(source.path for source in mode_sources(build.build / "convert") if source.name == mode)
    answer = run_oracle([OracleJob(path, images.tobytes())])[0]
    assert isinstance(answer, bytes)
    return np.frombuffer(answer, np.int8).reshape(len(images), -1)


def simulated(build: TinyBuild, mode: str) -> IntegerNetwork:
    folder = calibration_folder(build.build)
    network = load_network(build.recipe)
    return integer_network(network, mode, Statistics.load(folder).of(mode), Calibration.load(folder).ranges(mode))


@pytest.mark.xdist_group("tiny_narrow")
@pytest.mark.parametrize("mode", ["88.88", "44.44", "22.20", "84.20"])
def test_every_width_is_bit_exact(tiny_narrow: TinyBuild, mode: str) -> None:
    real = to_int8(load_dataset("mnist5k").test.images[:100])
    random = np.random.default_rng(0).integers(-128, 128, (28, *real.shape[1:]), dtype=np.int8)
    images = np.concatenate([real, random])
    assert (simulated(tiny_narrow, mode)(images) == expected(tiny_narrow, mode, images)).all()


@pytest.mark.xdist_group("tiny")
@pytest.mark.parametrize("mode", ["88.88", "88.80", "80.80"])
def test_depth_modes_are_bit_exact(tiny_converted: TinyBuild, mode: str) -> None:
    images = to_int8(load_dataset("mnist5k").test.images[:100])
    assert (simulated(tiny_converted, mode)(images) == expected(tiny_converted, mode, images)).all()


@pytest.mark.parametrize(
    ("value", "shift", "result"), [(3, -1, 2), (-3, -1, -1), (5, -2, 2), (6, -2, 2), (-6, -2, -2), (1, 1, 2)]
)
def test_rescaling_rounds_twice_as_the_reference_does(value: int, shift: int, result: int) -> None:
    # A multiplier of 2^30 with one more left shift is 1.
    assert rescale(np.array([value]), 1 << 30, shift + 1).tolist() == [result]
