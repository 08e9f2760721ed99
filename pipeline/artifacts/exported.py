# SPDX-License-Identifier: Apache-2.0
"""What export leaves beside a mode's ONNX file, for the conversion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.core.arrays import Int8
from dimmer.pipeline.networks.sites import NarrowTensor

Sites = Mapping[str, NDArray[np.float32]]
"""Site -> its value for one image, float32[1,C,H,W] or float32[1,C]; the image itself under "input"."""


def exported_folder(build: Path) -> Path:
    """Where the stage writes, under ``build/<model>``."""
    return build / "export"


@dataclass(frozen=True, eq=False)
class NarrowLayer:
    """Constants of one convolution at 4 or 2 bits.

    Attributes:
        codes: int8[O,H,W,I], -7..7, or -7, 0 and 7.
        scale: float64[O], real value of one step.
        bias: float64[O].
        reads: the site that it reads.
    """

    codes: Int8
    scale: NDArray[np.float64]
    bias: NDArray[np.float64]
    reads: str


@dataclass(frozen=True, eq=False)
class Narrow:
    """What is narrow in a mode, by site; nothing at 8 bits."""

    layers: Mapping[str, NarrowLayer] = field(default_factory=dict)
    tensors: Mapping[str, NarrowTensor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Exported:
    """One mode, beside its ONNX file.

    `<mode>.sites.npz` has an array a site. `<mode>.narrow.npz`, which modes of 8 bits do not have, has
    `<site>/codes`, `/scale`, `/bias` and `/reads` of every narrow convolution, and of every activation on a narrow
    grid `<site>/bits`, and `<site>/rounds`, the site that it copies, or "".

    Attributes:
        sites: of the mode before its activations are rounded to narrow widths.
    """

    sites: Sites
    narrow: Narrow

    def save(self, folder: Path, mode: str) -> None:
        """Write both files of a mode."""
        arrays: dict[str, NDArray[Any]] = {}
        for site, layer in self.narrow.layers.items():
            arrays[f"{site}/codes"], arrays[f"{site}/scale"] = layer.codes, layer.scale
            arrays[f"{site}/bias"], arrays[f"{site}/reads"] = layer.bias, np.array(layer.reads)
        for site, tensor in self.narrow.tensors.items():
            arrays[f"{site}/bits"] = np.array(tensor.bits)
            arrays[f"{site}/rounds"] = np.array(tensor.rounds or "")
        np.savez(folder / f"{mode}.sites.npz", **dict(self.sites))  # type: ignore[arg-type]
        if arrays:
            np.savez(folder / f"{mode}.narrow.npz", **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, folder: Path, mode: str) -> Exported:
        """Read them.

        Raises:
            DimmerError: a file is missing or damaged.
        """
        narrow = folder / f"{mode}.narrow.npz"
        sites = _arrays(folder / f"{mode}.sites.npz")
        return cls(sites, _narrow(narrow, _arrays(narrow)) if narrow.is_file() else Narrow())


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path) as archive:
            return dict(archive)
    except Exception as error:
        # Of a damaged archive numpy, zipfile and zlib raise whatever comes to them.
        raise DimmerError(f"{path} cannot be read ({error}): remove {path.parent} and build again") from error


def _narrow(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Narrow:
    def sites(field: str) -> list[str]:
        return [key.removesuffix(field) for key in arrays if key.endswith(field)]

    try:
        layers = {
            site: NarrowLayer(
                arrays[f"{site}/codes"], arrays[f"{site}/scale"], arrays[f"{site}/bias"], str(arrays[f"{site}/reads"])
            )
            for site in sites("/codes")
        }
        tensors = {
            site: NarrowTensor(int(arrays[f"{site}/bits"]), str(arrays[f"{site}/rounds"]) or None)
            for site in sites("/bits")
        }
    except (KeyError, TypeError, ValueError) as error:
        raise DimmerError(
            f"{path} lacks {error}, or has it in another form: remove {path.parent} and build again"
        ) from error
    return Narrow(layers, tensors)
