"""What verification leaves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dimmer.pipeline.artifacts.firmware import firmware_folder

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Int8 = npt.NDArray[np.int8]


RESULT = "verify.json"


def verify_folder(build: Path, target: str) -> Path:
    """Where `run` leaves its result."""
    return firmware_folder(build, target).parent / "verify"
