# SPDX-License-Identifier: Apache-2.0
"""Kernels of single elements, against the stock interpreter's reference kernels, byte for byte."""

from __future__ import annotations

import ctypes
import itertools

import numpy as np
import pytest

from dimmer.firmware_gen.graph import fixed_point
from dimmer.firmware_gen.graph.types import Activation, Quantisation
from dimmer.firmware_gen.kernels import portable
from tests.firmware_gen.runtime.c_library import Arena, Constants
from tests.firmware_gen.runtime.one_op import OneTensor, one_op, reference
from tests.firmware_gen.runtime.records import (
    ACTIVATION_CODES,
    ACTIVATIONS,
    SEEDS,
    Value,
    factors_of_a_sum,
    pack,
    quantisation,
    random_codes,
    random_quantisation,
    tensor,
)

SHAPES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((2, 3, 4, 5), (2, 3, 4, 5)),
    ((2, 3, 4, 5), (1, 1, 1, 5)),
    ((1, 3, 1, 5), (2, 3, 4, 5)),
    ((2, 1, 4, 1), (2, 3, 1, 5)),
    ((1, 1, 1, 1), (2, 3, 4, 5)),
]


@pytest.mark.parametrize("constant", [None, 1, 2])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("operator", ["ADD", "SUB", "MUL"])
def test_elementwise(
    library: ctypes.CDLL, operator: str, shapes: tuple[tuple[int, ...], tuple[int, ...]], constant: int | None
) -> None:
    rng = np.random.default_rng(SHAPES.index(shapes) * 9 + (constant or 0) * 3 + len(operator))
    q1, q2, q_out = (random_quantisation(rng) for _ in range(3))
    activation = ACTIVATIONS[SHAPES.index(shapes) % 3]
    codes = [random_codes(rng, shape) for shape in shapes]
    dims = tuple(int(x) for x in np.broadcast_shapes(*shapes))
    file = one_op(
        operator,
        f"{operator.capitalize()}Options",
        {"fusedActivationFunction": ACTIVATION_CODES[activation]},
        [
            tensor(value.shape, q, value if constant == number else None)
            for number, (value, q) in enumerate(zip(codes, (q1, q2), strict=True), 1)
        ],
        tensor(dims, q_out),
    )
    low, high = fixed_point.activation_range(activation, q_out)
    constants, arena = Constants(), Arena()
    places = [
        constants.add_weights(value) if constant == number else arena.place(value.nbytes, value)
        for number, value in enumerate(codes, 1)
    ]
    broadcast = [sum(1 << i for i in range(4) if shape[i] == 1 and dims[i] != 1) for shape in shapes]
    common: dict[str, Value] = {
        "input1": places[0],
        "input2": places[1],
        "dims": dims,
        "zero_point1": q1.zero_point,
        "zero_point2": q2.zero_point,
        "output_zero_point": q_out.zero_point,
        "activation_min": low,
        "activation_max": high,
        "broadcast1": broadcast[0],
        "broadcast2": broadcast[1],
        "input1_blob": int(constant == 1),
        "input2_blob": int(constant == 2),
    }
    if operator == "MUL":
        kernel = portable.MUL
        multiplier, shift = fixed_point.mul_multiplier(q1, q2, q_out)
        own: dict[str, Value] = {"multiplier": multiplier, "shift": shift}
    else:
        kernel = portable.ADD if operator == "ADD" else portable.SUB
        own = factors_of_a_sum(q1, q2, q_out)
    expected = reference(file, *(value for number, value in enumerate(codes, 1) if number != constant))
    outputs = [arena.place(int(np.prod(dims)))]
    # In place last: it destroys its input.
    outputs += [place for number, place in enumerate(places, 1) if number != constant and not broadcast[number - 1]]
    before = arena.memory.copy()
    for output in outputs:
        arena.memory[:] = before
        constants.run(library, kernel.name, pack(kernel, output=output, **common, **own), arena)
        np.testing.assert_array_equal(arena.read(output, dims), expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_pad(library: ctypes.CDLL, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(int(x) for x in rng.integers(1, 5, 4))
    paddings = rng.integers(0, 3, (4, 2)).astype(np.int32)
    q = random_quantisation(rng)
    values = random_codes(rng, shape)
    total = tuple(int(x) for x in np.array(shape) + paddings.sum(axis=1))
    file = one_op(
        "PAD", "PadOptions", {}, [tensor(shape, q), OneTensor((4, 2), "int32", data=paddings)], tensor(total, q)
    )
    arena = Arena()
    at, to = arena.place(values.nbytes, values), arena.place(int(np.prod(total)))
    record = pack(
        portable.PAD,
        input=at,
        output=to,
        dims=shape,
        before=tuple(map(int, paddings[:, 0])),
        after=tuple(map(int, paddings[:, 1])),
        value=q.zero_point,
    )
    Constants().run(library, "dimmer_pad_s8", record, arena)
    np.testing.assert_array_equal(arena.read(to, total), reference(file, values))


@pytest.mark.parametrize("beta", [1.0, 0.5])
@pytest.mark.parametrize("scale", [0.001, 0.02, 0.1, 0.3, 2.0])
def test_softmax(library: ctypes.CDLL, scale: float, beta: float) -> None:
    check_softmax(library, scale, beta, int(np.random.default_rng(int(scale * 1000)).integers(2, 30)))


@pytest.mark.parametrize("depth", [4095, 4096])
def test_softmax_of_the_longest_rows(library: ctypes.CDLL, depth: int) -> None:
    """The sum of 4096 equal codes is 2^31; each is 1/4096, code -128. The stock interpreter aborts from 512 on."""
    check_softmax(library, 0.02, 1.0, depth, rows=1)


def check_softmax(library: ctypes.CDLL, scale: float, beta: float, depth: int, rows: int = 12) -> None:
    rng = np.random.default_rng(int(scale * 1000))
    q_in = quantisation(scale, int(rng.integers(-128, 128)))
    values = random_codes(rng, (rows, depth))
    values[0] = 7
    file = one_op(
        "SOFTMAX",
        "SoftmaxOptions",
        {"beta": beta},
        [tensor(values.shape, q_in)],
        tensor(values.shape, quantisation(1 / 256, -128)),
    )
    multiplier, left_shift, diff_min = fixed_point.softmax_scaling(beta, q_in.scale)
    arena = Arena()
    at, to = arena.place(values.nbytes, values), arena.place(values.nbytes)
    for output in (to, at):
        record = pack(
            portable.SOFTMAX,
            input=at,
            output=output,
            rows=rows,
            depth=depth,
            multiplier=multiplier,
            diff_min=diff_min,
            left_shift=left_shift,
        )
        Constants().run(library, "dimmer_softmax_s8", record, arena)
        wanted = reference(file, values) if depth < 512 else np.full_like(values, -128)
        np.testing.assert_array_equal(arena.read(output, values.shape), wanted)


ALL_CODES = np.arange(-128, 128, dtype=np.int8).reshape(1, 256)


@pytest.mark.parametrize(("scale", "zero_point"), [(0.01, 0), (0.05, -128), (0.1, 127), (0.5, 3), (0.0005, -4)])
def test_logistic(library: ctypes.CDLL, scale: float, zero_point: int) -> None:
    q_in = quantisation(scale, zero_point)
    file = one_op("LOGISTIC", None, {}, [tensor((1, 256), q_in)], tensor((1, 256), quantisation(1 / 256, -128)))
    arena, constants = Arena(), Constants()
    at = arena.place(256, ALL_CODES)
    table = np.frombuffer(fixed_point.logistic_table(q_in, quantisation(1 / 256, -128)), np.int8)
    record = pack(portable.LUT, input=at, output=at, elements=256, table=constants.add_weights(table))
    constants.run(library, "dimmer_lut_s8", record, arena)
    np.testing.assert_array_equal(arena.read(at, (1, 256)), reference(file, ALL_CODES))


def test_lut(library: ctypes.CDLL) -> None:
    table = np.random.default_rng(0).integers(-128, 128, 256).astype(np.int8)
    arena, constants = Arena(), Constants()
    at = arena.place(256, ALL_CODES)
    constants.add_weights(np.zeros(4))
    record = np.array([at, at, 256, constants.add_weights(table)], dtype="<u4").tobytes()
    constants.run(library, "dimmer_lut_s8", record, arena)
    np.testing.assert_array_equal(arena.read(at, (256,)), table)


@pytest.mark.parametrize("operator", ["RELU", "RELU6", "RELU_N1_TO_1"])
@pytest.mark.parametrize("seed", range(4))
def test_relu(library: ctypes.CDLL, operator: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    q_in, q_out = random_quantisation(rng), random_quantisation(rng, 0.02, 0.1)
    file = one_op(operator, None, {}, [tensor((1, 256), q_in)], tensor((1, 256), q_out))
    low, high = fixed_point.activation_range(Activation[operator], q_out)
    multiplier, shift = fixed_point.ratio_multiplier_float(q_in, q_out)
    run_requantize(library, file, q_in, q_out, multiplier, shift, (low, high), "int8", "int8")


def run_requantize(
    library: ctypes.CDLL,
    file: bytes,
    q_in: Quantisation,
    q_out: Quantisation,
    multiplier: int,
    shift: int,
    limits: tuple[int, int],
    source: str,
    result: str,
) -> None:
    """Both kernels, in place; the one with a table for one element more than four times some, too."""
    values = np.arange(256).astype(np.uint8).view(np.dtype(source)).reshape(1, 256)
    expected = reference(file, values)
    for kernel, count in (
        (portable.REQUANTIZE, 256),
        (portable.REQUANTIZE_TABLE, 256),
        (portable.REQUANTIZE_TABLE, 253),
    ):
        arena = Arena()
        at = arena.place(256, values)
        extra = {"scratch": arena.place(256)} if kernel == portable.REQUANTIZE_TABLE else {}
        record = pack(
            kernel,
            input=at,
            output=at,
            elements=count,
            multiplier=multiplier,
            input_zero_point=q_in.zero_point,
            output_zero_point=q_out.zero_point,
            activation_min=limits[0],
            activation_max=limits[1],
            shift=shift,
            input_unsigned=int(source == "uint8"),
            output_unsigned=int(result == "uint8"),
            **extra,
        )
        Constants().run(library, kernel.name, record, arena)
        found = arena.read(at, (1, 256), np.dtype(result).type)
        np.testing.assert_array_equal(found[:, :count], expected[:, :count])
        np.testing.assert_array_equal(found[:, count:].view(np.uint8), values[:, count:].view(np.uint8))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("source", "result"), [("int8", "int8"), ("uint8", "int8"), ("int8", "uint8")])
def test_quantize_changes_scale_and_type(library: ctypes.CDLL, source: str, result: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    zero = {"int8": 0, "uint8": 128}
    scales = [float(x) for x in rng.uniform(0.01, 0.1, 2)]
    if seed == 0:
        scales[1] = scales[0]
    offsets = [int(x) for x in rng.integers(-128, 128, 2)]
    if seed == 0:
        offsets[1] = offsets[0]
    q_in = quantisation(scales[0], offsets[0] + zero[source])
    q_out = quantisation(scales[1], offsets[1] + zero[result])
    tensors = [OneTensor((1, 256), kind, q.scales, q.zero_point) for kind, q in ((source, q_in), (result, q_out))]
    file = one_op("QUANTIZE", "QuantizeOptions", {}, tensors[:1], tensors[1])
    multiplier, shift = fixed_point.ratio_multiplier(q_in, q_out)
    limits = (-128, 127) if result == "int8" else (0, 255)
    run_requantize(library, file, q_in, q_out, multiplier, shift, limits, source, result)


@pytest.mark.parametrize(("scale", "zero_point"), [(0.05, 3), (0.5, -128), (1 / 3, 127)])
def test_quantize_float(library: ctypes.CDLL, scale: float, zero_point: int) -> None:
    rng = np.random.default_rng(0)
    halves = (np.arange(-140, 140) + 0.5) * np.float32(scale)
    values = np.concatenate([halves, rng.normal(0, 20, 220), [1e6, -1e6, 0.0, -0.0]]).astype(np.float32)
    q = quantisation(scale, zero_point)
    file = one_op("QUANTIZE", "QuantizeOptions", {}, [OneTensor(values.shape, "float32")], tensor(values.shape, q))
    arena = Arena()
    at, to = arena.place(values.nbytes, values), arena.place(values.size)
    record = pack(
        portable.QUANTIZE_F32, input=at, output=to, elements=values.size, scale=q.scale, zero_point=zero_point
    )
    Constants().run(library, "dimmer_quantize_f32_s8", record, arena)
    np.testing.assert_array_equal(arena.read(to, values.shape), reference(file, values))


def test_quantize_float_takes_what_is_no_number(library: ctypes.CDLL) -> None:
    values = np.array([np.nan, np.inf, -np.inf], dtype=np.float32)
    arena = Arena()
    at, to = arena.place(12, values), arena.place(3)
    record = pack(portable.QUANTIZE_F32, input=at, output=to, elements=3, scale=0.1, zero_point=5)
    Constants().run(library, "dimmer_quantize_f32_s8", record, arena)
    assert arena.read(to, (3,)).tolist() == [-128, 127, -128]


@pytest.mark.parametrize(("scale", "zero_point"), [(0.05, 3), (0.5, -128), (1 / 3, 127)])
def test_dequantize(library: ctypes.CDLL, scale: float, zero_point: int) -> None:
    q = quantisation(scale, zero_point)
    file = one_op("DEQUANTIZE", "DequantizeOptions", {}, [tensor((1, 256), q)], OneTensor((1, 256), "float32"))
    arena = Arena()
    at, to = arena.place(256, ALL_CODES), arena.place(1024)
    record = pack(portable.DEQUANTIZE_F32, input=at, output=to, elements=256, scale=q.scale, zero_point=zero_point)
    Constants().run(library, "dimmer_dequantize_s8_f32", record, arena)
    np.testing.assert_array_equal(arena.read(to, (1, 256), np.float32), reference(file, ALL_CODES))


@pytest.mark.parametrize("axis", range(4))
def test_copy_concatenates(library: ctypes.CDLL, axis: int) -> None:
    rng = np.random.default_rng(axis)
    shapes = [(2, 3, 4, 5), tuple(2 if i == axis else n for i, n in enumerate((2, 3, 4, 5)))]
    parts = [random_codes(rng, shape) for shape in shapes]
    q = random_quantisation(rng)
    total = np.concatenate(parts, axis).shape
    file = one_op(
        "CONCATENATION", "ConcatenationOptions", {"axis": axis}, [tensor(s, q) for s in shapes], tensor(total, q)
    )
    constants, arena = Constants(), Arena()
    places = [arena.place(parts[0].nbytes, parts[0]), constants.add_weights(parts[1])]
    to = arena.place(int(np.prod(total)))
    rows = int(np.prod(total[:axis], dtype=int))
    start = 0
    for number, (part, place) in enumerate(zip(parts, places, strict=True)):
        size = part.nbytes // rows
        record = pack(
            portable.COPY,
            input=place,
            output=to + start,
            rows=rows,
            row_bytes=size,
            input_stride=size,
            output_stride=int(np.prod(total)) // rows,
            input_blob=number,
        )
        constants.run(library, "dimmer_copy_s8", record, arena)
        start += size
    np.testing.assert_array_equal(arena.read(to, total), reference(file, *parts))


@pytest.mark.parametrize("permutation", list(itertools.permutations(range(4)))[::5], ids=str)
def test_transpose(library: ctypes.CDLL, permutation: tuple[int, ...]) -> None:
    shape = (2, 3, 4, 5)
    values = random_codes(np.random.default_rng(0), shape)
    q = quantisation(0.1)
    result = tuple(shape[i] for i in permutation)
    file = one_op(
        "TRANSPOSE",
        "TransposeOptions",
        {},
        [tensor(shape, q), OneTensor((4,), "int32", data=np.array(permutation, dtype=np.int32))],
        tensor(result, q),
    )
    arena = Arena()
    at, to = arena.place(values.nbytes, values), arena.place(values.nbytes)
    steps = [60, 20, 5, 1]
    record = pack(portable.TRANSPOSE, input=at, output=to, dims=result, strides=tuple(steps[i] for i in permutation))
    Constants().run(library, "dimmer_transpose_s8", record, arena)
    np.testing.assert_array_equal(arena.read(to, result), reference(file, values))
