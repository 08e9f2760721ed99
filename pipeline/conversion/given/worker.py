# SPDX-License-Identifier: Apache-2.0
"""Float files made int8, in a process of its own: interpreter and converters are C++ and may end it.

`make_float` and `make_int8` start it; what goes wrong in it is one line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dimmer import children
from dimmer.errors import DimmerError
from dimmer.pipeline.core.stage import ROOT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FLOAT = "network.float.tflite"
"""In the folder that both work in: the network before it is quantised."""
VERIFIED = 100
"""So many samples are kept as the int8 file takes them, for the firmware to be compared on."""
FEWEST_COMPARED, MOST_COMPARED = 20, 500
_WORK = 200_000_000
"""Elements of activations that the reference kernels compute for the comparison, about."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples of somebody's data, each input of a network in its place.

    Attributes:
        calibrate: inputs that ranges are chosen by: float32[N,...] for each input of the network.
        compare: inputs that the cost is measured on.
        labels: int64[N], of those to compare; None without.
        apart: whether no sample is in both.
        data: name of the file or folder that they are from.
    """

    calibrate: tuple[NDArray[np.float32], ...]
    compare: tuple[NDArray[np.float32], ...]
    labels: NDArray[np.int64] | None
    apart: bool
    data: str


def make_float(path: Path, kind: str, folder: Path) -> None:
    """Writes FLOAT into the folder, unless an interrupted run has.

    Raises:
        DimmerError: the file cannot be converted.
    """
    if not (folder / FLOAT).is_file():
        _work(path.name, "float", str(path.resolve()), kind, str(folder.resolve()))


def make_int8(samples: Samples, source: str, name: str, folder: Path) -> None:
    """Quantises the folder's FLOAT; writes `<name>.tflite`, quantised.json and inputs.bin beside it.

    Raises:
        DimmerError: the network cannot be quantised.
    """
    import numpy as np

    with children.scratch() as given:
        for part, arrays in (("calibrate", samples.calibrate), ("compare", samples.compare)):
            for number, array in enumerate(arrays):
                np.save(given / f"{part}{number}.npy", array)
        if samples.labels is not None:
            np.save(given / "labels.npy", samples.labels)
        words = (str(given), str(folder.resolve()), source, name, samples.data, str(samples.apart))
        _work(source, "int8", *words)


def _work(source: str, what: str, *words: str) -> None:
    with children.scratch() as work, (work / "log").open("w+") as log:
        command = [sys.executable, "-m", "dimmer.pipeline.conversion.given.worker", str(work), what, *words]
        with children.started(command, cwd=ROOT, stdout=log, stderr=log) as process:
            status = process.wait()
        if status:
            reason = work / children.REASON
            why = reason.read_text() if reason.is_file() else f"the converter {children.how_it_ended(status)}"
            raise DimmerError(why if why.startswith(source) else f"{source}: {why}")


def _float(path: str, kind: str, folder: str) -> None:
    from dimmer.pipeline.conversion.given.plain import plain
    from dimmer.pipeline.conversion.given.to_float import float_tflite
    from dimmer.pipeline.core.stage import atomic_write

    with children.scratch() as work:
        content = float_tflite(Path(path), kind, work)
    atomic_write(Path(folder) / FLOAT, plain(content, Path(path).name))


def _int8(given: str, folder: str, source: str, name: str, data: str, apart: str) -> None:
    import numpy as np

    from dimmer.pipeline.artifacts.quantised import INPUTS, Quantised
    from dimmer.pipeline.conversion.given.compared import cost_of, int8_outputs, joined, quantised_inputs
    from dimmer.pipeline.conversion.given.observed import FloatNetwork
    from dimmer.pipeline.conversion.given.ranges import chosen_ranges
    from dimmer.pipeline.conversion.quantise import quantise

    def rows(part: str) -> list[list[NDArray[np.float32]]]:
        files = sorted(Path(given).glob(f"{part}[0-9]*.npy"), key=lambda path: int(path.stem.removeprefix(part)))
        return [list(row) for row in zip(*(np.load(path) for path in files), strict=True)]

    out = Path(folder)
    network = FloatNetwork((out / FLOAT).read_bytes())
    calibrate, compare = rows("calibrate"), rows("compare")
    compare = compare[: int(np.clip(_WORK // max(1, network.elements), FEWEST_COMPARED, MOST_COMPARED))]
    ranges = chosen_ranges(network, calibrate)
    of_tensor = {tensor: (chosen.low, chosen.high) for chosen in ranges for tensor in chosen.tensors}
    content = quantise(out / FLOAT, {tensor: tensor for tensor in of_tensor}, of_tensor)
    inputs = quantised_inputs(content, compare)
    labels = np.load(Path(given) / "labels.npy")[: len(compare)] if (Path(given) / "labels.npy").is_file() else None
    cost = cost_of(network.outputs(compare), int8_outputs(content, inputs), labels, apart == str(True))
    kept = inputs[:VERIFIED]
    (out / f"{name}.tflite").write_bytes(content)
    (out / INPUTS).write_bytes(joined(kept))
    made = Quantised(source, f"{name}.tflite", data, len(calibrate), len(kept), tuple(ranges), cost)
    made.save(out)


if __name__ == "__main__":
    folder, what, *words = children.worker_arguments("worker", "quantises float files for pipeline.firmware")
    does: dict[str, Callable[..., None]] = {"float": _float, "int8": _int8}
    with children.worker(Path(folder)):
        does[what](*words)
