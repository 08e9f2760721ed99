# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.features.detector import NEVER
from dimmer.firmware_gen.features.image import ImageSpec, ImageTables
from dimmer.firmware_gen.features.presets import MICROFRONTEND, MLPERF_KWS
from dimmer.firmware_gen.features.sensor import SensorTables
from dimmer.firmware_gen.features.tables import AudioTables
from dimmer.firmware_gen.graph.types import DType, Quantisation, Tensor
from dimmer.pipeline.data.heard import AudioKeys
from dimmer.pipeline.recipe.front_end import features_of, surroundings
from dimmer.pipeline.recipe.sections.features import (
    ActivityKeys,
    DetectorKeys,
    FeaturesSection,
    ImageKeys,
    SensorKeys,
)


def tensor(shape: tuple[int, ...], scale: float = 0.5, zero_point: int = -3) -> Tensor:
    quantised = Quantisation((scale,), (zero_point,))
    return Tensor("t", shape, DType.INT8, quantised, None)


SCORES = tensor((1, 4), 1 / 256, -128)


def test_a_preset_takes_codes_and_rows_from_the_network() -> None:
    made = surroundings(FeaturesSection("mlperf-kws"), tensor((1, 49, 10, 1)), SCORES)
    assert isinstance(made.front, AudioTables)
    assert made.front.spec == replace(MLPERF_KWS, codes=made.front.spec.codes)
    assert (made.front.spec.codes.scale, made.front.spec.codes.zero_point) == (0.5, -3)
    assert made.ram == MLPERF_KWS.memory + 490
    assert made.flash == made.front.flash
    assert set(made.files("door")) == {"dimmer_door_features.c", "dimmer_door_features.h"}
    micro = surroundings(FeaturesSection("microfrontend"), tensor((1, 1960)), SCORES)
    assert isinstance(micro.front, AudioTables)
    assert micro.front.spec.rows == MICROFRONTEND.rows


def test_audio_of_ones_own() -> None:
    keys = AudioKeys(rate=8000, window_ms=32.0, step_ms=16.0, bands=20, high_hz=3800.0, coefficients=0)
    made = surroundings(FeaturesSection("audio", audio=keys), tensor((1, 30, 20)), SCORES)
    assert isinstance(made.front, AudioTables)
    spec = made.front.spec
    assert (spec.window, spec.step, spec.fft, spec.rows, spec.columns) == (256, 128, 256, 30, 20)


def test_a_sensor_has_half_of_its_window_new() -> None:
    keys = SensorKeys(means=(0.0, 1.0, 2.0), deviations=(50.0, 60.0, 70.0), highpass_hz=0.5, lowpass_hz=20.0, keep=2)
    made = surroundings(FeaturesSection("sensor", sensor=keys), tensor((1, 128, 3)), SCORES)
    assert isinstance(made.front, SensorTables)
    assert (made.front.spec.rows, made.front.spec.hop, len(made.front.biquads)) == (128, 64, 2)
    assert made.ram == 128 * 3 + 4 * 3 * 4 * 2


def image_of(shape: tuple[int, ...], **keys: object) -> ImageSpec:
    section = FeaturesSection("image", image=ImageKeys(**keys))  # type: ignore[arg-type]
    made = surroundings(section, tensor(shape, 1 / 255, -128), SCORES)
    assert isinstance(made.front, ImageTables)
    return made.front.spec


def test_a_picture_is_cut_to_the_inputs_shape() -> None:
    assert image_of((1, 96, 96, 3)).crop == (40, 0, 240, 240)
    assert image_of((1, 48, 96, 1)).crop == (0, 40, 320, 160)
    given = image_of((1, 96, 96, 3), crop=(1, 2, 30, 40), means=(0.5, 0.5, 0.5), deviations=(0.25, 0.25, 0.25))
    assert (given.crop, given.means, given.to_width) == ((1, 2, 30, 40), (0.5, 0.5, 0.5), 96)


def test_probabilities_and_decibels_become_codes_and_levels() -> None:
    section = FeaturesSection(
        "mlperf-kws", detector=DetectorKeys((1, 3), 0.75, average=3, quiet=8), activity=ActivityKeys(margin_db=6.0206)
    )
    made = surroundings(section, tensor((1, 49, 10, 1)), SCORES)
    assert made.detector is not None
    assert made.detector.thresholds == (NEVER, 3 * 64, NEVER, 3 * 64)
    assert made.activity is not None
    # Twice the amplitude in each of 40 bands.
    assert made.activity.margin == pytest.approx(40 * 65536, rel=1e-4)
    for reached, code in ((0.0, -128), (255 / 256, 127)):
        most = surroundings(replace(section, detector=DetectorKeys((1,), reached)), tensor((1, 49, 10, 1)), SCORES)
        assert most.detector is not None
        assert most.detector.thresholds[1] == 4 * code
    alone = surroundings(replace(section, kind="none", activity=ActivityKeys()), tensor((1, 7)), SCORES)
    assert (alone.front, alone.activity) == (None, None)
    assert alone.ram == (2 + 3) * 4


@pytest.mark.parametrize(
    ("section", "shape", "said"),
    [
        (FeaturesSection("mlperf-kws"), (1, 49, 11), "rows of 10 do not make up the network's input"),
        (FeaturesSection("image"), (1, 490), "not \\[1, height, width, 1 or 3\\]"),
        (FeaturesSection("none", detector=DetectorKeys((4,))), (1, 7), "holds 4: the network's are 0 to 3"),
        # A sum of codes that no output reaches was the highest one without a word.
        (
            FeaturesSection("none", detector=DetectorKeys((1,), 1.0)),
            (1, 7),
            r"threshold = 1 is out of reach: the network's outputs are 0 to 0\.996094; name one between",
        ),
        (FeaturesSection("none", detector=DetectorKeys((1,), -0.1, average=1)), (1, 7), "threshold = -0.1 is out of"),
    ],
)
def test_what_does_not_fit_the_network_is_said(section: FeaturesSection, shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(DimmerError, match=said):
        surroundings(section, tensor(shape), SCORES)


def test_a_network_of_floats_is_refused() -> None:
    floats = Tensor("t", (1, 490), DType.FLOAT32, None, None)
    with pytest.raises(DimmerError, match="input is float32, they make int8"):
        surroundings(FeaturesSection("mlperf-kws"), floats, SCORES)


def test_a_recipe_is_a_file_of_settings(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text('[model]\nfamily = "resnet"\n[features]\nkind = "mlperf-kws"\n')
    assert features_of(tmp_path / "recipe.toml").kind == "mlperf-kws"
