# SPDX-License-Identifier: Apache-2.0
"""What a layer's weights allow `kernels/words/packed.h`: how sums of narrow products are kept in fields of words, and
requantised by products of 32 bits. All of it is proven from the layer's own weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dimmer.firmware_gen.lower.steps import Params, Shifts, Step, Value
from dimmer.firmware_gen.variants.conv import ConvShape, number, shape_of, shifts_of
from dimmer.firmware_gen.variants.frame import Settings
from dimmer.firmware_gen.variants.narrow import Narrow, narrow_form

WORDS = 4
"""Of a panel, panel.h."""
LOW_BITS = 18
"""Of a sum, and of the lower bound of sums that are clamped; a word's others are of how far the upper one is."""
SIDE = 4
"""Outputs of a row of a tile."""
CANDIDATES = sorted(range(-40, 41), key=abs)
"""How far from the nearest multiplier one is looked for, the nearest first."""

_FREE = 2**60
"""Above every start."""

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Form:
    """How words and tiles are made.

    Attributes:
        rows: that share a word.
        spacing: bits from one row's field to the next.
        planes: points of the transform.
        products: of a term.
        columns: of inputs of a word.
        length: terms of a plane.
    """

    rows: int
    spacing: int
    planes: int
    products: int
    columns: int
    length: int

    @property
    def unit(self) -> int:
        """Of offsets."""
        return int(2 ** max(0, self.spacing - 8))

    def tiles(self, shape: ConvShape) -> int:
        """Of a layer."""
        return -(-shape.output_h // self.rows) * -(-shape.output_w // SIDE)

    @property
    def in_panel(self) -> int:
        """Tiles."""
        return 1 if self.planes == 1 else WORDS

    def panels(self, shape: ConvShape) -> int:
        """Of a layer."""
        return -(-self.tiles(shape) // self.in_panel)


def _forms(shape: ConvShape, input_bits: int) -> list[Form]:
    rows, depth = (4 if input_bits == 2 else 2), shape.kernel_h * shape.input_c
    forms = [Form(rows, 32 // rows, 1, 1, shape.kernel_w, depth * shape.kernel_w)]
    if shape.kernel_w == 3 and shape.stride_w == 1:
        forms.append(Form(rows, 29 // rows, 6, 3, 6, depth))
    return forms


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to requantise, as `packed.h` has them.

    Attributes:
        point: bits behind the point of a code.
        two_lines: negative sums have a start of their own.
        sums: are clamped.
        codes: are clamped.
    """

    number: int
    point: int
    two_lines: bool
    sums: bool
    codes: bool


_WAYS = (
    _Way(0, 24, two_lines=False, sums=True, codes=False),
    _Way(1, 24, two_lines=True, sums=True, codes=False),
    _Way(2, 20, two_lines=True, sums=False, codes=True),
    _Way(3, 22, two_lines=True, sums=True, codes=True),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a layer's weights allow in a form.

    Attributes:
        chunks: of a sum.
        settings: fields of the record that do not depend on the scratch.
    """

    form: Form
    chunks: int
    settings: Settings


@dataclass(frozen=True, slots=True)
class _Sums:
    """Offsets of fields in their units, and the sums that an output can have with them, int64[channels].

    Attributes:
        shift: what all offsets of an output add up to.
    """

    terms: int
    chunks: int
    offsets: Int64
    least: Int64
    most: Int64
    shift: Int64


def _sums(narrow: Narrow, form: Form) -> _Sums | None:
    """With as few chunks as can be; None where a field overflows whatever their number."""
    channels, limit = len(narrow.slices), 2 ** min(LOW_BITS, 2 * form.spacing)
    weights = narrow.slices if form.planes == 1 else narrow.slices.transpose(0, 1, 3, 2)
    flat = narrow.high * weights.reshape(channels, form.length, form.products)
    parts = [np.maximum(sign * flat, 0).sum(axis=2) for sign in (1, -1)]
    last = 0
    for count in range(1, form.length // 4 + 1):
        terms = -(-form.length // (4 * count)) * 4
        if terms == last:
            continue
        last, chunks = terms, -(-form.length // terms)
        padding = ((0, 0), (0, chunks * terms - form.length))
        above, below = (np.pad(part, padding).reshape(channels, chunks, terms).sum(axis=2) for part in parts)
        offsets = -(-below.max(axis=1) // form.unit)
        if offsets.max() <= 255 and (offsets * form.unit + above.max(axis=1)).max() < 2**form.spacing:
            shift = offsets * form.unit * chunks
            least, most = shift - below.sum(axis=1), shift + above.sum(axis=1)
            return _Sums(terms, chunks, offsets, least, most, shift) if most.max() < limit else None
    return None


def _codes(step: Step, sums: Int64, scale: int) -> Int64:
    """The codes of sums of slices, int64[channels, ...], as TFLite computes them.

    Args:
        scale: what stands for a slice of 1.
    """
    bias, multipliers = step.fields["bias"], step.fields["multipliers"]
    assert isinstance(bias, Params)
    assert isinstance(multipliers, Params)
    shape = (-1, *(1,) * (sums.ndim - 1))
    shifts = np.array(shifts_of(step), dtype=np.int64).reshape(shape)
    whole = np.array(bias.values, dtype=np.int64).reshape(shape) + scale * sums
    doubled = (whole << np.maximum(shifts, 0)) * np.array(multipliers.values, dtype=np.int64).reshape(shape)
    high = (doubled + 2**30) >> 31
    right = np.maximum(-shifts, 0)
    magnitude = (np.abs(high) + ((1 << right) >> 1)) >> right
    codes = np.where(high >= 0, magnitude, -magnitude) + number(step, "output_zero_point")
    return np.asarray(np.clip(codes, number(step, "activation_min"), number(step, "activation_max")))


def _fits(step: Step, sums: _Sums, scale: int, folded: Int64) -> bool:
    """Whether no sum leaves 31 bits where the portable kernel computes it."""
    bias = step.fields["bias"]
    assert isinstance(bias, Params)
    ends = np.stack([sums.least - sums.shift, sums.most - sums.shift]) * scale
    largest = np.abs(np.array(bias.values, dtype=np.int64) + folded + ends).max(axis=0)
    left = np.maximum(np.array(shifts_of(step), dtype=np.int64), 0)
    return bool((largest << left).max() < 2**31)


@dataclass(frozen=True, slots=True)
class _Boundaries:
    """Where the codes of each channel begin, int64[channels, codes].

    Attributes:
        codes: int64[codes].
        first: the least sum whose code is at least that one.
        found: whether it is between the first and the last code that the channel's sums have.
        low: no sum below has another code, int64[channels].
        high: no sum above has another code.
        lowest: code of `low`.
        highest: code of `high`.
        zero: sums below this are negative without their offsets.
        before: code of the sum before `zero`.
        at: code of `zero`.
        least: sum that there is.
        most: the same.
        limits: of codes.
    """

    codes: Int64
    first: Int64
    found: npt.NDArray[np.bool_]
    low: Int64
    high: Int64
    lowest: Int64
    highest: Int64
    zero: Int64
    before: Int64
    at: Int64
    least: Int64
    most: Int64
    limits: tuple[int, int]

    @property
    def constant(self) -> npt.NDArray[np.bool_]:
        """Whether a channel has a single code."""
        return np.asarray(~self.found.any(axis=1))


def _boundaries(step: Step, sums: _Sums, scale: int, folded: Int64) -> _Boundaries:
    bias = step.fields["bias"]
    assert isinstance(bias, Params)

    def codes(x: Int64) -> Int64:
        return _codes(step, x - sums.shift[:, None] + (folded // scale)[:, None], scale)

    limits = number(step, "activation_min"), number(step, "activation_max")
    wanted = np.arange(limits[0] + 1, limits[1] + 1, dtype=np.int64)
    least, most = sums.least[:, None], sums.most[:, None]
    lowest, highest = codes(least)[:, 0], codes(most)[:, 0]
    # By halving: codes rise with sums.
    below = np.broadcast_to(least - 1, (len(least), len(wanted)))
    above = np.broadcast_to(most + 1, (len(least), len(wanted)))
    for _ in range(LOW_BITS + 2):
        middle = (below + above) >> 1
        reached = (codes(np.clip(middle, least, most)) >= wanted) & (middle >= least) | (middle > most)
        above, below = np.where(reached, middle, above), np.where(reached, below, middle)
    found = (wanted > lowest[:, None]) & (wanted <= highest[:, None])
    constant = ~found.any(axis=1)
    low = np.where(constant, 0, np.where(found, above - 1, 2**40).min(axis=1, initial=2**40))
    high = np.where(constant, 0, np.where(found, above, -1).max(axis=1, initial=-1))
    zero = np.clip(sums.shift - (np.array(bias.values, dtype=np.int64) + folded) // scale, 0, 2**LOW_BITS)
    before, at = (codes(np.clip(x[:, None], least, most))[:, 0] for x in (zero - 1, zero))
    ends = sums.least, sums.most
    return _Boundaries(wanted, above, found, low, high, lowest, highest, zero, before, at, *ends, limits)


def _requantised(step: Step, sums: _Sums, scale: int, folded: Int64) -> dict[str, Params | int] | None:
    """Fields of the record with which `packed.h` gives every code, in the first way that does; None where none does."""
    bounds = _boundaries(step, sums, scale, folded)
    for way in _WAYS:
        found = _lines(step, bounds, way, scale)
        spans = bounds.high - bounds.low if way.sums else np.zeros_like(bounds.low)
        if found is not None and spans.max() < 2 ** (32 - LOW_BITS):
            multiplier, start, negative = found
            both = (bounds.low if way.sums else spans) + (spans << LOW_BITS)
            if way.two_lines:
                both = np.stack([both, bounds.zero, negative - start], axis=1).reshape(-1)
            return {
                "multipliers": Params(_wrapped(multiplier)),
                "bias": Params(_wrapped(start)),
                "bounds": Params(_wrapped(both)),
                "way": way.number,
            }
    return None


def _lines(step: Step, bounds: _Boundaries, way: _Way, scale: int) -> tuple[Int64, Int64, Int64] | None:
    """Multiplier and starts of each channel: of sums and of negative ones; None where a channel has none."""
    channels = len(bounds.low)
    real = np.array(_multipliers(step), dtype=np.float64) * np.exp2(np.array(shifts_of(step)) - 31.0 + way.point)
    center = np.where(bounds.constant, 0, np.rint(real * scale)).astype(np.int64)
    best = np.zeros((3, channels), dtype=np.int64)
    left = np.ones(channels, dtype=np.bool_)
    for distance in CANDIDATES:
        multiplier = center + distance
        both = [_starts(bounds, way, multiplier, negative) for negative in (False, True)]
        fine = left & (multiplier >= 0) & (multiplier < 2**31)
        for least, most in both:
            # A step of the multiplier moves the ends by no more than the largest difference of sums.
            if distance == 0 and (least - most > abs(CANDIDATES[-1]) * (bounds.most - bounds.least + 1)).any():
                return None
            fine &= least <= most
        best = np.where(fine, np.stack([multiplier, *((least + most) >> 1 for least, most in both)]), best)
        left &= ~fine
        if not left.any():
            return best[0], best[1], best[2]
    return None


def _starts(bounds: _Boundaries, way: _Way, multiplier: Int64, negative: bool) -> tuple[Int64, Int64]:
    """The least and the largest start of each channel with which sums of one sign have their codes.

    Codes and lines rise with the sum, so it is enough to look where codes begin, and at both ends of the sign's sums.
    """
    point = way.point
    zero = bounds.zero if way.two_lines else np.full(len(bounds.zero), -1, dtype=np.int64)
    begin = bounds.codes << point

    def ours(x: Int64) -> npt.NDArray[np.bool_]:
        return np.asarray((x < (zero if x.ndim == 1 else zero[:, None])) == negative)

    at = bounds.found & ours(bounds.first)
    least = np.where(at, begin - bounds.first * multiplier[:, None], -_FREE).max(axis=1, initial=-_FREE)
    before = bounds.found & ours(bounds.first - 1)
    most = np.where(before, begin - (bounds.first - 1) * multiplier[:, None] - 1, _FREE).min(axis=1, initial=_FREE)
    limits = (bounds.low, bounds.high) if way.sums else (bounds.least, bounds.most)
    inside = (limits[0] < zero) & (zero <= limits[1])
    if negative:
        inside &= bounds.before < bounds.highest
        limit = ((bounds.before + 1) << point) - 1 - (zero - 1) * multiplier
        most = np.where(inside, np.minimum(most, limit), most)
    else:
        inside &= bounds.at > bounds.lowest
        least = np.where(inside, np.maximum(least, (bounds.at << point) - zero * multiplier), least)
    for end in limits:
        # Where codes are clamped, a line may go beyond the activation's range as far as words do.
        free = (bounds.lowest == bounds.limits[0], bounds.highest == bounds.limits[1]) if way.codes else (False, False)
        lowest = np.where(free[0], -(2**31), bounds.lowest << point)
        highest = np.where(free[1], 2**31 - 1, ((bounds.highest + 1) << point) - 1)
        least = np.where(ours(end), np.maximum(least, lowest - end * multiplier), least)
        most = np.where(ours(end), np.minimum(most, highest - end * multiplier), most)
    return least, most


def _multipliers(step: Step) -> tuple[int, ...]:
    value = step.fields["multipliers"]
    assert isinstance(value, Params)
    return value.values


def _wrapped(values: Int64) -> tuple[int, ...]:
    """Modulo 2^32, as int32."""
    return tuple(((values + 2**31) % 2**32 - 2**31).tolist())


@lru_cache(maxsize=256)
def plans(step: Step) -> tuple[Plan, ...]:
    """How the kernel can compute a layer."""
    narrow, shape = narrow_form(step), shape_of(step)
    if narrow is None or shape.dilation_w != 1 or shape.input_c % 4 or shape.pad_left >= shape.kernel_w:
        return ()
    found: list[Plan] = []
    scale = narrow.unit
    # Inputs count from 0 here: the zero point is not in the bias.
    folded = scale * -128 * narrow.slices.reshape(len(narrow.slices), -1).sum(axis=1)
    for form in _forms(shape, narrow.input_bits):
        sums = _sums(narrow, form)
        if sums is None or not _fits(step, sums, scale, folded):
            continue
        requantised = _requantised(step, sums, scale, folded)
        if requantised is not None:
            offsets = Shifts(tuple(((sums.offsets + 128) % 256 - 128).tolist()))
            fixed: dict[str, Value] = {"weights": narrow.weights, "shifts": offsets}
            sizes = {"terms": sums.terms, "planes": form.planes}
            sizes |= {"weight_bits": narrow.weight_bits, "input_bits": narrow.input_bits}
            found.append(Plan(form, sums.chunks, {**requantised, **fixed, **sizes}))
    return tuple(found)
