"""What calibration leaves: modes, ranges, norm statistics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


STATISTICS = "statistics.safetensors"

RESULT = "calibration.json"


@dataclass(frozen=True)
class Calibration:
    """What the later stages read of a calibration.

    Attributes:
        folder: build/<model>/calibrate.
        contents: `calibration.json`.
    """

    folder: Path
    contents: Mapping[str, Any]

    @property
    def published(self) -> tuple[str, ...]:
        """Names of the published modes, the most expensive first: their order is their id on the device."""
        modes = [m for m in self.contents["modes"] if m["published"]]
        return tuple(m["name"] for m in sorted(modes, key=lambda m: -m["bit_operations"]))

    def mode(self, name: str) -> Mapping[str, Any]:
        """One mode's entry."""
        found: Mapping[str, Any] = next(m for m in self.contents["modes"] if m["name"] == name)
        return found

    def ranges(self, name: str) -> dict[str, tuple[float, float]]:
        """Site -> (low, high) of one mode."""
        groups = self.contents["groups"]
        return {
            site: (groups[entry["group"]]["low"], groups[entry["group"]]["high"])
            for site, entry in self.mode(name)["sites"].items()
        }

    def statistics(self, name: str) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Norm name -> (mean, variance) of a recalibrated mode; empty for the others."""
        from safetensors.torch import load_file

        saved = load_file(self.folder / STATISTICS)
        norms = {key.split("/")[1] for key in saved if key.startswith(f"{name}/")}
        return {norm: (saved[f"{name}/{norm}/mean"], saved[f"{name}/{norm}/var"]) for norm in sorted(norms)}


def load_calibration(folder: Path) -> Calibration:
    """Reads what `run` wrote."""
    return Calibration(folder, json.loads((folder / RESULT).read_text()))
