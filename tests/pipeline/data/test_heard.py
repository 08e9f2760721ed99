# SPDX-License-Identifier: Apache-2.0
"""Shapes of front ends, known without a signal; they are those of the generator."""

from __future__ import annotations

import pytest

from dimmer.firmware_gen.features.presets import PRESETS
from dimmer.firmware_gen.features.spec import AudioSpec, Codes
from dimmer.pipeline.data.heard import AUDIO, PRESET_KEYS, AudioKeys, Heard
from dimmer.pipeline.data.readers.heard import audio_spec


@pytest.mark.parametrize("kind", PRESETS)
def test_published_front_ends_are_the_generator_s(kind: str) -> None:
    assert PRESET_KEYS.keys() == PRESETS.keys()
    keys, spec = PRESET_KEYS[kind], PRESETS[kind]
    seen = (keys.rate, keys.window, keys.step, keys.bands, keys.low_hz, keys.high_hz, keys.coefficients, keys.spectrum)
    wanted = (spec.rate, spec.window, spec.step, spec.bands, spec.low_hz, spec.high_hz, spec.coefficients)
    assert seen == (*wanted, spec.spectrum)
    assert keys.columns == spec.columns
    assert Heard(kind, keys).rows(16_000) == spec.rows == 49


def test_rows_of_keys_of_one_s_own() -> None:
    heard = Heard(AUDIO, AudioKeys(rate=8000, window_ms=32.0, step_ms=16.0, bands=20, coefficients=0))
    assert (heard.keys.window, heard.keys.step, heard.keys.columns) == (256, 128, 20)
    assert [heard.rows(samples) for samples in (100, 256, 383, 384)] == [0, 1, 1, 2]
    spec = audio_spec(heard, 2, Codes(0.5, 3))
    assert isinstance(spec, AudioSpec)
    assert (spec.samples, spec.fft, spec.columns, spec.codes) == (384, 256, 20, Codes(0.5, 3))
