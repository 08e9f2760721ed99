# SPDX-License-Identifier: Apache-2.0
"""Variants for Arm cores with the DSP extension (Cortex-M4, M7, M33) whose inputs have 4 or 2 bits, and their
weights as many or fewer.

One SMLAL makes 9 or 12 products (`kernels/dsp/narrow.h`). That its fields hold every sum is proven here, for each
layer from its own weights: how many terms may be added up before a sum must be read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from dimmer.firmware_gen.kernels.dsp import (
    CONV_2D_ADD_APART_DSP,
    CONV_2D_ADD_NARROW_DSP,
    CONV_2D_APART_DSP,
    CONV_2D_NARROW_DSP,
)
from dimmer.firmware_gen.kernels.fused import CONV_2D_ADD, ENTRY_CONV_2D, ENTRY_CONV_2D_ADD
from dimmer.firmware_gen.kernels.portable import CONV_2D
from dimmer.firmware_gen.kernels.record import Kernel
from dimmer.firmware_gen.lower.steps import Params, Shifts, Step, Value
from dimmer.firmware_gen.variants.conv import ConvShape, number, shape_of, shifts_of
from dimmer.firmware_gen.variants.dsp import SUM_TABLES, sum_cost, sum_supports
from dimmer.firmware_gen.variants.frame import Settings, Variant
from dimmer.firmware_gen.variants.narrow import HIGH, Narrow, narrow_form

_PACKED = frozenset({"dsp", "packed"})
_MAX_CHUNKS = 16


@dataclass(frozen=True, slots=True)
class _Format:
    """How a word is made of inputs.

    Attributes:
        bits: of an input.
        inputs: in a word.
        spacing: bits from one to the next.
    """

    bits: int
    inputs: int
    spacing: int

    @property
    def high(self) -> int:
        """Largest input, counted from 0."""
        return HIGH[self.bits]


_FORMATS = {4: _Format(4, 3, 13), 2: _Format(2, 4, 10)}


@dataclass(frozen=True, slots=True)
class _Walk:
    """What follows from the shape of a row, as in `narrow_layer_dsp.c`.

    Attributes:
        phases: rows of inputs that a row is seen as.
        begin: of each phase, its first place that is not padding.
        skip: results before the first output.
        tiles: words of a row that have inputs.
        all_tiles: words of a row of results.
        terms: of one output channel.
    """

    phases: int
    begin: tuple[int, ...]
    skip: int
    tiles: int
    all_tiles: int
    terms: int


def _walk(shape: ConvShape, form: _Format) -> _Walk:
    stride = shape.stride_w
    phases = min(shape.kernel_w, stride)
    taps = [-(-(shape.kernel_w - phase) // stride) for phase in range(phases)]
    begin = [min(-(-max(shape.pad_left - p, 0) // stride), count - 1) for p, count in enumerate(taps)]
    skip = max(count - 1 - first for count, first in zip(taps, begin, strict=True))
    ends = [
        min((shape.input_w - 1 + shape.pad_left - p) // stride + 1, shape.output_w + count - 1)
        for p, count in enumerate(taps)
    ]
    tiles = max(1, *(-(-(end - first) // form.inputs) for end, first in zip(ends, begin, strict=True)))
    all_tiles = -(-(shape.output_w + skip) // form.inputs)
    return _Walk(phases, tuple(begin), skip, tiles, all_tiles, shape.kernel_h * phases * shape.input_c)


Codes = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def _narrow(step: Step) -> Narrow:
    narrow = narrow_form(step)
    assert narrow is not None
    return narrow


def _form(step: Step) -> _Format:
    return _FORMATS[_narrow(step).input_bits]


def _by_term(codes: Codes, walk: _Walk) -> Codes:
    """The fields of the weights' word of every term, lowest first: int64[output_c, terms, fields]."""
    channels, rows, columns, depth = codes.shape
    fields = np.zeros((channels, rows, walk.phases, depth, walk.skip + max(walk.begin) + 1), dtype=np.int64)
    for tap in range(columns):
        place, phase = divmod(tap, walk.phases)
        fields[:, :, phase, :, walk.skip + walk.begin[phase] - place] = codes[:, :, tap]
    return fields.reshape(channels, walk.terms, -1)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """How many terms are added up before a sum is read.

    Attributes:
        offsets: what is added to each field of a channel, so that it is never negative, in units of 2^(spacing - 8).
    """

    terms: int
    offsets: tuple[int, ...]


