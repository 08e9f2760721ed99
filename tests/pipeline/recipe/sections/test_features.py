# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.features import image, presets, spec
from dimmer.pipeline.data import heard
from dimmer.pipeline.recipe.front_end import features_of
from dimmer.pipeline.recipe.sections import features
from dimmer.pipeline.recipe.sections.features import KINDS, FeaturesSection


def test_words_are_those_of_the_generator() -> None:
    assert set(heard.PRESET_KEYS) == set(presets.PRESETS)
    assert heard.SPECTRA == spec.SPECTRA
    assert (features.FORMATS, features.RESIZES) == (image.FORMATS, image.RESIZES)
    assert set(features.YUV_RANGES) == set(image.COLOURS)


def read(folder: Path, text: str) -> FeaturesSection:
    (folder / "features.toml").write_text(f"[features]\n{text}")
    return features_of(folder / "features.toml")


def test_nothing_is_made_where_nothing_is_said(tmp_path: Path) -> None:
    assert not read(tmp_path, "").wanted
    assert read(tmp_path, 'kind = "microfrontend"').wanted
    assert read(tmp_path, "[features.detector]\nclasses = [1]").wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind = "mp3"', f"features.kind = 'mp3': must be one of {', '.join(KINDS)}"),
        ('kind = "sensor"', "must have means and deviations"),
        ('kind = "image"\n[features.activity]\nmargin_db = 3.0', "margin_db 0 where the kind is no audio"),
        ("[features.audio]\nrate = 3", "features.audio.rate = 3: must be 1000 to 192000"),
        ("[features.audio]\nhigh_hz = 9000.0", "features.audio.high_hz"),
        ('[features.audio]\nspectrum = "loudness"', "must be one of magnitude, power"),
        ("[features.sensor]\nmeans = [1.0]", "must be 1 numbers, as means are"),
        ("[features.sensor]\nlowpass_hz = 26.0", "features.sensor.lowpass_hz"),
        ("[features.image]\ncrop = [1, 2]", "must be x, y, width and height, or nothing"),
        ('[features.image]\nformat = "jpeg"', "must be one of rgb565-le"),
        ("[features.detector]\nthreshold = 1e9", "features.detector.threshold = 1000000000.0: must be "),
        ("[features.detector]\nclasses = [-1]", "numbers of classes from 0 on"),
        ("[features.activity]\nhold = 70000", "features.activity.hold"),
        ("[features.activity]\nloud = true", "unknown key 'loud' in \\[features.activity\\]"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DimmerError, match=rf"features\.toml.*{said}"):
        read(tmp_path, text)
