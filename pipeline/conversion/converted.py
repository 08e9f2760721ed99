"""Every published mode as an int8 `.tflite`, all with the same weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.converted import MODES
from dimmer.pipeline.conversion.float_model import float_models
from dimmer.pipeline.conversion.narrow import load_narrow, narrowed
from dimmer.pipeline.conversion.quantise import named, quantise
from dimmer.pipeline.conversion.recognise import recognise
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.core.stage import atomic_write
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.sites import boundaries, positions


def convert(calibration: Calibration, source: Path, out: Path, progress: Progress) -> None:
    """Writes `<mode>.tflite` of every published mode and `modes.json` into `out`.

    Raises:
        DimmerError: the conversion failed, or the graph is not the network's.
        FirmwareGenError: the weights of two modes differ; the message names the layer.
    """
    import numpy as np

    from dimmer.firmware_gen.memory.weights import check_shared_weights

    names = calibration.published
    progress(f"onnx2tf, {len(names)} modes", 0.0)
    float_models([source / f"{name}.onnx" for name in names], out)
    entries: list[dict[str, Any]] = []
    for done, name in enumerate(names):
        progress(f"{name}.tflite", 0.8 + 0.2 * done / len(names))
        model = out / f"{name}.float.tflite"
        with np.load(source / f"{name}.sites.npz") as archive:
            sites = recognise(model, dict(archive))
        converted = quantise(model, sites, calibration.ranges(name))
        content = named(converted, sites)
        narrow = source / f"{name}.narrow.npz"
        if narrow.is_file():
            with np.load(narrow) as archive:
                content = narrowed(content, load_narrow(dict(archive)))
        (out / f"{name}.tflite").write_bytes(content)
        model.unlink()
        entries.append({"name": name, "file": f"{name}.tflite", "boundaries": boundaries(Mode.parse(name))})
    check_shared_weights({name: out / f"{name}.tflite" for name in names})
    schedule = [position.name for position in positions(Mode.parse(names[0]))]
    contents: dict[str, Any] = {"positions": schedule, "modes": entries}
    atomic_write(out / MODES, json.dumps(contents, indent=1) + "\n")
