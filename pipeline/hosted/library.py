# SPDX-License-Identifier: Apache-2.0
"""The functions of a compiled model (`targets/library/library.c`) with their types."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dimmer.errors import DimmerError

VERSION = 1
"""Of library.c."""

ALIGN = 16
"""Bytes that an instance's memory starts at a multiple of: DIMMER_ARENA_ALIGN."""

GATED = 255
"""DIMMER_MODE_GATED."""

_U32, _I32, _U64 = ctypes.c_uint32, ctypes.c_int32, ctypes.c_uint64
_TEXT, _PLACE = ctypes.c_char_p, ctypes.c_void_p
_TYPES = ("int8", "uint8", "float32", "int16", "int32", "int64", "bool")

# Name -> its result, its arguments.
_FUNCTIONS = {
    "library_version": (_U32,),
    "library_bytes": (_U64,),
    "library_name": (_TEXT,),
    "library_modes": (_U32,),
    "library_positions": (_U32,),
    "library_gated_blocks": (_U32,),
    "library_tiers": (_U32,),
    "library_mode_name": (_TEXT, _U32),
    "library_size": (_U32, ctypes.c_int),
    "library_scale": (ctypes.c_float, ctypes.c_int),
    "library_zero_point": (_I32, ctypes.c_int),
    "library_type": (_U32, ctypes.c_int),
    "library_status_text": (_TEXT, _I32),
    "library_open": (_I32, _PLACE, _U64),
    "library_mode": (_U32, _PLACE),
    "library_set_mode": (_I32, _PLACE, _U32),
    "library_level": (_U32, _PLACE),
    "library_set_level": (None, _PLACE, _U32),
    "library_report_battery": (_I32, _PLACE, _U32, _U32, _U32, _U32),
    "library_run": (_I32, _PLACE, _TEXT, _PLACE, _PLACE, _U64),
    "library_ran": (_U32, _PLACE, _U32),
    "library_bits": (_U32, _PLACE, _U32),
}


@dataclass(frozen=True)
class End:
    """The input or the output of a model.

    Attributes:
        size: bytes.
        dtype: as numpy calls it, "int8" for most.
        scale: real value of one code; 0 where it has none, as float32.
        zero_point: code of 0.
    """

    size: int
    dtype: str
    scale: float
    zero_point: int


class Library:
    """A model's shared library, and one instance of the model in it.

    Raises:
        DimmerError: it cannot be loaded, or its model is damaged.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._library = ctypes.CDLL(str(path))
            for name, (result, *arguments) in _FUNCTIONS.items():
                function = getattr(self._library, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            raise DimmerError(f"{path} cannot be loaded ({error}): remove it and load the model again") from error
        call = self._library
        if call.library_version() != VERSION:
            raise DimmerError(f"{path} is of another version: remove it and load the model again")
        self.name: str = call.library_name().decode()
        self.modes = tuple(call.library_mode_name(mode).decode() for mode in range(call.library_modes()))
        self.positions: int = call.library_positions()
        self.gated_blocks: int = call.library_gated_blocks()
        self.tiers: int = call.library_tiers()
        self.input, self.output = (
            End(
                call.library_size(end),
                _TYPES[call.library_type(end)],
                call.library_scale(end),
                call.library_zero_point(end),
            )
            for end in (0, 1)
        )
        size = call.library_bytes()
        self._memory = ctypes.create_string_buffer(size + ALIGN)
        address = ctypes.addressof(self._memory)
        self._at = address + -address % ALIGN
        self._check(call.library_open(self._at, size))

    def _check(self, status: int) -> None:
        if status:
            raise DimmerError(f"{self.name}: {self._library.library_status_text(status).decode()}")

    @property
    def mode(self) -> int:
        """Of the next inference."""
        return int(self._library.library_mode(self._at))

    @mode.setter
    def mode(self, mode: int) -> None:
        self._check(self._library.library_set_mode(self._at, mode))

    @property
    def level(self) -> int:
        """The gates' budget, 0..255."""
        return int(self._library.library_level(self._at))

    @level.setter
    def level(self, level: int) -> None:
        self._library.library_set_level(self._at, level)

    def run(self, wanted: Sequence[int], inputs: int, outputs: int, count: int) -> None:
        """Runs inferences; inputs and outputs are addresses of `count` tensors each.

        Args:
            wanted: the mode at each position, or GATED at all of them.
        """
        self._check(self._library.library_run(self._at, bytes(wanted), inputs, outputs, count))

    def report_battery(self, time_s: int, charge_permille: int, millivolts: int, harvest_ua: int) -> None:
        """Gives the policy the state of the battery."""
        numbers = (time_s, charge_permille, millivolts, harvest_ua)
        self._check(self._library.library_report_battery(self._at, *numbers))

    def ran(self) -> tuple[int, ...]:
        """The mode at each position of the last inference."""
        return tuple(self._library.library_ran(self._at, position) for position in range(self.positions))

    def bits(self) -> tuple[int, ...]:
        """The bits of each gated block in the last inference; 255 of one that the gates did not run."""
        return tuple(self._library.library_bits(self._at, block) for block in range(self.gated_blocks))
