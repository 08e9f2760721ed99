# SPDX-License-Identifier: Apache-2.0
"""modules.json and weights.json: what TVM compiled of the modes, and what lies where in weights.bin."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.core.documents import parse_document, save_document
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.tvm.parts import GpuCode, ModuleMode, Modules, TableTensor, TableWeight

LIBRARY = "dimmer_modes.so"
GPU_LIBRARY, GPU_CODE = "dimmer_modes_cuda.so", "dimmer_modes.cubin"
WEIGHTS, WEIGHT_LIST, RESULT = "weights.bin", "weights.json", "modules.json"


@dataclass(frozen=True)
class GpuEntry:
    """The modes for a GPU, as `parts.GpuCode`; files by their names."""

    architecture: str
    library: str
    code: str


@dataclass(frozen=True)
class ModeEntry:
    """One mode, as `parts.ModuleMode`."""

    name: str
    function: str
    onnx: str


@dataclass(frozen=True)
class ModulesDocument:
    """The content of modules.json.

    Attributes:
        tvm: the version that compiled them.
        triple: of the machine that they are for.
        tuned: whether the tiles were measured.
        modes: the most expensive first.
    """

    tvm: str
    triple: str
    tuned: bool
    gpu: GpuEntry | None
    input: TableTensor
    output: TableTensor
    modes: tuple[ModeEntry, ...]

    def save(self, folder: Path) -> None:
        """Write modules.json."""
        save_document(folder / RESULT, self)

    @classmethod
    def load(cls, folder: Path) -> ModulesDocument:
        """Read it.

        Raises:
            OSError: there is none.
            ValueError: it is damaged.
        """
        return parse_document(cls, (folder / RESULT).read_text())


def save_weight_list(folder: Path, entries: Sequence[TableWeight]) -> None:
    """Write weights.json."""
    atomic_write(folder / WEIGHT_LIST, json.dumps([asdict(entry) for entry in entries], indent=1) + "\n")


def load_modules(folder: Path) -> Modules:
    """What `module.build_modules` left in a folder.

    Raises:
        DimmerError: there is nothing, or it is damaged.
    """
    try:
        document = ModulesDocument.load(folder)
        weights = parse_document(tuple[TableWeight, ...], (folder / WEIGHT_LIST).read_text())
    except (OSError, ValueError) as error:
        raise DimmerError(f"{folder} holds no modules of TVM ({error}): build them again") from error
    every = tuple(range(len(weights)))
    gpu = document.gpu
    return Modules(
        library=folder / LIBRARY,
        weights_file=folder / WEIGHTS,
        tvm_version=document.tvm,
        gpu=None if gpu is None else GpuCode(folder / gpu.library, folder / gpu.code, gpu.architecture),
        input=document.input,
        output=document.output,
        modes=tuple(ModuleMode(mode.name, mode.function, every, folder / mode.onnx) for mode in document.modes),
        weights=weights,
    )
