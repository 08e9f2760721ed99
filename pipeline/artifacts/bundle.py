"""Where TVM's modules and the bundle lie."""

from __future__ import annotations

from pathlib import Path


def module_folder(build: Path, target: str) -> Path:
    """Where `run` leaves the modules."""
    return build / target / "tvm_module"


def tuning_folder(build: Path, target: str) -> Path:
    """Where `pipeline.tvm_tune` keeps its database."""
    return build / "tuning" / target


RESULT = "bundle.json"


def stage_folder(build: Path, target: str) -> Path:
    """Where `run` leaves the bundle and bundle.json."""
    return build / target / "bundle"


def bundle_folder(build: Path, target: str) -> Path:
    """The bundle itself."""
    return stage_folder(build, target) / build.name
