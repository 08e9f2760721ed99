# SPDX-License-Identifier: Apache-2.0
"""What TVM compiled of the modes, as bundles read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ModuleMode:
    """A mode as TVM compiled it.

    Attributes:
        function: in the library.
        weights: indexes into Modules.weights, in the order of the function's parameters behind the input.
        onnx: the same mode with its scales as QuantizeLinear and DequantizeLinear.
    """

    name: str
    function: str
    weights: tuple[int, ...]
    onnx: Path


@dataclass(frozen=True)
class GpuCode:
    """The same modes for a GPU.

    Attributes:
        library: what runs on the processor of it: function a mode, as in Modules.library.
        code: the kernels, as the GPU's machine code.
        architecture: "sm_87".
    """

    library: Path
    code: Path
    architecture: str


@dataclass(frozen=True)
class Modules:
    """A library of modes and their one set of weights.

    Attributes:
        modes: the most expensive first.
        gpu: the same for the GPU, on the same weights, where the target has one.
    """

    library: Path
    weights_file: Path
    tvm_version: str
    input: TableTensor
    output: TableTensor
    modes: tuple[ModuleMode, ...]
    weights: tuple[TableWeight, ...]
    gpu: GpuCode | None = None


@dataclass(frozen=True)
class SelfTest:
    """Inputs, one after the other, and the outputs of the reference interpreter for each mode."""

    samples: int
    inputs: bytes
    expected: Mapping[str, bytes]


DTYPE_CODES = {"int": 0, "uint": 1, "float": 2}  # DLPack's


@dataclass(frozen=True)
class TableTensor:
    """Input or output: int8, with what its codes mean."""

    shape: tuple[int, ...]
    scale: float
    zero_point: int

    @property
    def size(self) -> int:
        """Bytes."""
        size = 1
        for length in self.shape:
            size *= length
        return size


@dataclass(frozen=True)
class TableWeight:
    """A constant in the weights' file.

    Attributes:
        dtype: "int8", "int32" and the like.
        offset: bytes into the file.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int


def dtype_of(name: str) -> tuple[int, int]:
    """DLPack's code and bits of "int8", "float32" and so on.

    Raises:
        ValueError: it is none of these.

    Examples:
        >>> dtype_of("float32")
        (2, 32)
    """
    kind = name.rstrip("0123456789")
    bits = name[len(kind) :]
    if kind not in DTYPE_CODES or not bits:
        raise ValueError(f"unknown element type {name}")
    return DTYPE_CODES[kind], int(bits)
