# SPDX-License-Identifier: Apache-2.0
"""Whole networks: nobody's here, and look-alikes of those that are kept for acceptance; bit-exact on the host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.oracle.interpreter import reference_outputs
from dimmer.pipeline.oracle.sample_inputs import sample_inputs
from tests.firmware_gen.harness import Case, assert_exact, mismatches, run_cases
from tests.firmware_gen.networks import (
    autoencoder_look_alike,
    tiny_ends,
    tiny_functions,
    tiny_mix,
    tiny_mobile,
    tiny_moves,
    tiny_products,
    tiny_recurrent,
    tiny_resnet,
    tiny_state,
    tiny_unsigned,
    vww_look_alike,
)

MODELS = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "models"
FOREIGN = (
    "detection",
    "har",
    "hello_world_int8",
    "magic_wand",
    "micro_speech_quantized",
    "mnist_dw_q",
    "trained_lstm_int8",
    "vad",
)
RESNET, KWS = MODELS / "pretrainedResnet_quant.tflite", MODELS / "kws_ref_model.tflite"
TINY: tuple[Callable[[int], bytes], ...] = (
    tiny_resnet,
    tiny_mobile,
    tiny_mix,
    tiny_moves,
    tiny_ends,
    tiny_functions,
    tiny_products,
    tiny_state,
    tiny_recurrent,
    tiny_unsigned,
)


@pytest.mark.slow
def test_tiny_networks(tmp_path: Path) -> None:
    cases = []
    for build in TINY:
        for seed in range(8):
            path = tmp_path / f"{build.__name__}_{seed}.tflite"
            path.write_bytes(build(seed))
            cases.append(Case(path.stem, path, sample_inputs(path, 10)))
    assert_exact(cases, tmp_path)


def test_look_alikes(tmp_path: Path) -> None:
    cases = []
    for name, data in (("vww", vww_look_alike()), ("autoencoder", autoencoder_look_alike())):
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(data)
        cases.append(Case(name, path, sample_inputs(path, 5)))
    assert_exact(cases, tmp_path)


@pytest.mark.shared
@pytest.mark.parametrize("path", [RESNET, KWS], ids=lambda path: path.stem)
def test_shared_models(path: Path, tmp_path: Path) -> None:
    case = Case(path.stem, path, sample_inputs(path, 100))
    assert mismatches(reference_outputs(path, case.inputs), run_cases([case], tmp_path)[0], 200) == 0


@pytest.mark.shared
@pytest.mark.parametrize(
    ("path", "macs", "arena"),
    [(RESNET, 12_501_632, 50_000), (KWS, 2_656_768, 17_000)],
    ids=lambda value: str(value)[-20:],
)
def test_arenas_and_macs_of_shared_models(path: Path, macs: int, arena: int, tmp_path: Path) -> None:
    model = generate([ModeSource(path.stem, path)], tmp_path)
    assert model.macs == (macs,)
    assert model.arena <= arena
    assert model.arena == model.lower_bound


def test_the_arena_of_the_vww_look_alike_is_the_lower_bound(tmp_path: Path) -> None:
    path = tmp_path / "vww.tflite"
    path.write_bytes(vww_look_alike())
    model = generate([ModeSource("vww", path)], tmp_path)
    assert model.arena == model.lower_bound == 48 * 48 * (8 + 16)


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("name", FOREIGN)
def test_models_that_nobody_here_wrote(name: str, tmp_path: Path) -> None:
    path = MODELS / "foreign" / f"{name}.tflite"
    assert_exact([Case(name, path, sample_inputs(path, 20))], tmp_path)
