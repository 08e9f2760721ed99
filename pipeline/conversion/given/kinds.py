# SPDX-License-Identifier: Apache-2.0
"""What a file is in which somebody keeps a network."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from dimmer.errors import DimmerError
from dimmer.pipeline.core.extras import require_packages

TFLITE, ONNX, KERAS, SAVED_MODEL, PROGRAM = "tflite", "onnx", "keras", "saved model", "program"
_SUFFIXES = {".tflite": TFLITE, ".onnx": ONNX, ".keras": KERAS, ".h5": KERAS, ".pt2": PROGRAM}
_SAVED = "saved_model.pb"
_PACKAGES = {
    TFLITE: ("ai-edge-quantizer",),
    ONNX: ("onnx", "onnx2tf", "onnxruntime", "onnxsim", "tensorflow", "ai-edge-quantizer"),
    KERAS: ("tensorflow", "ai-edge-quantizer"),
    SAVED_MODEL: ("tensorflow", "ai-edge-quantizer"),
    PROGRAM: ("torch", "onnxscript", "onnx", "onnx2tf", "onnxruntime", "onnxsim", "tensorflow", "ai-edge-quantizer"),
}
_BEHIND = {KERAS: ("keras",), PROGRAM: ("onnxscript",)}
"""Packages that others import by themselves as they read a kind: no import of Dimmer's tells of them."""
NAMES = {
    TFLITE: "a .tflite file",
    ONNX: "an ONNX file",
    KERAS: "a Keras model",
    SAVED_MODEL: "a SavedModel",
    PROGRAM: "an exported PyTorch program",
}
"""Kind -> what people call it."""
CHANNELS_FIRST = (ONNX, PROGRAM)
"""Kinds whose inputs have the channels before height and width; in the `.tflite` they come last."""


def kind_of(path: Path) -> str:
    """Which of the kinds a file, or the folder of a SavedModel, is.

    Raises:
        DimmerError: it is not there, or none of them.
    """
    if path.is_dir():
        if (path / _SAVED).is_file():
            return SAVED_MODEL
        raise DimmerError(f"{path}: is a folder without {_SAVED}; name a network: {_known()}")
    if not path.exists():
        raise DimmerError(f"{path}: is not there; check the path")
    kind = _SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise DimmerError(f"{path.name}: ends in none of {_known()}")
    return kind


def is_other(path: Path) -> bool:
    """Whether it is a network, but no `.tflite`; what cannot be told is taken for one, whose reader says more."""
    return (path.is_dir() and (path / _SAVED).is_file()) or _SUFFIXES.get(path.suffix.lower(), TFLITE) != TFLITE


def require_converters(kind: str) -> None:
    """Makes sure that what quantises files of a kind is installed.

    Raises:
        DimmerError: it is not; the message holds the line to type.
    """
    require_packages(_PACKAGES[kind], "train")


def versions_behind(kind: str) -> dict[str, str]:
    """Package -> version, of those that decide what is read of a kind and that no import of Dimmer's tells of."""
    return {name: version(name) for name in _BEHIND.get(kind, ())}


def _known() -> str:
    return f"{', '.join(_SUFFIXES)}, or the folder of a SavedModel"
