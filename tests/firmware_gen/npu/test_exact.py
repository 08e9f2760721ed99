# SPDX-License-Identifier: Apache-2.0
"""The records of FULLY_CONNECTED layers, as TFLite's reference kernel rescales them."""

from __future__ import annotations

import math

import numpy as np

from dimmer.firmware_gen.npu.exact import Dense, corrected
from dimmer.firmware_gen.npu.scales import RECORD

LAYER = Dense((5, -7, 900), (0.0123, 0.00456, 0.789))


def record(bias: int, factor: float) -> bytes:
    """As Vela makes it: the factor through float32."""
    fraction, exponent = math.frexp(float(np.float32(factor)))
    scale = round(fraction * (1 << 31))
    return bias.to_bytes(5, "little", signed=True) + scale.to_bytes(4, "little") + bytes([31 - exponent])


def value(found: bytes, at: int) -> tuple[int, float]:
    one = found[at * RECORD :][:RECORD]
    return int.from_bytes(one[:5], "little", signed=True), int.from_bytes(one[5:9], "little") * 2.0 ** -one[9]


def test_records_of_a_layer_get_its_factors_in_double() -> None:
    records = b"".join(record(*pair) for pair in zip(LAYER.bias, LAYER.factors, strict=True))
    found = corrected(records + bytes(2), [LAYER])
    assert found is not None
    assert len(found) == len(records) + 2
    for at, (bias, factor) in enumerate(zip(LAYER.bias, LAYER.factors, strict=True)):
        assert value(found, at)[0] == bias
        assert abs(value(found, at)[1] / factor - 1) < 2**-31 < abs(value(records, at)[1] / factor - 1)


def test_a_core_has_every_second_channel() -> None:
    found = corrected(record(5, LAYER.factors[0]) + record(900, LAYER.factors[2]), [LAYER], step=2)
    assert found is not None
    assert value(found, 1)[0] == 900


def test_a_slice_of_the_channels_is_found() -> None:
    assert corrected(record(-7, LAYER.factors[1]) + record(900, LAYER.factors[2]), [LAYER]) is not None


def test_records_of_another_layer_stay() -> None:
    assert corrected(record(5, 0.0124), [LAYER]) is None
    assert corrected(record(6, LAYER.factors[0]), [LAYER]) is None
    assert corrected(b"", [LAYER]) is None
