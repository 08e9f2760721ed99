# SPDX-License-Identifier: Apache-2.0
"""Recordings become the rows that the device's front end makes of the same samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.features.audio import features
from dimmer.firmware_gen.features.spec import Codes
from dimmer.firmware_gen.features.tables import audio_tables
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.heard import AUDIO, AudioKeys, Heard
from dimmer.pipeline.data.own import DataSection, OwnData
from dimmer.pipeline.data.prepare import own_hash, prepared
from dimmer.pipeline.data.readers.heard import as_samples, audio_spec, samples
from dimmer.pipeline.recipe.recipe import load_recipe
from tests.own_data import RATE, TRAIN, cache, write_recordings
from tests.pipeline.data.test_own import MODEL

__all__ = ["cache"]
SECTION = DataSection("recordings", "d", classes=("low", "high"), window=480, rate=RATE)
HEARD = Heard(AUDIO, AudioKeys(RATE, bands=12, high_hz=900.0, coefficients=0))


def test_codes_are_those_of_the_front_end(tmp_path: Path, cache: Path) -> None:
    write_recordings(tmp_path / "d", {"low": 8, "high": 8})
    data = OwnData(SECTION, tmp_path, HEARD)
    found = prepared(data)
    rows = HEARD.rows(480)
    assert found.dataset.image_shape == data.shape.image_shape == (1, rows, 12)
    assert found.facts.scale is None
    assert found.facts.rows is not None
    tables = audio_tables(audio_spec(HEARD, rows, Codes(found.facts.rows.scale, found.facts.rows.zero_point)))
    windows = {sample.name: sample.array for sample in samples(data, [])}
    for split in (found.dataset.train, found.dataset.test):
        names = found.facts.names["train" if split is found.dataset.train else "test"]
        for name, image in zip(names, to_int8(split.images), strict=True):
            assert windows[name].dtype == np.int16
            np.testing.assert_array_equal(image[0], features(tables, windows[name].ravel())[:rows])
    # The scale leaves few codes at its ends, and uses them.
    codes = to_int8(found.dataset.train.images)
    assert np.isin(codes, (-128, 127)).mean() < 0.02
    assert int(codes.max()) - int(codes.min()) > 200


def test_another_front_end_is_other_data_and_no_front_end_is_as_before(tmp_path: Path) -> None:
    write_recordings(tmp_path / "d", {"low": 1, "high": 1})
    plain = own_hash(OwnData(SECTION, tmp_path))
    other = Heard(AUDIO, AudioKeys(RATE, bands=10, high_hz=900.0, coefficients=0))
    assert len({plain, own_hash(OwnData(SECTION, tmp_path, HEARD)), own_hash(OwnData(SECTION, tmp_path, other))}) == 3


def test_samples_saturate() -> None:
    assert as_samples(np.array([-1.5, -1, 0, 0.5, 1], np.float32)).tolist() == [-32768, -32768, 0, 16384, 32767]


RECIPE = '[data]\nkind = "recordings"\npath = "d"\nclasses = ["a", "b"]\nwindow = 16000\nrate = {rate}\n'


def test_a_recipe_with_features_has_rows_as_its_input(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(MODEL + RECIPE.format(rate=16000) + TRAIN + '[features]\nkind = "mlperf-kws"\n')
    recipe = load_recipe(path)
    assert (recipe.model.config.image_size, recipe.model.config.in_channels) == ((1, 49), 10)
    # A detector is no matter of the training's.
    path.write_text(path.read_text() + "[features.detector]\nclasses = [1]\n")
    later = load_recipe(path)
    assert later.model == recipe.model
    assert later.training_hash() == recipe.training_hash()


@pytest.mark.parametrize(
    ("rate", "window", "said"),
    [
        (8000, 16000, "data.rate = 8000: [features] mlperf-kws is of 16000"),
        (16000, 160, "a row of [features] takes 480"),
    ],
)
def test_what_does_not_fit_the_front_end_is_one_line(tmp_path: Path, rate: int, window: int, said: str) -> None:
    path = tmp_path / "recipe.toml"
    text = MODEL + RECIPE.format(rate=rate).replace("16000\nrate", f"{window}\nrate") + TRAIN
    path.write_text(text + '[features]\nkind = "mlperf-kws"\n')
    with pytest.raises(DimmerError, match=r"line \d+: ") as error:
        load_recipe(path)
    assert said in str(error.value)
