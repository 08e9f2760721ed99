# SPDX-License-Identifier: Apache-2.0
"""Inputs that find what random ones alone do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.oracle.sample_inputs import index_limits, sample_inputs
from tests.firmware_gen.logic_cases import tiny_words
from tests.firmware_gen.networks import tiny_ends, tiny_mix
from tests.firmware_gen.tflite_builder import Layers

SIZE = 3 * 4 * 5


@pytest.fixture
def path(tmp_path: Path) -> Path:
    net = Layers(0)
    x = net.activation([1, 3, 4, 5], 0.1, 7)
    path = tmp_path / "network.tflite"
    path.write_bytes(net.build(x, net.conv(x, 2)))
    return path


def rows(path: Path, count: int) -> np.ndarray:
    return np.frombuffer(sample_inputs(path, count), np.int8).reshape(-1, SIZE)


def test_the_first_half_are_edges_and_the_second_is_random(path: Path) -> None:
    found = rows(path, 10)
    assert len(found) == 20
    assert [set(row) for row in found[:3].tolist()] == [{-128}, {127}, {7}]
    assert set(found[3].tolist()) == set(found[4].tolist()) == {-128, 127}
    assert (found[3] != found[4]).all()
    assert found[5].astype(np.uint8).tolist() == list(range(SIZE))
    assert all(len(set(row)) > SIZE // 3 for row in found[10:].tolist())


def test_further_edges_are_sparse_constant_two_valued_or_have_one_outlier(path: Path) -> None:
    found = rows(path, 14)
    assert len(set(found[7].tolist())) == 1
    assert np.count_nonzero(found[8] != 7) <= SIZE // 50 + 1
    assert set(found[9].tolist()) <= {-128, 127}
    assert len(set(found[10].tolist())) <= 2


def test_they_are_the_same_every_time(path: Path) -> None:
    assert sample_inputs(path, 12) == sample_inputs(path, 12)


def test_a_float_input_gets_float_edges(tmp_path: Path) -> None:
    path = tmp_path / "mix.tflite"
    path.write_bytes(tiny_mix())
    found = np.frombuffer(sample_inputs(path, 9), "<f4").reshape(18, -1)
    assert found[:9, 0].tolist() == np.array([0, 1, -1, 255, -128, 1e-9, 1e5, -1e5, 0], np.float32).tolist()
    assert np.isfinite(found).all()
    assert found[9:].std() > 0


def test_several_inputs_lie_side_by_side_in_each_sample(tmp_path: Path) -> None:
    path = tmp_path / "ends.tflite"
    path.write_bytes(tiny_ends())
    found = np.frombuffer(sample_inputs(path, 4), np.int8).reshape(8, 60)
    assert set(found[0].tolist()) == {-128}
    assert set(found[2, :48].tolist()) == {118}
    assert set(found[2, 48:].tolist()) == {-55}


def test_indexes_are_indexes_and_flags_are_flags(tmp_path: Path) -> None:
    path = tmp_path / "words.tflite"
    path.write_bytes(tiny_words())
    assert index_limits(read_tflite(path)) == {0: 9}
    found = sample_inputs(path, 20)
    rows = [found[at : at + 20] for at in range(0, len(found), 20)]
    words = np.array([np.frombuffer(row[:16], "<i4") for row in rows])
    flags = np.array([np.frombuffer(row[16:], np.uint8) for row in rows])
    assert len(rows) == 40
    assert set(words.ravel().tolist()) == set(range(9))
    assert set(flags.ravel().tolist()) == {0, 1}


def test_whole_numbers_are_of_all_sizes(tmp_path: Path) -> None:
    net = Layers(0)
    x = net.tensor("numbers", [1, 4], "int32")
    path = tmp_path / "numbers.tflite"
    path.write_bytes(net.build(x, net.operator("CAST", [x], net.tensor("y", [1, 4], "float32"))))
    assert index_limits(read_tflite(path)) == {}
    found = np.frombuffer(sample_inputs(path, 20), "<i4").reshape(40, 4)
    assert {0, 1, -1, 2**31 - 1, -(2**31)} <= set(found.ravel().tolist())
    assert len(np.unique(np.abs(found.astype(float)) // 2**20)) > 10
