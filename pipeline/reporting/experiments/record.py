# SPDX-License-Identifier: Apache-2.0
"""What a run leaves: one arm of a table, trained with one seed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.training_record import RunId
from dimmer.pipeline.core.documents import parse_document
from dimmer.pipeline.core.stage import Json

RUN = "run.json"


@dataclass(frozen=True)
class NetRecord:
    """A network of a run: its super-net, its base-net, a depth pattern between them, or one of them at a narrow width.

    Attributes:
        mode: its name.
        macs: multiply-accumulates of an inference.
        val: percent of the validation images.
        test: percent of the test images, measured once.
        recalibrated: whether norm statistics of its own served better on validation images; those of `val` and `test`.
        val_as_trained: percent of the validation images with the statistics of the training.
        right: which test images it gets right, as bits, the first one the highest of the first byte, in base 64.
    """

    mode: str
    macs: int
    val: float
    test: float
    recalibrated: bool
    val_as_trained: float
    right: str


@dataclass(frozen=True)
class RunRecord:
    """A finished run.

    Attributes:
        arm: its name in the table.
        seed: of weights, order and augmentation.
        run: what the training is known by; another one is another run.
        nets: "super", "base", or another mode -> what it reaches; "super" alone of a network trained alone.
        test_images: how many.
        parameters: of the network.
        seconds: of all epochs, those of the teacher and of the arm that it began with left out.
        device: "cpu", or the names of GPUs.
        versions: of Python, torch and Dimmer.
        after: name of the arm with whose network it began; "" where there was none.
    """

    arm: str
    seed: int
    run: RunId
    nets: Mapping[str, NetRecord]
    test_images: int
    parameters: int
    seconds: float
    device: str
    versions: Mapping[str, str]
    after: str = ""

    def to_json(self) -> dict[str, Json]:
        """As it is written."""
        found: dict[str, Json] = asdict(self)
        return found | {"run": self.run.to_json()}

    def right(self, net: str) -> NDArray[np.float64]:
        """float64[test images], 1 where this network is right."""
        return unpacked(self.nets[net].right, self.test_images)


def packed(right: NDArray[np.bool_]) -> str:
    """bool[N] as a text."""
    return base64.b64encode(np.packbits(right).tobytes()).decode()


def unpacked(text: str, count: int) -> NDArray[np.float64]:
    """What `packed` packed, as float64[count] of 0 and 1."""
    bits = np.unpackbits(np.frombuffer(base64.b64decode(text), np.uint8))[:count]
    return bits.astype(np.float64)


def read_run(path: Path) -> RunRecord | None:
    """The record in a file; None where there is no file.

    Raises:
        DimmerError: it is no record of a run.
    """
    if not path.is_file():
        return None
    try:
        return parse_document(RunRecord, path.read_text())
    except (OSError, ValueError) as error:
        raise DimmerError(f"{path} is no record of a run ({error}); remove it and run the table again") from error
