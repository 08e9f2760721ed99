# SPDX-License-Identifier: Apache-2.0
"""Traces with a known answer: inferences of 20 ms at 10 mA, every 100 ms, and 0.01 mA between them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dimmer.pipeline.energy.measurement.trace import Trace, Window

RATE, COUNT = 10_000, 5
LENGTH, PERIOD, FIRST = RATE // 50, RATE // 10, RATE // 50
ACTIVE_MA, IDLE_MA, VOLTS = 10.0, 0.01, 3.0
CHARGE_UC, ENERGY_UJ, SECONDS = 200.0, 600.0, 0.02


def high() -> NDArray[np.bool_]:
    """Whether each sample lies in an inference."""
    place = np.arange(COUNT * PERIOD) - FIRST
    return (place >= 0) & (place % PERIOD < LENGTH)


def current() -> NDArray[np.float64]:
    """Milliamperes of each sample."""
    return np.where(high(), ACTIVE_MA, IDLE_MA)


def windows() -> tuple[Window, ...]:
    """Where the inferences are."""
    starts = (FIRST + PERIOD * number for number in range(COUNT))
    return tuple(Window(start, start + LENGTH, 1) for start in starts)


def trace(pins: bool = False) -> Trace:
    """The whole trace, with an input 1 that is high during inferences."""
    levels = np.stack([~high(), high()], axis=1) if pins else None
    return Trace("a test", 1 / RATE, milliamperes=current(), pins=levels)


def ppk2(path: Path, digital: str) -> Path:
    """As Nordic's program exports it: `digital` is "D0-D7", "D0,D1,D2,D3,D4,D5,D6,D7", both or empty."""
    lines = ["Timestamp(ms),Current(uA)" + (f",{digital}" if digital else "")]
    for number, (milli, level) in enumerate(zip(current(), high(), strict=True)):
        bits = "01000000" if level else "10000000"
        inputs = "".join(f",{bits if name == 'D0-D7' else bits[int(name[1:])]}" for name in digital.split(",") if name)
        lines.append(f"{1000 * number / RATE:.3f},{1000 * milli:.3f}{inputs}")
    path.write_text("\n".join(lines) + "\n")
    return path


def joulescope(path: Path, header: str = "time,current,voltage,power") -> Path:
    """As Joulescope's program exports it; time, current, voltage and power in s, A, V and W."""
    lines = [header]
    for number, milli in enumerate(current()):
        lines.append(f"{number / RATE:.7f},{milli / 1000:.9f},{VOLTS},{VOLTS * milli / 1000:.9f}")
    path.write_text("\n".join(lines) + "\n")
    return path


def monitor(folder: Path, samples: NDArray[np.float64], edges: list[float], rate: float = 1000.0) -> Path:
    """As the energy monitor of MLPerf Tiny v0.7 to v1.2 writes it: microjoules a sample."""
    path = folder / "trace1-energy.bin"
    path.write_bytes(b"\xf1" + struct.pack("<f", rate) + samples.astype("<f4").tobytes())
    (folder / "trace1-timestamps.json").write_text(json.dumps(edges))
    return path
