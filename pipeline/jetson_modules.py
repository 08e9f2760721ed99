"""What TVM compiled of the modes, as a bundle takes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import DimmerError
from pipeline.jetson_bundle import ModuleMode, Modules
from pipeline.jetson_table import TableTensor, TableWeight
from targets import Target


def compile_modes(modes: Mapping[str, Path], target: Target, out: Path) -> Modules:
    """Compiles the modes' `.tflite` files for a target into ``out``.

    Args:
        modes: name -> file, the most expensive first.

    Raises:
        DimmerError: TVM is not installed, or a mode cannot be lowered.
    """
    from pipeline.jetson_relax import build_modules

    build_modules(dict(modes), target.name, out)
    return load_modules(out, list(modes))


def load_modules(folder: Path, names: list[str]) -> Modules:
    """What `pipeline.jetson_relax` left in a folder."""
    try:
        document: dict[str, Any] = json.loads((folder / "modules.json").read_text())
        entries: list[dict[str, Any]] = json.loads((folder / "weights.json").read_text())
        by_name = {mode["name"]: mode for mode in document["modes"]}
        return Modules(
            library=folder / "dimmer_modes.so",
            weights_file=folder / "weights.bin",
            tvm_version=document["tvm"],
            input=_tensor(document["input"]),
            output=_tensor(document["output"]),
            modes=tuple(
                ModuleMode(name, by_name[name]["function"], tuple(range(len(entries))), folder / f"{name}.onnx")
                for name in names
            ),
            weights=tuple(
                TableWeight(e["name"], e["dtype"], tuple(e["shape"]), e["offset"], e["size"]) for e in entries
            ),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DimmerError(f"{folder} holds no modules of TVM ({error!r}): build them again") from error


def _tensor(entry: Mapping[str, Any]) -> TableTensor:
    return TableTensor(tuple(entry["shape"]), entry["scale"], entry["zero_point"])
