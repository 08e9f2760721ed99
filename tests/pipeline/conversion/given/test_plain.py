# SPDX-License-Identifier: Apache-2.0
"""Hybrid files and such of half precision compute the same once their constants are float32."""

from __future__ import annotations

import numpy as np
import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.conversion.given.observed import interpreter_of, run
from dimmer.pipeline.conversion.given.plain import plain
from dimmer.pipeline.oracle.tflite import unpack
from tests.firmware_gen.tflite_builder import pack
from tests.pipeline.conversion.given.networks import float_model, float_tflite, hybrid_tflite, samples


def test_constants_become_float32() -> None:
    exact, found = interpreter_of(float_tflite()), interpreter_of(plain(hybrid_tflite(), "net.tflite"))
    for image in samples(6)[0]:
        assert np.allclose(run(exact, [image])[0], run(found, [image])[0], atol=1e-3)


def test_names_occur_once() -> None:
    model = float_model()
    for tensor in model.subgraphs[0].tensors:
        tensor.name = "same"
    names = [tensor.name for tensor in unpack(plain(pack(model), "net.tflite")).subgraphs[0].tensors]
    assert len({*names}) == len(names)


def test_what_cannot_be_quantised_is_told() -> None:
    with pytest.raises(DimmerError, match=r"^net\.tflite: is damaged or no \.tflite file"):
        plain(b"TFL3 no", "net.tflite")
    model = float_model()
    model.subgraphs.append(model.subgraphs[0])
    with pytest.raises(DimmerError, match=r"^net\.tflite: has 2 subgraphs; .*representative_dataset"):
        plain(pack(model), "net.tflite")
