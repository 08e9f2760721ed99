# SPDX-License-Identifier: Apache-2.0
"""What TVM and the bundle stage leave, and where it lies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.firmware import PolicyTier, Verification
from dimmer.pipeline.core.documents import load_document, parse_document, save_document

RESULT = "bundle.json"
MANIFEST = "manifest.json"
PROGRAMS = ("bin/dimmer-run", "bin/dimmer-check")
"""Of a bundle; they must be executable."""
NEEDED = (
    "install.sh",
    "dimmer.service",
    *PROGRAMS,
    "lib/VERSION",
    "lib/dimmer_modes.so",
    "lib/libtvm_ffi.so",
    "lib/libtvm_runtime.so",
    "weights.bin",
    "selftest/inputs.i8",
)
"""Without which no bundle is installed and runs."""
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


def is_name(text: str) -> bool:
    """Whether install.sh takes it as a model or a version, which are names of folders on the board."""
    return _NAME.fullmatch(text) is not None


def module_folder(build: Path, target: str) -> Path:
    """Where TVM's modules lie, under ``build/<model>``."""
    return build / target / "tvm_module"


def tuning_folder(build: Path, target: str) -> Path:
    """Where `pipeline.tvm_tune` keeps its database."""
    return build / "tuning" / target


def bundle_stage_folder(build: Path, target: str) -> Path:
    """Where the stage leaves the bundle and bundle.json."""
    return build / target / "bundle"


def bundle_folder(build: Path, target: str) -> Path:
    """The bundle itself."""
    return bundle_stage_folder(build, target) / build.name


@dataclass(frozen=True)
class BundleBytes:
    """Bytes on the board's disk.

    Attributes:
        library: the modes for the processor.
        gpu_library: the modes for the GPU, kernels included; 0 for none.
        runtime: TVM's.
        total: of every file.
    """

    weights: int
    library: int
    gpu_library: int
    runtime: int
    program: int
    total: int


@dataclass(frozen=True)
class BundledMode:
    """One mode and what its self-test found."""

    name: str
    verify: Verification


@dataclass(frozen=True)
class Bundle:
    """The content of bundle.json.

    Attributes:
        version: another one for another content.
        architecture: as `uname -m` says it.
        tvm: the version that compiled the modes.
        notes: place of a figure -> how it was come by.
    """

    version: str
    architecture: str
    tvm: str
    bytes: BundleBytes
    modes: tuple[BundledMode, ...]
    policy: tuple[PolicyTier, ...]
    notes: Mapping[str, str] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write bundle.json."""
        save_document(folder / RESULT, self)

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """Read it.

        Raises:
            DimmerError: it is missing or damaged.
        """
        return load_document(cls, folder / RESULT)


@dataclass(frozen=True)
class ManifestTensor:
    """Input or output of every mode: int8, with what its codes mean; `size` in bytes."""

    shape: tuple[int, ...]
    size: int
    scale: float
    zero_point: int


@dataclass(frozen=True)
class ManifestMode:
    """A mode's files, relative to the bundle.

    Attributes:
        expected: outputs of the self-test.
        onnx: the mode for TensorRT.
    """

    name: str
    expected: str
    onnx: str


@dataclass(frozen=True)
class ManifestSelfTest:
    """Inputs of the self-test: a file, relative to the bundle, and how many there are."""

    inputs: str
    samples: int


@dataclass(frozen=True)
class Manifest:
    """A bundle's manifest.json: what it is, for programs; targets/jetson reads it on the board.

    Attributes:
        gpu: architecture of the GPU that it has code for, such as "sm_87"; None for none.
        files: name relative to the bundle -> sha256, of every other file.
    """

    model: str
    version: str
    architecture: str
    tvm: str
    gpu: str | None
    weights_bytes: int
    input: ManifestTensor
    output: ManifestTensor
    modes: tuple[ManifestMode, ...]
    self_test: ManifestSelfTest
    files: Mapping[str, str]

    def save(self, bundle: Path) -> None:
        """Write manifest.json into a bundle."""
        save_document(bundle / MANIFEST, self, indent=2)

    @classmethod
    def load(cls, bundle: Path) -> Manifest:
        """Read it.

        Raises:
            DimmerError: there is no bundle, or its manifest is damaged.
        """
        try:
            return parse_document(cls, (bundle / MANIFEST).read_text())
        except (OSError, ValueError) as error:
            raise DimmerError(f"{bundle} is no bundle ({error}): build it with dimmer build") from error