def _chunk(step: Step) -> _Chunk | None:
    """The most terms for which no sum leaves its field; None where there is no such number."""
    shape, form = shape_of(step), _form(step)
    walk = _walk(shape, form)
    fields = _by_term(_narrow(step).slices, walk)
    for chunks in range(1, _MAX_CHUNKS + 1):
        terms, rest = divmod(walk.terms, chunks)
        if not rest and math.gcd(terms, shape.input_c) % 4 == 0:
            offsets = _offsets(fields, terms, form)
            if offsets is not None:
                return _Chunk(terms, offsets)
    return None


def _offsets(fields: Codes, terms: int, form: _Format) -> tuple[int, ...] | None:
    """The offset of each channel with which no sum of the products of `terms` terms, nor any part of one in any order,
    leaves its field; None where there is none.
    """
    channels, _, count = fields.shape
    products = form.high * fields.reshape(channels, -1, terms, count)
    above, below = (np.maximum(sign * products, 0).sum(axis=2) for sign in (1, -1))
    # The upper fields are carried as a signed number of the bits that the lower ones leave: its uppermost field has the
    # products of the uppermost weights alone.
    room = 63 - (form.inputs + count - 2) * form.spacing
    if count > 1 and max(above[:, :, -1].max(), below[:, :, -1].max()) >= 2**room - 1:
        return None
    unit = 2 ** (form.spacing - 8)
    codes = -(-below.sum(axis=2).max(axis=1) // unit)
    if codes.max() > 255 or (codes * unit + above.sum(axis=2).max(axis=1)).max() >= 2**form.spacing:
        return None
    return tuple(codes.tolist())


def _supports(step: Step) -> bool:
    shape = shape_of(step)
    if number(step, "batches") != 1 or narrow_form(step) is None:
        return False
    plain = shape.dilation_h == shape.dilation_w == 1 and shape.kernel_w <= 3 and shape.stride_w <= 2
    even = shape.input_c % 4 == 0 and shape.output_c % 2 == 0
    if not (plain and even and shape.pad_left < shape.kernel_w):
        return False
    chunk = _chunk(step)
    return chunk is not None and _rescales(step, chunk.terms)


def _rescales(step: Step, terms: int) -> bool:
    """Whether the short requantisation of `narrow_dsp.c` is exact: no shift is too large, no sum leaves 30 bits."""
    shape, form = shape_of(step), _form(step)
    fields = _narrow(step).unit * (_walk(shape, form).terms // terms << form.spacing)
    return all(
        -22 <= shift <= 12 and (abs(bias) + fields) << max(shift, 0) < 2**30
        for shift, bias in zip(shifts_of(step), _bias(step).values, strict=True)
    )


def _bias(step: Step) -> Params:
    """Without the zero point of the inputs, which count from 0 here."""
    bias = step.fields["bias"]
    assert isinstance(bias, Params)
    narrow = _narrow(step)
    sums = (narrow.unit * narrow.slices.sum(axis=(1, 2, 3))).tolist()
    return Params(tuple(folded - 128 * total for folded, total in zip(bias.values, sums, strict=True)))


def _settings(step: Step) -> Iterable[Settings]:
    """Every even part of the channels, and of the rows every one that needs fewer strips than the next smaller."""
    shape = shape_of(step)
    groups = {(-(-shape.output_c // passes) + 1) // 2 * 2 for passes in range(1, shape.output_c // 2 + 1)}
    strips = {2 * -(-shape.output_h // (2 * count)) for count in range(1, shape.output_h + 1)}
    chunk, bias = _chunk(step), _bias(step)
    assert chunk is not None
    offsets = Shifts(tuple((code + 128) % 256 - 128 for code in chunk.offsets))
    narrow = _narrow(step)
    bits: dict[str, Value] = {"weight_bits": narrow.weight_bits}
    fixed: dict[str, Value] = {"weights": narrow.weights, **bits, "offsets": offsets, "bias": bias}
    return [
        {**fixed, "group": group, "strip": strip, "terms": chunk.terms}
        for group in sorted(groups)
        for strip in sorted(strips)
    ]


def _setting(settings: Settings, name: str) -> int:
    value = settings[name]
    assert isinstance(value, int)
    return value


def _scratch(step: Step, settings: Settings) -> int:
    shape, form = shape_of(step), _form(step)
    group, strip, terms = (_setting(settings, name) for name in ("group", "strip", "terms"))
    walk = _walk(shape, form)
    chunks = walk.terms // terms
    rows = (strip // 2 - 1) * shape.stride_h + shape.kernel_h
    pixels = 8 * walk.tiles * rows * walk.phases * shape.input_c
    panel = group // 2 * (16 * chunks + 8 * walk.terms + 48)
    table = 256 if number(step, "entry_multiplier") else 0
    return table + 32 * chunks + panel + pixels + 2 * shape.input_c + 2 * walk.all_tiles * form.inputs * group


def _cost(step: Step, settings: Settings) -> float:
    shape, form = shape_of(step), _form(step)
    group, strip, terms = (_setting(settings, name) for name in ("group", "strip", "terms"))
    walk = _walk(shape, form)
    chunks = walk.terms // terms
    passes, strips = -(-shape.output_c // group), -(-shape.output_h // strip)
    rows = (strip // 2 - 1) * shape.stride_h + shape.kernel_h
    pairs = -(-shape.output_h // 2) * shape.output_c // 2
    inner = pairs * walk.tiles * chunks * (8.1 * terms + 52)
    results = pairs * walk.all_tiles * (form.inputs * (40 + 10 * (chunks - 1)) + 60)
    fills = strips * (1 if strips == 1 else passes)
    pixels = fills * 2 * rows * walk.tiles * walk.phases * (form.inputs * 2 + 3) * shape.input_c
    weights = shape.output_c * walk.terms * 9
    return inner + results + pixels + weights + shape.output_h * passes * 120 + 1000


def _as_narrow(step: Step) -> bool:
    """Supports, of weights as narrow as inputs."""
    return _supports(step) and not _narrow(step).apart


def _apart(step: Step) -> bool:
    """Supports, of weights narrower than inputs."""
    return _supports(step) and _narrow(step).apart


def _add_scratch(step: Step, settings: Settings) -> int:
    return _scratch(step, settings) + SUM_TABLES


def _add_cost(step: Step, settings: Settings) -> float:
    passes = -(-shape_of(step).output_c // _setting(settings, "group"))
    return (
        _cost(step, settings) + sum_cost(step, settings) + (0 if passes == 1 else 40 * shape_of(step).pixels * passes)
    )


def _variants(kernel: Kernel, add: Kernel, supports: Callable[[Step], bool]) -> tuple[Variant, ...]:
    """Of weights as narrow as inputs, or of narrower ones; with a QUANTIZE before it or without."""

    def adds(step: Step) -> bool:
        return sum_supports(step, "add_") and supports(step)

    return (
        *(
            Variant(kernel, replaced, _PACKED, _cost, supports, _settings, _scratch)
            for replaced in (CONV_2D, ENTRY_CONV_2D)
        ),
        *(
            Variant(add, replaced, _PACKED, _add_cost, adds, _settings, _add_scratch)
            for replaced in (CONV_2D_ADD, ENTRY_CONV_2D_ADD)
        ),
    )


VARIANTS = (
    *_variants(CONV_2D_NARROW_DSP, CONV_2D_ADD_NARROW_DSP, _as_narrow),
    *_variants(CONV_2D_APART_DSP, CONV_2D_ADD_APART_DSP, _apart),
)
