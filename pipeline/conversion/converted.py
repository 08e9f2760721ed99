# SPDX-License-Identifier: Apache-2.0
"""Every published mode as an int8 `.tflite`, all with the same weights."""

from __future__ import annotations

from pathlib import Path

from dimmer.pipeline.artifacts.calibration import Calibration
from dimmer.pipeline.artifacts.converted import Converted, ConvertedMode
from dimmer.pipeline.artifacts.exported import Exported
from dimmer.pipeline.conversion.float_model import float_models
from dimmer.pipeline.conversion.narrow import narrowed
from dimmer.pipeline.conversion.quantise import named, quantise
from dimmer.pipeline.conversion.recognise import recognise
from dimmer.pipeline.core.progress import Progress
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.sites import boundaries, positions


def convert(calibration: Calibration, source: Path, out: Path, progress: Progress) -> None:
    """Writes `<mode>.tflite` of every published mode and `modes.json` into `out`.

    Raises:
        DimmerError: the conversion failed, or the graph is not the network's.
        FirmwareGenError: the weights of two modes differ; the message names the layer.
    """
    from dimmer.firmware_gen.memory.weights import check_shared_weights

    names = calibration.published
    progress(f"onnx2tf, {len(names)} modes", 0.0)
    float_models([source / f"{name}.onnx" for name in names], out)
    entries = []
    for done, name in enumerate(names):
        progress(f"{name}.tflite", 0.8 + 0.2 * done / len(names))
        model = out / f"{name}.float.tflite"
        exported = Exported.load(source, name)
        sites = recognise(model, exported.sites)
        converted = quantise(model, sites, calibration.ranges(name))
        content = named(converted, sites, list(exported.sites))
        if exported.narrow.layers:
            content = narrowed(content, exported.narrow)
        (out / f"{name}.tflite").write_bytes(content)
        model.unlink()
        entries.append(ConvertedMode(name, f"{name}.tflite", boundaries(Mode.parse(name))))
    check_shared_weights({name: out / f"{name}.tflite" for name in names})
    schedule = tuple(position.name for position in positions(Mode.parse(names[0])))
    Converted(schedule, tuple(entries)).save(out)
