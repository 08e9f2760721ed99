# SPDX-License-Identifier: Apache-2.0
"""Whole networks with the kernels for cores without DSP, which are C99 but for one inner loop, under the sanitizers."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.read.modes import ModeSource
from tests.firmware_gen.harness import Case, assert_exact, edge_inputs
from tests.firmware_gen.networks import tiny_mix, tiny_mobile, tiny_resnet, vww_look_alike

CORES = ("cortex-m0plus", "cortex-m3", "rv32imac")
TINY = (tiny_resnet, tiny_mobile, tiny_mix)


@pytest.mark.parametrize("core", CORES)
def test_networks_are_exact_whatever_the_scratch(core: str, tmp_path: Path) -> None:
    cases = []
    for build in TINY:
        for seed, limit in enumerate((1_500, 4_000, 12_000, None)):
            path = tmp_path / f"{build.__name__}_{seed}.tflite"
            path.write_bytes(build(seed))
            cases.append(Case(path.stem, path, edge_inputs(path, 3, seed), core=core, scratch_limit=limit))
    assert_exact(cases, tmp_path)


def test_a_mobile_network_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "vww.tflite"
    path.write_bytes(vww_look_alike())
    assert_exact([Case("vww", path, edge_inputs(path, 2), core="cortex-m3", scratch_limit=32_768)], tmp_path)


def test_the_networks_of_this_test_have_these_kernels(tmp_path: Path) -> None:
    kernels = set()
    for build, data in (*((build, build(3)) for build in TINY), (vww_look_alike, vww_look_alike())):
        path = tmp_path / f"{build.__name__}.tflite"
        path.write_bytes(data)
        for core in CORES:
            for limit in (2_500, None):
                out = tmp_path / f"{build.__name__}{core}{limit}"
                kernels |= set(generate([ModeSource("m", path)], out, scratch_limit=limit, core=core).kernels)
    assert kernels >= {
        "dimmer_conv2d_s8_pairs",
        "dimmer_conv2d_s8_winograd",
        "dimmer_conv2d_add_s8_winograd",
        "dimmer_depthwise_conv2d_s8_3x3",
        "dimmer_add_s8_table",
    }
