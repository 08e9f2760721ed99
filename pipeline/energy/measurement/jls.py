# SPDX-License-Identifier: Apache-2.0
"""Recordings of Joulescopes, JLS version 2; what is in them tells pyjls, of the extra `measure`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from dimmer.pipeline.core.extras import require_packages
from dimmer.pipeline.energy.measurement.trace import Levels, Samples, Trace, broken

MARK = b"jlsfmt\r\n"
"""The first bytes of such a file."""
_FSR = 0
"""A signal that has a sample at each instant of its rate."""


def read_jls(path: Path) -> Trace:
    """Current, voltage and power as far as they were recorded, and the inputs.

    Raises:
        DimmerError: pyjls is missing, the file is broken, or holds neither current nor power.
    """
    require_packages(["pyjls"], "measure")
    import pyjls

    try:
        with pyjls.Reader(str(path)) as reader:
            return _trace(path, reader)
    except (RuntimeError, OSError, ValueError, KeyError) as error:
        raise broken(path, f"pyjls cannot read it: {' '.join(str(error).split())[:120]}") from error


def _trace(path: Path, reader: Any) -> Trace:
    signals = {
        signal.name.lower(): signal
        for signal in reader.signals.values()
        if signal.signal_type == _FSR and signal.length > 0
    }
    known = {name: signals[name] for name in ("current", "voltage", "power") if name in signals}
    if not {"current", "power"} & set(known):
        names = ", ".join(sorted(signals)) or "nothing"
        raise broken(path, f"it holds {names}: record current or power")
    rate = max(signal.sample_rate for signal in known.values())
    length = min(signal.length for signal in known.values() if signal.sample_rate == rate)

    def samples(name: str) -> Samples | None:
        signal = known.get(name)
        if signal is None or signal.sample_rate != rate:
            return None
        return np.asarray(reader.fsr(signal.signal_id, 0, length), np.float64)

    current, volts, power = samples("current"), samples("voltage"), samples("power")
    if power is None and current is not None and volts is not None:
        power = current * volts
    mean = None if volts is None else 1000 * float(volts.mean())
    return Trace(
        "Joulescope JLS",
        1 / rate,
        None if power is None else 1000 * power,
        None if current is None else 1000 * current,
        mean,
        _pins(reader, signals, rate, length),
    )


def _pins(reader: Any, signals: dict[str, Any], rate: int, length: int) -> Levels | None:
    """The general purpose inputs, named input 0 to 3 or gpi[0] to gpi[3], in their order."""
    named = sorted(name for name in signals if name.startswith(("input", "gpi")) and name != "gpi")
    columns = []
    for name in named:
        signal = signals[name]
        if signal.sample_rate == rate and signal.length >= length:
            packed = np.asarray(reader.fsr(signal.signal_id, 0, length))
            bits = np.unpackbits(packed, bitorder="little")[:length] if len(packed) < length else packed
            columns.append(bits > 0)
    return np.stack(columns, axis=1) if columns else None
