"""Conversion: ONNX -> float .tflite -> int8 .tflite with our own ranges, one file a mode, all with the same weights.

Blocks of 4 and 2 bits get their operators and weights afterwards (`pipeline.narrow`).

The tensors of the float file are recognised **by value**: the interpreter runs the image whose site values the export
stage saved, and each tensor that equals a site gets its range. Nothing depends on the names or the order that a
converter invents, and a graph that computes something else is found here, with the tensor's name.

    python -m pipeline.convert --model mnist5k-r14
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from dimmer.pipeline.artifacts.calibration import Calibration, load_calibration
from dimmer.pipeline.artifacts.context import build_folder
from dimmer.pipeline.artifacts.converted import MODES, boundaries, positions
from dimmer.pipeline.calibrate import Progress
from dimmer.pipeline.command import main_of, model_option, progress_bar
from dimmer.pipeline.errors import DimmerError
from dimmer.pipeline.modes import Mode
from dimmer.pipeline.narrow import load_narrow, narrowed
from dimmer.pipeline.recipe import Recipe, load_recipe
from dimmer.pipeline.stage import ROOT, StageResult, atomic_write, run_stage
from dimmer.pipeline.tflite import pack, unpack

CODE = (
    "pipeline/convert.py",
    "pipeline/narrow.py",
    "pipeline/onnx_to_float.py",
    "pipeline/tflite.py",
    "firmware_gen/memory/share.py",
)
RELATIVE_TOLERANCE = 2e-3
_SAME_SCALE = ("PAD", "RESHAPE", "MAX_POOL_2D", "TRANSPOSE")


def float_models(sources: list[Path], out: Path) -> None:
    """Runs onnx2tf over the files, in as many processes as there are processors, at most two.

    Raises:
        DimmerError: with the last line that onnx2tf printed.
    """
    workers = max(1, min(2, os.cpu_count() or 1, len(sources)))
    running = []
    for worker in range(workers):
        command = [sys.executable, "-m", "dimmer.pipeline.onnx_to_float", str(out), *map(str, sources[worker::workers])]
        log = (out / f".onnx2tf.{worker}.log").open("w+")
        running.append((subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT), log))
    try:
        for process, log in running:
            code = process.wait()
            log.seek(0)
            lines = [line for line in log.read().splitlines() if line.strip()]
            if code:
                raise DimmerError(f"onnx2tf failed: {lines[-1] if lines else f'exit status {code}'}")
    finally:
        for process, log in running:
            process.kill()
            process.wait()
            Path(log.name).unlink(missing_ok=True)
            log.close()


def recognise(model: Path, sites: Mapping[str, Any]) -> dict[str, str]:
    """Which tensor of a float .tflite is which site.

    Args:
        sites: site -> float32[1,C,H,W] or float32[1,C], with the network's input under "input".

    Returns:
        Tensor name -> site, for every float tensor that an operator writes, and for the input.

    Raises:
        DimmerError: a tensor equals no site.
    """
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    with warnings.catch_warnings():
        # It warns that keeping all tensors takes memory.
        warnings.simplefilter("ignore", UserWarning)
        interpreter = Interpreter(
            str(model),
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        )
    interpreter.allocate_tensors()

    def nhwc(x: Any) -> Any:
        return np.moveaxis(x, 1, -1) if x.ndim == 4 else x

    given = nhwc(sites["input"])
    source = interpreter.get_input_details()[0]
    if tuple(source["shape"]) != given.shape:
        raise DimmerError(f"{model.name}: input is {tuple(source['shape'])}, not {given.shape} as exported")
    interpreter.set_tensor(source["index"], given)
    interpreter.invoke()
    names = {d["index"]: d["name"] for d in interpreter.get_tensor_details()}
    found = {names[source["index"]]: "input"}
    for operator in interpreter._get_ops_details():
        index = operator["outputs"][0]
        value = interpreter.get_tensor(index)
        if operator["op_name"] in _SAME_SCALE and names[operator["inputs"][0]] in found:
            found[names[index]] = found[names[operator["inputs"][0]]]
            continue
        matches = [site for site, expected in sites.items() if _equal(value, nhwc(expected))]
        if not matches:
            raise DimmerError(
                f"{model.name}: tensor '{names[index]}' ({operator['op_name']}, {tuple(value.shape)}) is none of the "
                f"network's sites; the converter changed the graph: install the versions of requirements.txt"
            )
        found[names[index]] = matches[0]
    return found


def _equal(value: Any, expected: Any) -> bool:
    import numpy as np

    if value.size != expected.size or (value.ndim == 4 and expected.ndim == 4 and value.shape != expected.shape):
        return False
    scale = float(np.abs(expected).max()) or 1.0
    return bool(np.abs(value.reshape(-1) - expected.reshape(-1)).max() <= RELATIVE_TOLERANCE * scale)


def quantise(model: Path, sites: Mapping[str, str], ranges: Mapping[str, tuple[float, float]]) -> bytes:
    """The int8 .tflite of a float one: weights int8 per channel, activations with the given ranges.

    Args:
        sites: tensor name -> site, from `recognise`.
        ranges: site -> (low, high).
    """
    import contextlib
    import io

    import numpy as np
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    from ai_edge_quantizer import quantizer
    from ai_edge_quantizer import recipe as recipes

    reader = Interpreter(str(model), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    statistics: dict[str, Any] = {}
    for d in reader.get_tensor_details():
        if d["name"] in sites:
            low, high = ranges[sites[d["name"]]]
            shape = (1,) * len(d["shape"])
            statistics[d["name"]] = {
                "min": np.full(shape, low, np.float32),
                "max": np.full(shape, high, np.float32),
            }
    worker = quantizer.Quantizer(str(model))
    worker.load_quantization_recipe(recipes.static_wi8_ai8())
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        result = worker.quantize(statistics)
    return bytes(result.quantized_model)


def named(model: bytes, sites: Mapping[str, str]) -> bytes:
    """The same model with its tensors named after the network's sites.

    A tensor gets its site's name ("0.1.conv2"), constants the name of what they make ("0.1.conv2/weights"), a second
    tensor of a site its operator's ("1.0.conv1/pad"). Generated C, reports and error messages speak these names.
    """
    from ai_edge_litert import schema_py_generated as schema

    parsed = unpack(model)
    kinds = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    graph = parsed.subgraphs[0]
    old = [tensor.name.decode() for tensor in graph.tensors]
    new: dict[int, str] = {int(graph.inputs[0]): "input"}
    taken = {"input"}
    for operator in graph.operators:
        kind = kinds[parsed.operatorCodes[operator.opcodeIndex].builtinCode]
        made = int(operator.outputs[0])
        site = sites[old[made]]
        new[made] = site if site not in taken else f"{site}/{kind.lower()}"
        taken.add(new[made])
        roles = ("input", "weights", "bias") if len(operator.inputs) == 3 else ("input", kind.lower())
        for role, tensor in zip(roles, operator.inputs, strict=True):
            new.setdefault(int(tensor), f"{new[made]}/{role}")
    for i, tensor in enumerate(graph.tensors):
        tensor.name = new.get(i, old[i]).encode()
    return pack(parsed)


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
                content = narrowed(content, Mode.parse(name), boundaries(name), load_narrow(dict(archive)))
        (out / f"{name}.tflite").write_bytes(content)
        model.unlink()
        entries.append({"name": name, "file": f"{name}.tflite", "boundaries": boundaries(name)})
    check_shared_weights({name: out / f"{name}.tflite" for name in names})
    contents: dict[str, Any] = {"positions": positions(names[0]), "modes": entries}
    atomic_write(out / MODES, json.dumps(contents, indent=1) + "\n")


def run(recipe: Recipe, build: Path, progress: Progress) -> StageResult:
    """The stage: build/<model>/export -> build/<model>/convert."""
    calibrated, exported = build / "calibrate", build / "export"

    def action(out: Path) -> None:
        convert(load_calibration(calibrated), exported, out, progress)

    inputs = [calibrated / "calibration.json", exported]
    code = [ROOT / c for c in CODE]
    return run_stage("convert", build / "convert", inputs, {}, [*code, ROOT / "requirements.txt"], action)


def main(model: Annotated[str, model_option] = "mnist5k-r14") -> None:
    """Convert every exported mode to an int8 .tflite and check that all share their weights."""
    recipe = load_recipe(model)
    build = build_folder(recipe)
    with progress_bar("convert") as progress:
        run(recipe, build, progress)
    for path in sorted((build / "convert").glob("*.tflite")):
        print(f"{path}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main_of(main)
