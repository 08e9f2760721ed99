# SPDX-License-Identifier: Apache-2.0
"""Traces of the MLPerf Tiny benchmark's energy runs, of its rounds v0.7 to v1.2 and v1.3."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from dimmer.pipeline.energy.measurement.trace import Trace, Window, broken

MARK = b"\xf1"
"""The first byte of trace1-energy.bin."""
_SUFFIX, _TIMES = "-energy.bin", "-timestamps.json"


def read_monitor(path: Path, inferences: int | None) -> Trace:
    """The energy monitor's trace of v0.7 to v1.2: a byte 0xF1, samples a second and microjoules of each, as float32.

    The file beside it, <name>-timestamps.json, has the seconds of falling edges: behind the first one, two each begin
    and end a window.

    Args:
        inferences: in each window, as the run's results.txt says.

    Raises:
        DimmerError: a file is missing or broken, or nobody says how many inferences a window has.
    """
    data = _bytes(path)
    if data[:1] != MARK or len(data) < 9 or (len(data) - 5) % 4:
        raise broken(path, "it is no energy trace of MLPerf Tiny: it begins with 0xF1 and holds whole float32 numbers")
    (rate,) = struct.unpack("<f", data[1:5])
    if not 0 < rate < 1e7:
        raise broken(path, f"{rate:g} samples a second cannot be")
    times = path.with_name(path.name.removesuffix(_SUFFIX) + _TIMES)
    if not path.name.endswith(_SUFFIX) or not times.is_file():
        raise broken(path, f"the seconds of its windows are missing: put {times.name} beside it")
    if inferences is None:
        raise broken(path, "how many inferences a window has stands in results.txt: give it with --per-window")
    edges = _json(times)
    if not isinstance(edges, list) or not all(_number(edge) for edge in edges) or edges != sorted(edges):
        raise broken(times, "it is no list of rising seconds")
    joules = np.frombuffer(data[5:], "<f4").astype(np.float64)
    pairs = zip(edges[1::2], edges[2::2], strict=False)
    windows = [Window(round(start * rate), round(stop * rate), inferences) for start, stop in pairs]
    if not windows or windows[-1].stop > len(joules):
        raise broken(times, f"its windows are not those of a trace of {len(joules) / rate:g} s")
    return Trace("MLPerf Tiny, v0.7 to v1.2", 1 / rate, milliwatts=joules * rate / 1000, windows=tuple(windows))


_RATE = 1000.0
"""Samples a second of v1.3, whose timestamps count milliseconds."""


def read_runner(path: Path) -> Trace:
    """The results.json of v1.3: for each input samples in joules, a millisecond each, and the edges around its run.

    The last two edges are those of the measured run; the first of three marks the warm-up.

    Raises:
        DimmerError: the file is broken, or no run in it was measured.
    """
    runs = _json(path)
    parts: list[np.ndarray] = []
    windows: list[Window] = []
    volts: list[float] = []
    length = 0
    for number, run in enumerate(runs if isinstance(runs, list) else [], start=1):
        try:
            power, inferences = run["power"], run["infer"]["iterations"]
            samples = np.asarray(power["samples"], np.float64)
            edges = [int(edge) for _, edge in power["timestamps"]]
            volts += [float(power["voltage"])] if power.get("voltage") else []
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise broken(path, f"input {number} has no power samples, timestamps and iterations") from error
        if samples.ndim != 1 or not isinstance(inferences, int) or not _number(inferences) or inferences < 1:
            raise broken(path, f"input {number} has no list of samples, or no iterations")
        if len(edges) < 2:
            continue
        start, stop = edges[-2:]
        if not 0 <= start < stop <= len(samples):
            raise broken(path, f"input {number}: its run from {start} to {stop} ms is not in {len(samples)} samples")
        windows.append(Window(length + start, length + stop, inferences))
        parts.append(samples)
        length += len(samples)
    if not windows:
        raise broken(path, "no input of it has power samples with two timestamps: it is no energy run of v1.3")
    milliwatts = np.concatenate(parts) * 1000 * _RATE
    mean = 1000 * sum(volts) / len(volts) if volts else None
    return Trace("MLPerf Tiny, v1.3", 1 / _RATE, milliwatts=milliwatts, millivolts=mean, windows=tuple(windows))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise broken(path, f"cannot be read: {error.strerror}") from error


def _json(path: Path) -> Any:
    try:
        return json.loads(_bytes(path))
    except (ValueError, RecursionError) as error:
        raise broken(path, "it is no JSON") from error


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9
