# SPDX-License-Identifier: Apache-2.0
"""Records of layers that keep something from one inference to the next: UNIDIRECTIONAL_SEQUENCE_LSTM and SVDF."""

from __future__ import annotations

import math

from dimmer.firmware_gen.graph.options import Lstm, Svdf
from dimmer.firmware_gen.graph.types import Activation, DType, Options, Tensor
from dimmer.firmware_gen.read.record import RecordReader

_INPUT_WEIGHTS, _RECURRENT_WEIGHTS, _BIASES = (1, 2, 3, 4), (5, 6, 7, 8), (12, 13, 14, 15)
_OUTPUT_STATE, _CELL_STATE = 18, 19
_EXTRAS = {
    "peepholes": (9, 10, 11),
    "a projection": (16, 17),
    "layer normalisation": (20, 21, 22, 23),
}


class RecurrentReader(RecordReader):
    """LSTM and SVDF, int8 with 16 bits within."""

    def _lstm(self) -> tuple[Options, tuple[int, ...]]:
        given = self._record.inputs
        if len(given) not in (20, 24):
            raise self.error(f"has {len(given)} inputs, expected 20 or 24; convert the model again")
        for what, places in _EXTRAS.items():
            if any(given[place] != -1 for place in places if place < len(given)):
                raise self.error(f"has {what}, which no kernel computes; use a plain LSTM (tf.keras.layers.LSTM)")
        if -1 in (given[1], given[5], given[12]):
            raise self.error("has no input gate, which no kernel computes; use a plain LSTM (tf.keras.layers.LSTM)")
        inputs = tuple(given[place] for place in (0, *_INPUT_WEIGHTS, *_RECURRENT_WEIGHTS, *_BIASES))
        inputs = (*inputs, given[_OUTPUT_STATE], given[_CELL_STATE])
        self._activations(inputs[0], self._record.outputs[0])
        source = self.tensor(inputs[0])
        by_time = self._number("TimeMajor") and len(source.shape) == 3
        if len(source.shape) not in (2, 3) or source.shape[1 if by_time else 0] != 1:
            raise self.error(f"works on {list(source.shape)}; export with batch 1")
        depth = source.shape[-1]
        cells = next(iter(self.tensor(inputs[4]).shape), 0)
        for place, width in (*((n, depth) for n in range(1, 5)), *((n, cells) for n in range(5, 9))):
            weights = self._weights(inputs[place], 2, 0, inputs[9 + (place - 1) % 4])
            if weights.shape != (cells, width) or weights.q.per_channel:
                raise self.error(
                    f"has weights {weights.name} of shape {list(weights.shape)} with {len(weights.q.scales)} scales, "
                    f"expected {[cells, width]} with one; convert the model again"
                )
        self._state(inputs[13], DType.INT8, cells)
        state = self._state(inputs[14], DType.INT16, cells)
        bits = 15 + math.log2(state.q.scale)
        if state.q.zero_point or bits not in range(7):
            raise self.error(
                f"has cells {state.name} of scale {state.q.scale:g} and zero point {state.q.zero_point}, expected a "
                "power of two from 2^-15 to 2^-9 and 0; convert the model again"
            )
        if self._number("ProjClip"):
            raise self.error("cuts a projection that it does not have; convert the model again")
        if self._number("DiagonalRecurrentTensors"):
            raise self.error("has diagonal recurrent weights, which no kernel computes; use a plain LSTM")
        clip = self._number("CellClip")
        hidden = self._record.intermediates[4] if len(self._record.intermediates) == 5 else None
        if hidden is None or not 0 < hidden[0] < math.inf or not -128 <= hidden[1] <= 127:
            raise self.error("does not say how its output is quantised within; convert the model again")
        if isinstance(clip, tuple | str) or not 0 <= clip < math.inf:
            raise self.error(f"cuts its cells at {clip}, expected 0 or more; convert the model again")
        self._shape((*source.shape[:-1], cells))
        return Lstm(float(clip), *hidden), inputs

    def _svdf(self) -> tuple[Options, tuple[int, ...]]:
        given = self._inputs(5, 5)
        inputs = [*given[:3], given[4], *(given[3:4] if given[3] != -1 else ())]
        self._activations(inputs[0], self._record.outputs[0])
        source = self.tensor(inputs[0])
        if len(source.shape) != 2 or source.shape[0] != 1:
            raise self.error(f"works on {list(source.shape)}, expected [1,inputs]; export with batch 1")
        features, times = self._weights(inputs[1], 2, 0, None), self.tensor(inputs[2])
        filters, rank = features.shape[0], self._int("Rank", 1, 0xFFFF)
        shape = (filters, *times.shape[-1:])
        if not times.constant or times.dtype is not DType.INT16 or times.shape != shape or times.quantisation is None:
            raise self.error(
                f"has weights {times.name}: {times.dtype.value}{list(times.shape)}, expected {filters} rows of "
                "constant int16 values with a scale; convert the model again"
            )
        if features.shape[1] != source.shape[1] or features.q.per_channel or times.q.per_channel or filters % rank:
            raise self.error(
                f"has {filters} filters of rank {rank} and weights {list(features.shape)} for {list(source.shape)}; "
                "convert the model again"
            )
        if any((*features.q.zero_points, *times.q.zero_points)):
            raise self.error("has weights with a zero point other than 0; quantise weights symmetrically")
        if len(inputs) == 5:
            bias = self.tensor(inputs[4])
            if not bias.constant or bias.dtype is not DType.INT32 or bias.elements != filters // rank:
                raise self.error(f"has the bias {bias.name}, expected {filters // rank} constant int32 values")
        if self._state(inputs[3], DType.INT16, filters * times.shape[1]).q.zero_point:
            raise self.error("has a state with a zero point other than 0; convert the model again")
        if self._activation() is not Activation.RELU:
            raise self.error("has another activation than RELU, which the interpreter refuses; convert it again")
        self._shape((1, filters // rank))
        return Svdf(rank), tuple(inputs)

    def _state(self, index: int, dtype: DType, elements: int) -> Tensor:
        tensor = self.tensor(index)
        if index not in self.variables or tensor.dtype is not dtype or tensor.elements != elements or tensor.constant:
            raise self.error(
                f"has the state {tensor.name}: {tensor.dtype.value}{list(tensor.shape)}, expected {elements} values "
                f"of {dtype.value} that are variable; convert the model again"
            )
        if tensor.quantisation is None or tensor.q.per_channel:
            raise self.error(f"has the state {tensor.name}, which has no scale of its own; convert the model again")
        return tensor
