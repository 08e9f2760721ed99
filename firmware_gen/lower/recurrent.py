# SPDX-License-Identifier: Apache-2.0
"""Layers that keep something from one inference to the next: UNIDIRECTIONAL_SEQUENCE_LSTM and SVDF."""

from __future__ import annotations

from typing import Any

import numpy as np

from dimmer.firmware_gen.graph import fixed_point as fp
from dimmer.firmware_gen.graph.options import Lstm, Svdf
from dimmer.firmware_gen.graph.types import Tensor
from dimmer.firmware_gen.kernels import recurrent as k
from dimmer.firmware_gen.lower.context import Context
from dimmer.firmware_gen.lower.steps import Params, Step, Weights, step

GATE_SCALE = 2.0**-12
"""Of a gate before its sigmoid or tanh."""


class Recurrent(Context):
    """LSTM and SVDF."""

    def lstm(self, options: Lstm) -> Step:
        """UNIDIRECTIONAL_SEQUENCE_LSTM: the four gates of a cell lie side by side."""
        source, state, cell = self.inputs[0], self.inputs[13], self.inputs[14]
        cells = self.output.shape[-1]
        inputs, input_bias, input_pairs = self.gates(self.inputs[1:5], source, self.inputs[9:13])
        recurrent, recurrent_bias, recurrent_pairs = self.gates(self.inputs[5:9], state, [])
        # All in float32, but for powers of two.
        hidden = float(np.float32(2.0**-15 / float(np.float32(options.hidden_scale)) * 2.0**-15))
        multiplier, shift = fp.quantize_multiplier(hidden)
        if shift > 0:
            raise fp.RangeError(f"the scale {options.hidden_scale:g} of its output is below 2^-30")
        clip = min(float(np.float32(options.cell_clip) / np.float32(cell.q.scale)), 32767.0)
        return step(
            k.LSTM,
            self.layer,
            macs=source.elements * 4 * cells + self.output.elements * 4 * cells,
            input=self.at(0),
            output=self.out,
            output_state=self.at(13),
            cell_state=self.at(14),
            input_weights=inputs,
            recurrent_weights=recurrent,
            input_bias=input_bias,
            recurrent_bias=recurrent_bias,
            input_multipliers=tuple(pair[0] for pair in input_pairs),
            recurrent_multipliers=tuple(pair[0] for pair in recurrent_pairs),
            hidden_multiplier=multiplier,
            steps=source.elements // source.shape[-1],
            inputs=source.shape[-1],
            cells=cells,
            cell_clip=int(clip),
            input_shifts=tuple(pair[1] for pair in input_pairs),
            recurrent_shifts=tuple(pair[1] for pair in recurrent_pairs),
            hidden_shift=shift,
            hidden_zero_point=options.hidden_zero_point,
            cell_bits=15 + round(np.log2(cell.q.scale)),
        )

    def gates(
        self, weights: list[Tensor], source: Tensor, biases: list[Tensor]
    ) -> tuple[Weights, Params, list[tuple[int, int]]]:
        """Weights int8[cells,4,inputs], folded biases int32[cells,4], and a multiplier and shift for each gate."""
        values = np.stack([_values(tensor, "<i1") for tensor in weights], axis=1)
        folded = -source.q.zero_point * values.sum(axis=2)
        if biases:
            folded = folded + np.stack([_values(tensor, "<i4") for tensor in biases], axis=1)
        pairs = []
        for gate, tensor in enumerate(weights):
            scale = np.float32(tensor.q.scale) * np.float32(source.q.scale) / np.float32(GATE_SCALE)
            pairs.append(fp.quantize_multiplier(float(scale)))
            largest = int((np.abs(folded[:, gate]) + 128 * np.abs(values[:, gate]).sum(axis=1)).max())
            if largest << max(pairs[-1][1], 0) >= 2**31:
                raise fp.RangeError(f"a sum of up to {largest} may overflow")
        blob = Weights(values.astype(np.int8).tobytes(), values.shape)
        return blob, Params(tuple(folded.reshape(-1).tolist())), pairs

    def svdf(self, options: Svdf) -> Step:
        """SVDF: features of the input, and what their last values make of it."""
        source, features, times, state = self.inputs[:4]
        values = _values(features, "<i1")
        units = self.output.shape[1]
        bias = _values(self.inputs[4], "<i4") if len(self.inputs) == 5 else np.zeros(units, np.int64)
        # A float32 product of scales, as float32 division follows in TFLite, and only then double.
        feature = fp.quantize_multiplier(_ratio(source, features, state))
        time = fp.quantize_multiplier(_ratio(state, times, self.output))
        largest = int(255 * np.abs(values).sum(axis=1).max())
        if largest << max(feature[1], 0) >= 2**31:
            raise fp.RangeError(f"a sum of up to {largest} may overflow")
        return step(
            k.SVDF,
            self.layer,
            macs=values.size + times.elements,
            input=self.at(0),
            output=self.out,
            state=self.at(3),
            feature_weights=Weights(features.data or b"", features.shape),
            time_weights=Weights(times.data or b"", (*times.shape, 2)),
            feature_bias=Params(tuple((-source.q.zero_point * values.sum(axis=1)).tolist())),
            bias=Params(tuple(bias.tolist())),
            feature_multiplier=feature[0],
            time_multiplier=time[0],
            inputs=source.shape[1],
            units=units,
            rank=options.rank,
            memory=times.shape[1],
            feature_shift=feature[1],
            time_shift=time[1],
            output_zero_point=self.output.q.zero_point,
        )


def _values(tensor: Tensor, code: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.frombuffer(tensor.data or b"", dtype=code).astype(np.int64).reshape(tensor.shape)


def _ratio(first: Tensor, second: Tensor, output: Tensor) -> float:
    with np.errstate(all="ignore"):
        return float(np.float32(first.q.scale) * np.float32(second.q.scale) / np.float32(output.q.scale))
