# SPDX-License-Identifier: Apache-2.0
"""Runs a generated front end on a target: bytes in, bytes out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from _pytest.mark import ParameterSet

from dimmer.firmware_gen.features.detector import ActivitySpec, DetectorSpec
from dimmer.firmware_gen.features.emit import FrontEnd, feature_files
from dimmer.firmware_gen.features.image import ImageTables
from dimmer.firmware_gen.features.sensor import SensorTables
from dimmer.firmware_gen.library import INCLUDE, feature_sources
from dimmer.targets import Target, load_target
from tests.boards import EVERY_TARGET
from tests.firmware_gen.runtime.c_library import TRAPPING

WANTED = ("host", "mps2-an385-v6m", "mps2-an386", "mps3-an547", "riscv-virt")
"""This machine, M0+, M4, M55 and RV32."""
TARGETS = [param for param in EVERY_TARGET if param.values[0] in WANTED]


def on_all(first: str, *others: str, by_default: Sequence[str] = WANTED) -> list[ParameterSet]:
    """Pairs of a front end and a target.

    Args:
        by_default: targets on which the first one runs that is not slow; the others do so on this machine alone.
    """
    found = []
    for front in (first, *others):
        for param in TARGETS:
            quick = param.values[0] in (by_default if front == first else ("host",))
            slow = () if quick else (pytest.mark.slow,)
            found.append(pytest.param(front, *param.values, marks=(*param.marks, *slow)))
    return found


FEW = ("host", "mps2-an385-v6m")
"""For what was compiled for all of them: the core whose arithmetic is another one."""
PROGRAM = Path(__file__).with_name("features_test.c")


def build(
    target: Target,
    folder: Path,
    front: FrontEnd | None,
    detector: DetectorSpec | None = None,
    activity: ActivitySpec | None = None,
) -> Path:
    """The test's program for a front end, or for a detector and a gate."""
    folder.mkdir(exist_ok=True)
    for name, text in feature_files("tested", front, detector, activity).items():
        (folder / name).write_text(text)
    kind = "TEST_AUDIO"
    if isinstance(front, ImageTables):
        spec = front.spec
        kind = f"TEST_IMAGE {spec.to_width * spec.to_height * spec.channels}"
    elif isinstance(front, SensorTables):
        kind = "TEST_SENSOR"
    elif detector is not None:
        kind = f"TEST_CLASSES {len(detector.thresholds)}"
    # Not for the compiler: the library's objects are those of every front end.
    (folder / "tested.h").write_text(f"#define {kind}\n")
    sources = [PROGRAM, folder / "dimmer_tested_features.c", *feature_sources()]
    return target.compile(sources, [INCLUDE, folder], folder / "built", TRAPPING)


def run(target: Target, elf: Path, data: npt.NDArray[np.generic], piece: int) -> bytes:
    """What the program makes of `data`."""
    folder = elf.parent
    (folder / "in").write_bytes(data.tobytes())
    done = target.run(elf, ["in", "out", str(piece)], folder)
    assert done.returncode == 0, done.stdout
    return (folder / "out").read_bytes()


def made(name: str, folder: Path, front: FrontEnd, data: npt.NDArray[np.generic], piece: int) -> bytes:
    """`build` and `run` on a target of this name."""
    target = load_target(name)
    return run(target, build(target, folder, front), data, piece)
