# SPDX-License-Identifier: Apache-2.0
"""What pip brings for which road, and a plain word where it did not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, requires, version

from dimmer.errors import DimmerError

DISTRIBUTION = "dimmer-nn"
EXTRAS: Mapping[str, str] = {
    "": "a .tflite to C",
    "train": "training and conversion",
    "data": "data of your own: images, recordings, Parquet",
    "tvm": "Linux boards (TVM)",
    "rtl": "RISC-V cores simulated from their RTL",
    "simulate": "fleets of devices simulated, with solar harvest and Dask",
    "npu": "Ethos-U (Vela)",
    "measure": "Joulescope's recordings (JLS)",
    "boards": "boards that one can hold in his hand: their twins, flash tools",
    "sign": "models signed for slots of a device's flash",
    "dev": "tests and lint",
    "docs": "the documentation",
}
"""Name of an extra of the distribution, empty for what it always needs -> the road that it opens."""

_NEEDED = {
    "torch": "train",
    "safetensors": "train",
    "mlxtend": "train",
    "onnx": "train",
    "onnxruntime": "train",
    "onnx2tf": "train",
    "tensorflow": "train",
    "ai_edge_quantizer": "train",
    "tvm": "tvm",
    "tvm_ffi": "tvm",
    "PIL": "data",
    "scipy": "data",
    "pyarrow": "data",
    "pvlib": "simulate",
    "distributed": "simulate",
    "pyjls": "measure",
    "unicorn": "boards",
    "cryptography": "sign",
    "ethosu": "npu",
}


def missing_distributions(extra: str) -> list[str]:
    """Names of the distributions of an extra that are not installed; Dimmer's own where that is not."""
    return missing_packages(_distributions(extra))


def missing_packages(names: Iterable[str]) -> list[str]:
    """Those of some distributions that are not installed."""
    return [name for name in names if not _is_installed(name)]


def require_packages(names: Iterable[str], extra: str) -> None:
    """Make sure that the distributions are installed which an extra brings.

    Raises:
        DimmerError: one is not; the message holds the line to type.
    """
    if missing := missing_packages(names):
        raise DimmerError(f"{', '.join(missing)} not installed: type pip install '{DISTRIBUTION}[{extra}]'")


def require_extra(extra: str) -> None:
    """As require_packages, of all that an extra brings; nothing where Dimmer itself is not installed, which would tell.

    Raises:
        DimmerError: something is missing; the message holds the line to type.
    """
    if _is_installed(DISTRIBUTION):
        require_packages(_distributions(extra), extra)


def explain(error: ModuleNotFoundError) -> DimmerError | None:
    """What to type where a package is missing that one of the extras brings; None for any other."""
    extra = _NEEDED.get((error.name or "").split(".")[0])
    if extra is None:
        return None
    return DimmerError(f"{error.name} is not installed: type pip install '{DISTRIBUTION}[{extra}]' for {EXTRAS[extra]}")


def _distributions(extra: str) -> list[str]:
    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return [DISTRIBUTION]
    found: list[str] = []
    for line in lines:
        wanted = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", line)
        if (wanted.group(1) if wanted else "") == extra:
            found.append(re.split(r"[^A-Za-z0-9_.-]", line, maxsplit=1)[0])
    return found


def _is_installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False
