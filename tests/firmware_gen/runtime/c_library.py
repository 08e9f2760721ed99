# SPDX-License-Identifier: Apache-2.0
"""Compiles the runtime for the tests and calls it from Python."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dimmer.firmware_gen.library import INCLUDE, kernel_sources
from dimmer.firmware_gen.variants import features_of
from dimmer.pipeline.core.debian import missing_tools, named_tools
from dimmer.targets.kit.toolchain import compile_objects

# Every warning that the house style names.
STRICT = (
    "-std=c99",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wshadow",
    "-Wcast-align",
    "-Wundef",
    "-Werror",
)
# A trap needs no run-time library inside Python, and a test that ends in a crash has failed loudly enough.
UNDEFINED_TRAPS = ("-fsanitize=undefined", "-fsanitize-undefined-trap-on-error")
SANITIZED = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
# Preconditions are checked: on the host with a word of what is broken, on boards by a trap.
ASSERTING = (f'-DDIMMER_CONFIG="{Path(__file__).with_name("asserting.h")}"',)
TRAPPING = {"DIMMER_ASSERT(condition)": "((condition) ? (void)0 : __builtin_trap())"}

ALIGN = 16
GUARD = 64
GUARD_BYTE = 0xA5


def kernels_of(core: str) -> list[Path]:
    """The kernels that a core can run: the portable ones, and those of its instruction set."""
    features = features_of(core)
    room = "helium" if "mve" in features else "dsp" if "dsp" in features else "words"
    # Helium's cores have the DSP instructions as well.
    rooms = {"portable", room, *(("dsp",) if "dsp" in features else ())}
    return [path for path in kernel_sources() if path.parent.name in rooms]


def compiler(name: str) -> str:
    """Skips the test where there is no such compiler, or no sanitizers for it."""
    if missing := missing_tools(named_tools([name])):
        pytest.skip(f"needs sudo apt-get install {' '.join(sorted(missing.values()))}")
    return str(shutil.which(name))


def compile_c(command: str, sources: Sequence[Path], output: Path, *flags: str) -> Path:
    """Compiles and links, or only compiles with -c. Each source by itself, so that ccache knows it from other tests."""
    words = [compiler(command), *STRICT, *flags, f"-I{INCLUDE}"]
    if "-c" in flags:
        inputs = list(sources)
    else:
        objects = output.with_name(f"{output.name}.objects")
        objects.mkdir(parents=True)
        inputs = compile_objects([word for word in words if word != "-shared"], sources, objects, output.parent)
    result = subprocess.run([*words, *map(str, inputs), "-o", str(output)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return output


def output_of(*command: str | Path) -> str:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout


def load_library(folder: Path, sources: Sequence[Path]) -> ctypes.CDLL:
    return ctypes.CDLL(
        str(compile_c("gcc", sources, folder / "library.so", "-shared", "-fPIC", *UNDEFINED_TRAPS, *ASSERTING))
    )


class Tensor(ctypes.Structure):
    _fields_ = (
        ("offset", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("scale", ctypes.c_float),
        ("zero_point", ctypes.c_int16),
        ("type", ctypes.c_uint8),
        ("reserved", ctypes.c_uint8),
    )


class Dims(ctypes.Structure):
    _fields_ = (
        ("arena_size", ctypes.c_uint32),
        ("weights_size", ctypes.c_uint32),
        ("param_count", ctypes.c_uint32),
        ("shift_count", ctypes.c_uint32),
        ("record_bytes", ctypes.c_uint32),
        ("names_size", ctypes.c_uint32),
        ("kernel_count", ctypes.c_uint16),
        ("step_count", ctypes.c_uint16),
        ("block_count", ctypes.c_uint16),
        ("mode_count", ctypes.c_uint16),
        ("position_count", ctypes.c_uint16),
        ("gate_count", ctypes.c_uint8),
        ("gate_stages", ctypes.c_uint8),
        ("input", Tensor),
        ("output", Tensor),
    )


class Tier(ctypes.Structure):
    _fields_ = (
        ("min_charge_permille", ctypes.c_uint16),
        ("min_millivolts", ctypes.c_uint16),
        ("mode", ctypes.c_uint8),
        ("level", ctypes.c_uint8),
    )


class Policy(ctypes.Structure):
    _fields_ = (
        ("dwell_s", ctypes.c_uint32),
        ("hysteresis_permille", ctypes.c_uint16),
        ("hysteresis_millivolts", ctypes.c_uint16),
        ("full_millivolts", ctypes.c_uint16),
        ("stale_s", ctypes.c_uint16),
        ("stale_inferences", ctypes.c_uint16),
        ("tier_count", ctypes.c_uint8),
        ("safe_mode", ctypes.c_uint8),
        ("tiers", Tier * 8),
    )


class Model(ctypes.Structure):
    _fields_ = (
        ("magic", ctypes.c_uint32),
        ("abi", ctypes.c_uint32),
        ("dims_crc", ctypes.c_uint32),
        ("crc", ctypes.c_uint32),
        ("name", ctypes.c_char_p),
        ("weights", ctypes.c_void_p),
        ("params", ctypes.c_void_p),
        ("shifts", ctypes.c_void_p),
        ("steps", ctypes.c_void_p),
        ("blocks", ctypes.c_void_p),
        ("schedules", ctypes.c_void_p),
        ("kernels", ctypes.c_void_p * 2),
        ("modes", ctypes.c_void_p * 2),
        ("gates", ctypes.c_void_p),
        ("plan", ctypes.c_void_p),
        ("dims", Dims),
        ("policy", Policy),
        ("again", ctypes.c_void_p * 13),
        ("dims_again", Dims),
    )


class Arena:
    """An aligned arena whose buffers have guard bytes between them."""

    def __init__(self, size: int = 1 << 18) -> None:
        memory = np.full(size + ALIGN, GUARD_BYTE, dtype=np.uint8)
        skip = -memory.ctypes.data % ALIGN
        self.memory = memory[skip : skip + size]
        self._used = 0
        self._owned = np.zeros(size, dtype=bool)

    def place(self, size: int, content: np.ndarray | None = None) -> int:
        """Reserves `size` bytes and returns their offset."""
        offset = self._used
        self._used = -(-(offset + size + GUARD) // ALIGN) * ALIGN
        assert self._used <= self.memory.size, "the test needs a larger arena"
        self._owned[offset : offset + size] = True
        if content is not None:
            assert content.nbytes == size
            self.memory[offset : offset + size] = content.reshape(-1).view(np.uint8)
        return offset

    def read(self, offset: int, shape: Sequence[int], dtype: type[np.generic] = np.int8) -> np.ndarray:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return self.memory[offset : offset + size].view(dtype).reshape(shape).copy()

    def check_guards(self) -> None:
        assert (self.memory[~self._owned] == GUARD_BYTE).all(), "a kernel wrote outside its buffers"


class Constants:
    """The tables that a record points into."""

    def __init__(self) -> None:
        self.weights = bytearray()
        self.params: list[int] = []
        self.shifts: list[int] = []

    def add_weights(self, values: np.ndarray) -> int:
        offset = len(self.weights)
        self.weights += values.astype(np.int8).tobytes()
        return offset

    def add_params(self, values: Sequence[int] | np.ndarray) -> int:
        index = len(self.params)
        self.params += [int(value) for value in values]
        return index

    def add_shifts(self, values: Sequence[int]) -> int:
        index = len(self.shifts)
        self.shifts += [int(value) for value in values]
        return index

    def run(self, library: ctypes.CDLL, kernel: str, record: bytes, arena: Arena) -> None:
        """Calls a kernel, and checks that it wrote inside its buffers only."""
        weights = np.frombuffer(bytes(self.weights) or b"\0", dtype=np.int8)
        params = np.array(self.params or [0], dtype=np.int64).astype(np.int32)
        shifts = np.array(self.shifts or [0], dtype=np.int8)
        model = Model(weights=weights.ctypes.data, params=params.ctypes.data, shifts=shifts.ctypes.data)
        function = getattr(library, kernel)
        function.restype = None
        # A record lies at a multiple of 4 in flash.
        words = np.frombuffer(record, dtype=np.uint32).copy()
        function(ctypes.byref(model), ctypes.c_void_p(words.ctypes.data), ctypes.c_void_p(arena.memory.ctypes.data))
        arena.check_guards()
