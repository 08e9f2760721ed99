# SPDX-License-Identifier: Apache-2.0
"""Deliverables: firmware, C and the modes' files side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.pipeline.artifacts.places import built_folder
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.reporting.features import feature_texts

if TYPE_CHECKING:
    from dimmer.pipeline.artifacts.build import BuildContext


_DELIVERED = ("firmware.*", "firmware_*.bin", "dimmer_*.[ch]")


def publish(context: BuildContext) -> list[Path]:
    """Put firmware, generated C and the modes' files side by side into ``build/<model>/<target>``; gives the files."""
    delivered = []
    made = built_folder(context.build_dir, context.target)
    for pattern in _DELIVERED:
        for path in sorted(made.glob(pattern)):
            if path.name != "firmware.json":
                delivered.append(_copy(path, context.target_dir / path.name))
    for name, text in feature_texts(context).items():
        atomic_write(context.target_dir / name, text.encode())
        delivered.append(context.target_dir / name)
    modes = context.target_dir / "modes"
    names = set()
    for stage, suffix in (("export", ".onnx"), ("convert", ".tflite")):
        for path in sorted((context.build_dir / stage).glob(f"*{suffix}")):
            if not path.name.endswith(".float.tflite"):
                delivered.append(_copy(path, modes / path.name))
                names.add(path.name)
    for path in modes.iterdir():
        if path.suffix in (".onnx", ".tflite") and path.name not in names:
            path.unlink()
    return delivered


def _copy(source: Path, destination: Path) -> Path:
    if atomic_write(destination, source.read_bytes()):
        destination.chmod(destination.stat().st_mode | source.stat().st_mode & 0o111)
    return destination
