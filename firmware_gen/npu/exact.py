# SPDX-License-Identifier: Apache-2.0
"""FULLY_CONNECTED as TFLite's reference kernel rescales it: in double, rounded once.

Vela makes a convolution of it, whose sums the NPU multiplies by 31 bits and rounds twice, and takes the product of the
scales in float32: about one value in 500 is another. Scales are the relinker's to write, and so is the rounding: 31
bits of the factor in double, rounded once (`NATURAL`), give the reference's code wherever its own product is not within
a few parts in 10^8 of half a code.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from dimmer.firmware_gen.graph.fixed_point import RangeError, fully_connected_scales, quantize_multiplier
from dimmer.firmware_gen.graph.types import FullyConnected, Graph
from dimmer.firmware_gen.npu.scales import RECORD

NATURAL_ROUNDING = 2
_CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class Dense:
    """A FULLY_CONNECTED layer: of each channel its bias and the factor that rescales its sums."""

    bias: tuple[int, ...]
    factors: tuple[float, ...]


def dense_layers(graph: Graph) -> tuple[Dense, ...]:
    """Those of a mode."""
    found = []
    for operator in graph.operators:
        if not isinstance(operator.options, FullyConnected):
            continue
        source, weights = (graph.tensors[at] for at in operator.inputs[:2])
        channels = weights.shape[0]
        factors = fully_connected_scales(source.q, weights.q, graph.tensors[operator.output].q)
        data = graph.tensors[operator.inputs[2]].data if len(operator.inputs) > 2 else None
        bias = (0,) * channels if data is None else struct.unpack(f"<{channels}i", data)
        found.append(Dense(bias, factors if len(factors) > 1 else factors * channels))
    return tuple(found)


def corrected(records: bytes, layers: Sequence[Dense], step: int = 1) -> bytes | None:
    """Records of one core with the reference's factors; None where they are of no FULLY_CONNECTED layer.

    Args:
        records: as Vela wrote them, perhaps filled up.
        step: cores that take turns at the channels.
    """
    for layer in layers:
        for first in range(len(layer.bias)):
            count = min(len(records) // RECORD, -(-(len(layer.bias) - first) // step))
            places = range(first, first + count * step, step)
            if (
                count
                and not any(records[count * RECORD :])
                and all(_same(records[at * RECORD :][:RECORD], layer, place) for at, place in enumerate(places))
            ):
                return b"".join(_record(layer, place) for place in places).ljust(len(records), b"\0")
    return None


def _same(record: bytes, layer: Dense, place: int) -> bool:
    bias = int.from_bytes(record[:5], "little", signed=True)
    factor = int.from_bytes(record[5:9], "little") * 2.0 ** -(record[9] & 63)
    return bias == layer.bias[place] and math.isclose(factor, layer.factors[place], rel_tol=_CLOSE)


def _record(layer: Dense, place: int) -> bytes:
    try:
        scale, shift = quantize_multiplier(layer.factors[place])
    except RangeError:
        scale, shift = 0, 0
    return layer.bias[place].to_bytes(5, "little", signed=True) + scale.to_bytes(4, "little") + bytes([31 - shift & 63])
