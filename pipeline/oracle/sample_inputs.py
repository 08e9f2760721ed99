# SPDX-License-Identifier: Apache-2.0
"""Inputs to compare a firmware with the interpreter on, where a model comes without a data set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dimmer.errors import DimmerError
from dimmer.firmware_gen.graph.options import Cast, Gather, Unjoin
from dimmer.firmware_gen.graph.types import DType, Graph, Quantize, Reshape, Softmax, Tensor
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.oracle.interpreter import OracleFailure, OracleJob, run_oracle

SEED = 1
EQUALS = 512
"""Classes of equal probability from which on the interpreter's SOFTMAX stops."""
FEWEST = 32
"""Samples of each kind of which some are to give indexes that exist."""


def sample_inputs(path: Path, count: int) -> bytes:
    """`count` random and `count` edge inputs for a model, one after the other.

    Edge inputs: both ends of the codes, the zero point, checkerboards, ramps, then sparse, constant, two-valued and
    single-outlier ones. Those of an input that GATHER takes for indexes are indexes: the interpreter stops at others.
    Those of a float input that is quantised are within what the interpreter's own cast can take.

    Raises:
        DimmerError: GATHER takes what is computed for indexes, and for no sample they all lie within.
    """
    graph = read_tflite(path)
    computed, wanted = _computes_indexes(graph), count
    # Many of them may be of no use.
    count = max(count, FEWEST) if computed else count
    limits, largest = index_limits(graph), float_limits(graph)
    if graph.inputs:
        rows = [
            _samples(part.tensor, count, SEED + number, limits.get(part.offset), largest.get(part.offset))
            for number, part in enumerate(graph.inputs)
        ]
        order = sorted(range(len(rows)), key=lambda place: graph.inputs[place].offset)
        samples = [b"".join(rows[place][sample] for place in order) for sample in range(2 * count)]
    else:
        samples = _samples(graph.tensors[graph.input], count, SEED, limits.get(0), largest.get(0))
    if computed:
        samples, why = answered(path, samples)
        if why:
            raise DimmerError(
                f"{path}: GATHER takes what is computed for indexes, and of {2 * count} samples none gives indexes "
                f"that exist ({why}): have the network keep them within (MAXIMUM and MINIMUM before it)"
            )
        samples = samples[:wanted] + samples[count : count + wanted]
    elif any(isinstance(o.options, Softmax) and graph.tensors[o.output].shape[-1] >= EQUALS for o in graph.operators):
        samples, _ = answered(path, samples)
    return b"".join(samples)


def index_limits(graph: Graph) -> dict[int, int]:
    """How many values an index has, of each input whose elements are indexes of GATHER, by the input's offset."""
    limits: dict[int, int] = {}
    for operator in graph.operators:
        if isinstance(operator.options, Gather) and (offset := _end_of(graph, operator.inputs[1])) is not None:
            depth = graph.tensors[operator.inputs[0]].shape[operator.options.axis]
            limits[offset] = min(depth, limits.get(offset, depth))
    return limits


def float_limits(graph: Graph) -> dict[int, float]:
    """Up to which size the numbers of a float input may be, of each that QUANTIZE takes, by the input's offset.

    Beyond 2^31 steps of its scale the interpreter casts a float to an integer that cannot hold it, of which the result
    depends on the processor.
    """
    limits: dict[int, float] = {}
    for operator in graph.operators:
        source, output = operator.inputs[0] if operator.inputs else -1, graph.tensors[operator.output]
        if isinstance(operator.options, Quantize) and graph.tensors[source].dtype is DType.FLOAT32:
            offset = _end_of(graph, source)
            if offset is not None:
                limits[offset] = min(2.0**30 * output.q.scale, limits.get(offset, np.inf))
    return limits


def _end_of(graph: Graph, place: int) -> int | None:
    """The offset of the input that a tensor has the numbers of, in whatever shape; None where it has none's."""
    makers = {operator.output: operator for operator in graph.operators}
    while place != graph.input:
        maker = makers.get(place)
        if maker is None:
            return None
        if isinstance(maker.options, Unjoin):
            return maker.options.offset
        whole = all(graph.tensors[each].dtype is not DType.FLOAT32 for each in (place, *maker.inputs))
        if not isinstance(maker.options, Reshape) and not (isinstance(maker.options, Cast) and whole):
            return None
        place = maker.inputs[0]
    return 0


def _computes_indexes(graph: Graph) -> bool:
    """Whether GATHER takes for indexes what is neither constant nor an input."""
    return any(
        isinstance(operator.options, Gather)
        and not graph.tensors[operator.inputs[1]].constant
        and _end_of(graph, operator.inputs[1]) is None
        for operator in graph.operators
    )


