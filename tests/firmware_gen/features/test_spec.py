# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest

from dimmer.firmware_gen.features.presets import MICROFRONTEND, MLPERF_KWS
from dimmer.firmware_gen.features.spec import Codes, GainSpec, SpecError, check, within


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"fft": 500}, "fft"),
        ({"fft": 4096}, "fft"),
        ({"window": 514}, "window"),
        ({"window": 479}, "window"),
        ({"step": 0}, "step"),
        ({"step": 481}, "step"),
        ({"bands": 129}, "bands"),
        ({"low_hz": -1.0}, "low_hz"),
        ({"high_hz": 8001.0}, "high_hz"),
        ({"coefficients": 41}, "coefficients"),
        ({"spectrum": "energy"}, "spectrum"),
        ({"shape": "hamming"}, "shape"),
        ({"root_shift": 1}, "root_shift"),
        ({"rows": 0}, "rows"),
        ({"rate": float("nan")}, "rate"),
    ],
)
def test_a_parameter_that_cannot_be_is_named(change: dict[str, object], key: str) -> None:
    with pytest.raises(SpecError, match=f"{key} must be") as caught:
        replace(MLPERF_KWS, **change)  # type: ignore[arg-type]
    assert caught.value.key == key


def test_codes_and_gains_are_bounded() -> None:
    with pytest.raises(SpecError, match="scale must be"):
        Codes(0.0, 0)
    with pytest.raises(SpecError, match="zero_point must be"):
        Codes(1.0, 128)
    with pytest.raises(SpecError, match="offset must be"):
        GainSpec(offset=0)


def test_sizes_follow_from_parameters() -> None:
    assert (MLPERF_KWS.columns, MLPERF_KWS.samples, MLPERF_KWS.memory) == (10, 480 + 48 * 320, 2048 + 160 + 960)
    assert (MICROFRONTEND.columns, MICROFRONTEND.memory) == (40, 2048 + 320 + 960)


def test_check_and_within_say_the_key() -> None:
    check(True, "key", "must be")
    within(1, 1, 1, "key")
    with pytest.raises(SpecError, match="key must be 1 to 2, not 3"):
        within(3, 1, 2, "key")
