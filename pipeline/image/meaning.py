# SPDX-License-Identifier: Apache-2.0
"""What a data set says of a model's input and output, for the generated headers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from dimmer.firmware_gen.emit.header import NOTHING
from dimmer.firmware_gen.emit.meaning import InputMeaning, Meaning, OutputMeaning
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.firmware_gen.read.tflite import read_tflite
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.given_back import limit_of
from dimmer.pipeline.data.own import ANOMALY, PYTHON, VALUES, WINDOWS, DataSection, OwnData
from dimmer.pipeline.data.registry import Source, dataset_modules, load_dataset
from dimmer.pipeline.data.scale import RowCodes
from dimmer.pipeline.oracle.interpreter import reference_outputs

if TYPE_CHECKING:
    from dimmer.pipeline.data.prepare import Facts


def meaning_of(source: Source, modes: Sequence[ModeSource]) -> Meaning:
    """Of data of one's own how values become codes; of known data sets, whose codes are pixels, nothing.

    Args:
        modes: the converted ones; of anomaly detectors their limits are found on validation.

    Raises:
        DimmerError: the data cannot be read, or the interpreter cannot run a mode.
    """
    if not isinstance(source, OwnData):
        return NOTHING
    section, facts = source.section, import_module(dataset_modules(source)[0]).prepared(source).facts
    scale = facts.scale
    if section.inputs or section.outputs:
        return _of_several(section, facts)
    return Meaning(
        channels=section.channels if section.kind in (WINDOWS, PYTHON) else (),
        offset=() if scale is None else scale.offset,
        step=() if scale is None else scale.step,
        units=section.units,
        mean=facts.mean,
        per_one=facts.tolerance,
        limits=_limits(source, modes) if section.task == ANOMALY else (),
    )


def _of_several(section: DataSection, facts: Facts) -> Meaning:
    """Of several inputs, or outputs, or both."""
    inputs = [
        InputMeaning(one.name, one.channels, *((scale.offset, scale.step) if scale is not None else ()))
        for one, scale in zip(section.inputs, facts.inputs, strict=True)
    ]
    outputs, done = [], 0
    for one in section.outputs:
        own = slice(done, done + one.elements) if one.task == VALUES else slice(0)
        done = own.stop or done
        outputs.append(OutputMeaning(one.name, one.classes, one.units, facts.mean[own], facts.tolerance[own]))
    if inputs:
        one_output = Meaning(units=section.units, mean=facts.mean, per_one=facts.tolerance)
        rest = NOTHING if outputs else one_output
        return replace(rest, inputs=tuple(inputs), outputs=tuple(outputs))
    scale = facts.scale
    return Meaning(
        channels=section.channels if section.kind in (WINDOWS, PYTHON) else (),
        offset=() if scale is None else scale.offset,
        step=() if scale is None else scale.step,
        outputs=tuple(outputs),
    )


def _limits(source: OwnData, modes: Sequence[ModeSource]) -> tuple[tuple[str, float], ...]:
    """Of each mode the error from which on a sample is an anomaly, as the stock interpreter computes it."""
    val = load_dataset(source).val
    graph = read_tflite(modes[0].path)
    output = graph.tensors[graph.output]
    found = []
    for mode in modes:
        said = np.frombuffer(reference_outputs(mode.path, to_int8(val.images).tobytes()), np.int8)
        values = float(output.q.scale) * (said.reshape(len(val), -1).astype(np.float64) - output.q.zero_point)
        found.append((mode.name, limit_of(values, val.labels)))
    return tuple(found)


def row_codes_of(source: Source) -> RowCodes | None:
    """What the codes of a front end's rows stand for, where the network was trained on them; else None.

    Raises:
        DimmerError: the data cannot be read.
    """
    if not isinstance(source, OwnData) or source.heard is None:
        return None
    found: RowCodes = import_module(dataset_modules(source)[0]).prepared(source).facts.rows
    return found


def encoding_of(source: Source, shape: tuple[int, int, int]) -> str:
    """How what the application has becomes the input, in a sentence."""
    height, width, channels = shape
    if isinstance(source, OwnData) and source.section.inputs:
        given = [
            f"{number}, {one.name}, [{']['.join(map(str, one.shape))}]"
            for number, one in enumerate(source.section.inputs)
        ]
        return (
            f"inputs {'; '.join(given)}: of measured values code = ..._input_code_<number>(value, channel) of the "
            "model's header, of uint8 codes code - 128"
        )
    if not isinstance(source, OwnData) or not _measured(source.section):
        return f"uint8 pixels [{height}][{width}][{channels}], code = pixel - 128"
    if source.heard is not None:
        return (
            f"int8 rows [{width}][{channels}] that the front end ..._features makes of 16-bit samples, "
            f"{source.section.rate} a second"
        )
    return (
        f"float values [{height}][{width}][{channels}], in the unit of the training data: code = ..._input_code(value, "
        "channel) of the model's header"
    )


def _measured(section: DataSection) -> bool:
    """Whether samples are values, not pixels."""
    return section.kind != "images"
