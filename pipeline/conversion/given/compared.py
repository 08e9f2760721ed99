# SPDX-License-Identifier: Apache-2.0
"""What quantising costs: the outputs of an int8 `.tflite` against those of the float one that it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dimmer.pipeline.artifacts.quantised import Cost
from dimmer.pipeline.conversion.given.observed import Sample, interpreter_of, run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dimmer.pipeline.conversion.given.observed import Floats

_INTEGERS = {np.dtype(np.int8): (-128, 127), np.dtype(np.uint8): (0, 255), np.dtype(np.int16): (-32768, 32767)}


def quantised_inputs(content: bytes, samples: Sequence[Sample]) -> list[list[NDArray[Any]]]:
    """The samples in the types of a file's inputs: codes where these are integers."""
    details = interpreter_of(content, reference=True).get_input_details()
    return [[_codes(values, source) for values, source in zip(sample, details, strict=True)] for sample in samples]


def _codes(values: Floats, source: Any) -> NDArray[Any]:
    dtype = np.dtype(source["dtype"])
    if dtype not in _INTEGERS:
        return values.astype(dtype)
    scale, zero_point = source["quantization"]
    codes: NDArray[Any] = np.clip(np.rint(values / scale) + zero_point, *_INTEGERS[dtype]).astype(dtype)
    return codes


def joined(inputs: Sequence[Sequence[NDArray[Any]]]) -> bytes:
    """Samples as a firmware takes them: those of one inference as `firmware_gen.graph.types.joined` lays them out."""
    rows = [sorted(row, key=lambda part: -part.dtype.itemsize) for row in inputs]
    return b"".join(part.tobytes() for row in rows for part in row)


def int8_outputs(content: bytes, inputs: Sequence[Sequence[NDArray[Any]]]) -> list[list[Floats]]:
    """What the reference kernels make of each sample, as real numbers."""
    interpreter = interpreter_of(content, reference=True)
    details = interpreter.get_output_details()
    return [
        [_values(values, result) for values, result in zip(run(interpreter, row), details, strict=True)]
        for row in inputs
    ]


def _values(values: NDArray[Any], result: Any) -> Floats:
    if values.dtype not in _INTEGERS:
        return values.astype(np.float32)
    scale, zero_point = result["quantization"]
    real: Floats = ((values.astype(np.float32) - zero_point) * scale).astype(np.float32)
    return real


def cost_of(
    exact: Sequence[Sequence[Floats]],
    found: Sequence[Sequence[Floats]],
    labels: NDArray[np.int64] | None,
    apart: bool,
) -> Cost:
    """How far outputs are from float ones.

    Args:
        labels: int64[N], the class of each sample; counted where a network has one output with a number for each.
        apart: whether the samples are others than those that ranges were chosen by.
    """
    wanted = np.stack([np.concatenate([part.reshape(-1) for part in row]) for row in exact]).astype(np.float64)
    given = np.stack([np.concatenate([part.reshape(-1) for part in row]) for row in found]).astype(np.float64)
    error = given - wanted
    noise, signal = float((error**2).mean()), float((wanted**2).mean())
    several = len(exact[0]) == 1 and wanted.shape[1] > 1
    best, now = wanted.argmax(1), given.argmax(1)
    told = several and labels is not None and labels.min() >= 0 and labels.max() < wanted.shape[1]
    return Cost(
        samples=len(exact),
        apart=apart,
        sqnr_db=float(10 * np.log10((signal + 1e-30) / (noise + 1e-30))),
        mean_error=float(np.abs(error).mean()),
        largest_error=float(np.abs(error).max()),
        agreement=float((best == now).mean()) if several else None,
        accuracy_float=float((best == labels).mean()) if told else None,
        accuracy=float((now == labels).mean()) if told else None,
    )
