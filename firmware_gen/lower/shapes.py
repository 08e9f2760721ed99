# SPDX-License-Identifier: Apache-2.0
"""Operators that gather or move values: pools, means, padding, concatenation, transposition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dimmer.firmware_gen.graph import fixed_point as fp
from dimmer.firmware_gen.graph.options import ReduceExtreme
from dimmer.firmware_gen.graph.types import AveragePool2d, Concatenation, MaxPool2d, Mean, Pad, Transpose, Window
from dimmer.firmware_gen.kernels import portable as k
from dimmer.firmware_gen.kernels.unsigned import AVERAGE_POOL_2D_UP
from dimmer.firmware_gen.lower.context import MAX_RANK, Context
from dimmer.firmware_gen.lower.steps import Buffer, Step, step


class Shapes(Context):
    """Pools, means and what moves data."""

    def pool(self, options: AveragePool2d | MaxPool2d) -> Step:
        """AVERAGE_POOL_2D and MAX_POOL_2D."""
        low, high = fp.activation_range(options.activation, self.output.q)
        kernel = k.MAX_POOL_2D
        if isinstance(options, AveragePool2d):
            kernel = AVERAGE_POOL_2D_UP if options.unsigned else k.AVERAGE_POOL_2D
        fields = self.pool_fields(options.window)
        return step(kernel, self.layer, batches=1, activation_min=low, activation_max=high, **fields)

    def pool_fields(self, window: Window) -> dict[str, Any]:
        """Where input and output lie, their sizes, and what a result is of."""
        _, input_h, input_w, channels = self.inputs[0].shape
        return {
            "input": self.at(0),
            "output": self.out,
            "input_h": input_h,
            "input_w": input_w,
            "channels": channels,
            "output_h": self.output.shape[1],
            "output_w": self.output.shape[2],
            "window_h": window.kernel_h,
            "window_w": window.kernel_w,
            "stride_h": window.stride_h,
            "stride_w": window.stride_w,
            "pad_top": window.padding.top,
            "pad_left": window.padding.left,
        }

    def runs(self, axes: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Reduced and kept dimensions merged into [outer, reduce1, inner, reduce2]."""
        source = self.inputs[0]
        runs: list[tuple[bool, int]] = [(False, 1)]
        for axis, size in enumerate(source.shape):
            reduced = axis in axes
            if runs[-1][0] == reduced:
                runs[-1] = (reduced, runs[-1][1] * size)
            elif size > 1:
                runs.append((reduced, size))
        if len(runs) > 4:
            raise self.error(f"reduces the dimensions {list(axes)} of {list(source.shape)}; use neighbouring ones")
        outer, reduce1, inner, reduce2 = [size for _, size in runs] + [1] * (4 - len(runs))
        return outer, reduce1, inner, reduce2

    def mean(self, options: Mean) -> Step:
        """MEAN."""
        source = self.inputs[0]
        outer, reduce1, inner, reduce2 = self.runs(options.axes)
        if reduce1 * reduce2 >= 2**23:
            raise self.error(
                f"averages {reduce1 * reduce2} elements, at most {2**23 - 1} are supported; pool in two steps"
            )
        multiplier, shift = fp.mean_multiplier(source.q, self.output.q, reduce1 * reduce2)
        return step(
            k.MEAN,
            self.layer,
            input=self.at(0),
            output=self.out,
            outer=outer,
            reduce1=reduce1,
            inner=inner,
            reduce2=reduce2,
            multiplier=multiplier,
            shift=shift,
            input_zero_point=source.q.zero_point,
            output_zero_point=self.output.q.zero_point,
        )

    def reduce_extreme(self, options: ReduceExtreme) -> Step:
        """REDUCE_MAX and REDUCE_MIN."""
        outer, reduce1, inner, reduce2 = self.runs(options.axes)
        return step(
            k.REDUCE_EXTREME,
            self.layer,
            input=self.at(0),
            output=self.out,
            outer=outer,
            reduce1=reduce1,
            inner=inner,
            reduce2=reduce2,
            largest=int(options.largest),
        )

    def l2_normalization(self) -> Step:
        """L2_NORMALIZATION over the last dimension."""
        source = self.inputs[0]
        depth = source.shape[-1] if source.shape else 1
        if depth >= 1 << 15:
            raise self.error(f"normalises {depth} elements, at most {(1 << 15) - 1} are supported; use fewer")
        return step(
            k.L2_NORMALIZATION,
            self.layer,
            in_place=(self.at(0).id,),
            input=self.at(0),
            output=self.out,
            rows=source.elements // depth,
            depth=depth,
            input_zero_point=source.q.zero_point,
        )

    def leading_ones(self, values: Sequence[int], filler: int = 1) -> tuple[int, ...]:
        """Values of `MAX_RANK` dimensions, filled at the front."""
        if len(values) > MAX_RANK:
            raise self.error(f"works on {len(values)} dimensions, at most {MAX_RANK} are supported; reshape")
        return (filler,) * (MAX_RANK - len(values)) + tuple(values)

    def pad(self, options: Pad) -> Step:
        """PAD."""
        return step(
            k.PAD,
            self.layer,
            input=self.at(0),
            output=self.out,
            dims=self.leading_ones(self.inputs[0].shape),
            before=self.leading_ones(options.before, 0),
            after=self.leading_ones(options.after, 0),
            value=options.value,
        )

    def concatenation(self, options: Concatenation) -> tuple[Step, ...]:
        """CONCATENATION, a copy of rows for each input."""
        stride = math.prod(self.output.shape[options.axis :])
        steps = []
        start = 0
        for place, tensor in enumerate(self.inputs):
            run = math.prod(tensor.shape[options.axis :])
            steps.append(
                step(
                    k.COPY,
                    self.layer,
                    input=self.operand(place),
                    output=Buffer(self.out.id, start),
                    rows=tensor.elements // run,
                    row_bytes=run,
                    input_stride=run,
                    output_stride=stride,
                    input_blob=int(tensor.constant),
                )
            )
            start += run
        return tuple(steps)

    def transpose(self, options: Transpose) -> Step:
        """TRANSPOSE."""
        source = self.inputs[0]
        strides = [math.prod(source.shape[axis + 1 :]) for axis in options.permutation]
        return step(
            k.TRANSPOSE,
            self.layer,
            input=self.at(0),
            output=self.out,
            dims=self.leading_ones(self.output.shape),
            strides=self.leading_ones(strides, 0),
        )