def answered(path: Path, samples: Sequence[bytes]) -> tuple[list[bytes], str]:
    """The samples, those on which the interpreter stops replaced by some of the others; and why it stops, where it does
    at all of them, which are left as they are then.

    Its SOFTMAX does where 512 classes or more are all about as likely, as they are of an input of one value.
    """
    answers = run_oracle([OracleJob(path, sample) for sample in samples])
    good = [sample for sample, answer in zip(samples, answers, strict=True) if not isinstance(answer, OracleFailure)]
    if not good:
        return list(samples), next((answer.reason for answer in answers if isinstance(answer, OracleFailure)), "")
    replaced = [
        good[place % len(good)] if isinstance(answer, OracleFailure) else sample
        for place, (sample, answer) in enumerate(zip(samples, answers, strict=True))
    ]
    return replaced, ""


def _samples(tensor: Tensor, count: int, seed: int, limit: int | None, largest: float | None) -> list[bytes]:
    random = np.random.default_rng(seed)
    size = tensor.elements
    if tensor.dtype is DType.FLOAT32:
        values = (0.0, 1.0, -1.0, 255.0, -128.0, 1e-9, 1e5, -1e5)
        edges = [np.full(size, values[n % len(values)]) * (1 + n // len(values)) for n in range(count)]
        rows = [random.normal(0, 2.0 ** random.integers(-3, 8), size) for _ in range(count)]
        end = np.inf if largest is None else largest
        return [np.clip(row, -end, end).astype("<f4").tobytes() for row in (*edges, *rows)]
    if tensor.dtype is DType.INT16:
        return _wide_samples(random, size, count, limit)
    if tensor.dtype is DType.INT32:
        return _whole_samples(random, size, count, limit)
    if tensor.dtype is DType.BOOL:
        flags: list[np.ndarray[Any, np.dtype[Any]]] = [np.zeros(size), np.ones(size)]
        flags += [np.arange(size) % 2, 1 - np.arange(size) % 2]
        while len(flags) < 2 * count:
            flags.append(random.random(size) < random.random())
        return [np.asarray(row).astype(np.uint8).tobytes() for row in flags[: 2 * count]]
    zero_point = tensor.q.zero_point & 0xFF
    low, high = (0x80, 0x7F) if tensor.dtype is DType.INT8 else (0, 255)
    board = np.indices(tensor.shape).sum(axis=0).reshape(-1) % 2
    codes = [
        np.full(size, low),
        np.full(size, high),
        np.full(size, zero_point),
        np.where(board, low, high),
        np.where(board, high, low),
        np.arange(size),
    ]
    while len(codes) < count:
        kind = len(codes) % 4
        row = np.full(size, random.integers(0, 256))
        if kind == 0:
            row = np.full(size, zero_point)
            row[random.integers(0, size, size // 50 + 1)] = random.integers(0, 256, size // 50 + 1)
        elif kind == 1:
            row = np.where(random.random(size) < random.random(), low, high)
        elif kind == 2:
            row = np.full(size, random.choice([low, high, zero_point]))
            row[random.integers(0, size)] = random.choice([low, high])
        codes.append(row)
    codes = codes[:count] + [random.integers(0, 256, size) for _ in range(count)]
    if limit is not None:
        codes = [row % min(limit, 128 if tensor.dtype is DType.INT8 else 256) for row in codes]
    return [np.asarray(row).astype(np.uint8).tobytes() for row in codes]


def _whole_samples(random: np.random.Generator, size: int, count: int, limit: int | None) -> list[bytes]:
    """Of int32: both ends, small numbers, ramps; then random ones of all sizes, or below a limit."""
    edges = [np.full(size, value) for value in (0, 1, -1, 2**31 - 1, -(2**31), 127, 128, -129, 255, 256, 65536)]
    edges += [np.arange(size), -np.arange(size), np.arange(size) % 2]
    while len(edges) < count:
        edges.append(random.integers(-(2 ** int(random.integers(1, 31))), 2 ** int(random.integers(1, 31)), size))
    rows = [random.integers(-(2**31), 2**31, size) >> random.integers(0, 31, size) for _ in range(count)]
    found = [np.asarray(row) for row in (*edges[:count], *rows)]
    return [(row if limit is None else row % limit).astype("<i4").tobytes() for row in found]


def _wide_samples(random: np.random.Generator, size: int, count: int, limit: int | None) -> list[bytes]:
    """Of int16: both ends, zero, ramps, two values at random; then random ones of several sizes, or below a limit."""
    edges = [np.full(size, value) for value in (-(2**15), 2**15 - 1, 0, 1)]
    edges += [np.arange(size) * 257, np.where(np.arange(size) % 2, -(2**15), 2**15 - 1)]
    while len(edges) < count:
        edges.append(np.where(random.random(size) < random.random(), random.integers(-(2**15), 2**15), 0))
    rows = [random.integers(-(2**15), 2**15, size) >> int(random.integers(0, 9)) for _ in range(count)]
    found = [np.asarray(row) for row in (*edges[:count], *rows)]
    return [(row if limit is None else row % min(limit, 2**15)).astype("<u2").tobytes() for row in found]
