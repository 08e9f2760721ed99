# SPDX-License-Identifier: Apache-2.0
"""A model that runs on this machine, bit for bit as on a device."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.hosted.library import GATED, Library
from dimmer.pipeline.hosted.parts import (
    RANGES,
    HostedPart,
    accepted,
    apart,
    array,
    by_name,
    coded,
    dequantised,
    in_samples,
    joined,
    numbers,
    quantised,
    sample_shape,
    single,
)

Tensor = NDArray[Any]
GATED_NAME = "gated"


class Model:
    """One instance of a model: its modes, its arena, its place in the battery policy.

    Calls of one instance from several threads run one after the other; instances (`dimmer.load` again) run side by
    side.

    Attributes:
        name: of the model.
        modes: names, the most expensive first; then "gated" where gates can choose each block's bits.
        positions: places between which the mode may change: of one input `schedule` names a mode for each.
        input_shape, output_shape: of one inference, such as (1, 32, 32, 3).
        input_dtype, output_dtype: "int8"; "uint8" or "float32" for models that convert themselves, "int32" or
            "bool" for those that count or decide.
        input_scale, output_scale: real value of one code; 0 for float32.
        input_zero_point, output_zero_point: code of the real value 0.
        inputs, outputs: of a model of several, each with its name, shape, type, scale, zero point and place; those
            above are then of the buffer that holds all of them, in bytes. Nothing of a model of one.
    """

    def __init__(
        self,
        library: Library,
        input_shape: tuple[int, ...],
        output_shape: tuple[int, ...],
        inputs: tuple[HostedPart, ...] = (),
        outputs: tuple[HostedPart, ...] = (),
    ) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._input, self._output = library.input, library.output
        self.name = library.name
        self.modes = (*library.modes, GATED_NAME) if library.gated_blocks else library.modes
        self.positions = library.positions
        self.input_shape, self.output_shape = input_shape, output_shape
        self.inputs, self.outputs = inputs, outputs
        self.input_dtype, self.output_dtype = self._input.dtype, self._output.dtype
        self.input_scale, self.output_scale = self._input.scale, self._output.scale
        self.input_zero_point, self.output_zero_point = self._input.zero_point, self._output.zero_point

    def __repr__(self) -> str:
        return f"<dimmer model {self.name}: {', '.join(self.modes)}>"

    def __reduce__(self) -> NoReturn:
        """A model is one process's and one instance: copies and pickles of it there are none."""
        raise TypeError(
            f"model {self.name} can be neither copied nor pickled: give the path to the other process, or to the copy, "
            "and dimmer.load it there"
        )

    @property
    def mode(self) -> str:
        """The mode in force: the first one after loading, then what was set or what the battery policy chose."""
        with self._lock:
            return self._name(self._library.mode)

    @mode.setter
    def mode(self, name: str) -> None:
        with self._lock:
            self._library.mode = self._id(name)

    def run(
        self,
        x: Tensor | Sequence[Any],
        mode: str | None = None,
        *,
        schedule: Sequence[str] | None = None,
        level: int | None = None,
        dequantise: bool = False,
    ) -> Tensor:
        """Runs one inference, or one for each input of a batch.

        Args:
            x: `input_shape`, or a batch [N, *input_shape[1:]]. Codes in the model's own type, or floating-point
                values, which become codes as `quantise` does it.
            mode: for this call alone; the mode in force where None.
            schedule: instead of a mode, one for each of `positions`: the mode changes within the inference.
            level: of the gates' budget, 0..255, for this call alone: 255 is the 8-bit super-net's cost, every 51
                less halve it.
            dequantise: whether the output becomes float32 values.

        Returns:
            `output_shape`, or for a batch [N, *output_shape[1:]]; codes in the model's own type unless `dequantise`.

        Raises:
            DimmerError: there is no such mode, or `x` is of another shape or type.
        """
        wanted = self._wanted(mode, schedule)
        given = array(x, f"{self.name}: the input")
        codes = self._codes(given)
        outputs = np.empty((len(codes), *self.output_shape), self.output_dtype)
        with self._lock:
            plan = [self._library.mode] * self.positions if wanted is None else wanted
            before = self._library.level
            if level is not None:
                self._library.level = self._level(level, plan)
            try:
                self._library.run(plan, codes.ctypes.data, outputs.ctypes.data, len(codes))
            finally:
                self._library.level = before
        if given.shape == self.input_shape:
            outputs = outputs[0]
        elif len(self.output_shape) > 1 and self.output_shape[0] == 1:
            outputs = outputs.reshape(len(codes), *self.output_shape[1:])
        return self.dequantise(outputs) if dequantise else outputs

    def run_named(
        self, given: Mapping[str, ArrayLike], mode: str | None = None, *, dequantise: bool = False
    ) -> dict[str, Tensor]:
        """Runs one inference, or one for each sample of a batch, of a model of several inputs or outputs.

        Args:
            given: an array for each of `inputs`, by its name: its shape, or a batch [N, *shape[1:]]; codes in its own
                type, or floating-point values in the units of its scale; `codes` makes them of what training data
                has. "input" is the name of the only one.
            mode: as of `run`.
            dequantise: whether outputs become float32 values.

        Returns:
            An array for each of `outputs`, by its name; "output" is that of the only one. Of a batch [N, *shape[1:]],
            of a single inference without the N.

        Raises:
            DimmerError: there is no such mode, or an input is missing, unknown, or of another shape or type.
        """
        if self.inputs:
            buffer, alone = joined(self.name, self.inputs, given)
        else:
            if set(by_name(self.name, given)) != {"input"}:
                raise DimmerError(f"{self.name} has one input: give it the name 'input'")
            x = array(given["input"], f"{self.name}: the input")
            buffer, alone = self._codes(x), x.shape == self.input_shape
        rest = self.input_shape[1:] if len(self.input_shape) > 1 else self.input_shape
        made = self.run(buffer.reshape(-1, *rest), mode)
        if not self.outputs:
            made = made.reshape(len(buffer), *sample_shape(self.output_shape))
            found = {"output": self.dequantise(made) if dequantise else made}
        else:
            found = apart(self.outputs, made.reshape(len(buffer), math.prod(self.output_shape)), dequantise=dequantise)
        return {name: value[0] for name, value in found.items()} if alone else found

    def codes(self, given: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.int8]]:
        """What training data has as codes for `run_named`, as in training and by `..._input_code_<number>` of the C.

        Args:
            given: of some of `inputs` an array [N, ...] of samples, as training data has it: measured values in their
                unit, or uint8 codes.

        Returns:
            Of each int8[N, *shape[1:]].

        Raises:
            DimmerError: a name is unknown, an array is of another shape or type, or the model has one input.
        """
        if not self.inputs:
            raise DimmerError(f"{self.name} has one input: its codes are made by quantise, or by the header's function")
        return coded(self.name, self.inputs, given)

    def quantise(self, x: Tensor | Sequence[Any]) -> Tensor:
        """Real values as codes of the input: to the nearest, halves away from zero, saturating.

        Raises:
            DimmerError: a value is not a number, or the input has whole numbers or bool and no scale.
        """
        x = array(x, f"{self.name}: the input")
        if self.input_dtype == "float32" and x.dtype.kind in "fiub":
            return single(x)
        if self.inputs:
            raise DimmerError(f"{self.name} has several inputs: give values by their names to run_named")
        if self.input_dtype not in RANGES:
            raise DimmerError(f"{self.name}: the input is {x.dtype}: give {self._accepted}")
        return quantised(x, self.input_dtype, self.input_scale, self.input_zero_point, f"{self.name}: the input")

    def dequantise(self, codes: Tensor | Sequence[Any]) -> NDArray[np.float32]:
        """Codes of the output as real values.

        Raises:
            DimmerError: they are no numbers.
        """
        whose = f"{self.name}: the output"
        return dequantised(numbers(array(codes, whose), whose), self.output_scale, self.output_zero_point)

    def report_battery(self, *, charge_permille: int, millivolts: int, time_s: int, harvest_ua: int = 0) -> str:
        """Tells the battery policy how the battery is.

        Args:
            charge_permille: 0..1000.
            millivolts: of the cell, under load.
            time_s: seconds since any fixed moment.
            harvest_ua: current harvested, microamps.

        Returns:
            The mode in force from now on.

        Raises:
            DimmerError: the model has no policy, or a number is out of range.
        """
        if not self._library.tiers:
            raise DimmerError(
                f"{self.name} has no battery policy: models of several modes have one, built from a recipe or loaded "
                "from several .tflite files"
            )
        limits = {"charge_permille": 1000, "millivolts": 0xFFFF, "time_s": 0xFFFFFFFF, "harvest_ua": 0xFFFFFFFF}
        numbers = {
            "time_s": time_s,
            "charge_permille": charge_permille,
            "millivolts": millivolts,
            "harvest_ua": harvest_ua,
        }
        for key, value in numbers.items():
            if not (isinstance(value, int | np.integer) and 0 <= value <= limits[key]):
                raise DimmerError(f"{key} = {value!r}: must be a whole number, 0 to {limits[key]}")
        with self._lock:
            self._library.report_battery(*(int(value) for value in numbers.values()))
            return self._name(self._library.mode)

    @property
    def ran(self) -> tuple[str, ...]:
        """The mode that each position ran in in the last inference; of a gated one see `bits`."""
        with self._lock:
            return tuple(self._name(mode) for mode in self._library.ran())

    @property
    def bits(self) -> tuple[int | None, ...]:
        """The bits that the gates gave each block in the last inference; None of one that they did not choose."""
        with self._lock:
            return tuple(None if bits == GATED else bits for bits in self._library.bits())

    def _name(self, mode: int) -> str:
        return GATED_NAME if mode == GATED else self._library.modes[mode]

    def _id(self, name: str) -> int:
        if not isinstance(name, str) or name not in self.modes:
            raise DimmerError(f"{self.name} has no mode {name!r}; it has: {', '.join(self.modes)}")
        number = self.modes.index(name)
        return number if number < len(self._library.modes) else GATED

    def _wanted(self, mode: str | None, schedule: Sequence[str] | None) -> list[int] | None:
        if schedule is None:
            return None if mode is None else [self._id(mode)] * self.positions
        if mode is not None:
            raise DimmerError("a mode and a schedule were given: name one of them")
        if not isinstance(schedule, Iterable):
            raise DimmerError(f"a schedule names modes, such as [{self.modes[0]!r}, ...]; it is {schedule!r}")
        names = [schedule] if isinstance(schedule, str) else list(schedule)
        if len(names) != self.positions:
            raise DimmerError(f"the schedule names {len(names)} modes, {self.name} has {self.positions} positions")
        wanted = [self._id(name) for name in names]
        if GATED in wanted:
            raise DimmerError(f"'{GATED_NAME}' is a mode of whole inferences: give it as mode, not in a schedule")
        return wanted

    def _level(self, level: int, plan: Sequence[int]) -> int:
        if GATED not in plan:
            raise DimmerError(f"a level is the budget of gates: give it with mode='{GATED_NAME}'")
        if not (isinstance(level, int | np.integer) and 0 <= level <= 255):
            raise DimmerError(f"level = {level!r}: must be a whole number, 0 to 255")
        return int(level)

    @property
    def _accepted(self) -> str:
        return accepted(self.input_dtype, self.input_scale, self.input_zero_point)

    def _codes(self, x: Tensor) -> Tensor:
        one = self.input_shape
        rest = one[1:] if len(one) > 1 else one
        if x.shape != one and x.shape[1:] != rest:
            raise DimmerError(
                f"{self.name}: the input has shape {_shape(x.shape)}, expected {_shape(one)}, or a batch "
                f"{_shape(('N', *rest))}"
            )
        if np.issubdtype(x.dtype, np.floating):
            x = self.quantise(x)
        elif x.dtype != self.input_dtype:
            raise DimmerError(f"{self.name}: the input is {x.dtype}: give {self._accepted}")
        return in_samples(x, one, f"{self.name}: the input")


def _shape(sizes: Sequence[object]) -> str:
    return f"[{','.join(map(str, sizes))}]"
