# SPDX-License-Identifier: Apache-2.0
"""ONNX -> float .tflite through onnx2tf, in a process of its own, without the network.

onnx2tf downloads a calibration sample while it converts, even where none is used (it dies without a network), unless
a file of that name lies in the working directory: one is put there. It also leaves with status 0 when nothing was
written, so the result is looked for. It would start the simplifier three times as a program, which takes ten seconds a
file: it is called here instead, as often. Beside the float .tflite it makes a SavedModel and a file of float16, which
take half of its time and which nobody reads: they are left out.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from dimmer.children import worker, worker_arguments
from dimmer.errors import DimmerError

SAMPLE = "calibration_image_sample_data_20x128x128x3_float32.npy"

SIMPLIFICATIONS = 3
"""Times that onnx2tf has a graph simplified: what one run folds, the next can fold further."""


def convert(out: Path, sources: list[Path]) -> None:
    """Writes `<name>.float.tflite` into `out` for every `<name>.onnx`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    import numpy as np

    out, sources = out.resolve(), [source.resolve() for source in sources]
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        np.save(SAMPLE, np.zeros((20, 128, 128, 3), np.float32))
        import onnx
        import onnx2tf

        with _without_torch():
            import onnxsim

        for source in sources:
            graph = onnx.load(source)
            for _ in range(SIMPLIFICATIONS):
                graph, _valid = onnxsim.simplify(graph)
            # In the working directory, because onnx2tf writes over the file that it is given.
            onnx.save(graph, source.name)
            with _float32_alone():
                onnx2tf.convert(
                    input_onnx_file_path=source.name,
                    output_folder_path="saved",
                    copy_onnx_input_output_names_to_tflite=True,
                    not_use_onnxsim=True,
                    # The slow search for transposition errors; the converted file is compared with torch tensor by
                    # tensor.
                    disable_strict_mode=True,
                    non_verbose=True,
                )
            made = Path("saved") / f"{source.stem}_float32.tflite"
            if not made.is_file():
                raise DimmerError(f"it wrote no {made.name} for {source.name}")
            # The folder may lie on another disk than the system's temporary one.
            shutil.copyfile(made, out / f"{source.stem}.float.tflite")
            shutil.rmtree("saved")
        os.chdir("/")


@contextmanager
def _without_torch() -> Iterator[None]:
    """For the import of onnxsim, which imports torch, in two seconds, for a quantiser that nobody asks for here."""
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    if "torch" in modules:
        yield
        return
    modules["torch"] = None
    try:
        yield
    finally:
        del modules["torch"]


class _WrittenError(Exception):
    """The float .tflite is there, and something else would follow."""


@contextmanager
def _float32_alone() -> Iterator[None]:
    """In it, onnx2tf saves no model for TensorFlow, and ends before it makes another .tflite than the float one.

    Other .tflite files are those for which the converter has optimisations.
    """
    import tensorflow

    saved_model, converter = tensorflow.saved_model, tensorflow.lite.TFLiteConverter
    save, from_functions = saved_model.save, converter.from_concrete_functions

    def make_folder(_model: object, folder: str) -> None:
        Path(folder).mkdir(exist_ok=True)

    def made(functions: list[Any], trackable_obj: object = None) -> Any:
        one = from_functions(functions, trackable_obj)
        convert_any = one.convert

        def convert_float() -> bytes:
            if one.optimizations:
                raise _WrittenError
            return bytes(convert_any())

        one.convert = convert_float
        return one

    saved_model.save, converter.from_concrete_functions = make_folder, made
    try:
        yield
    except _WrittenError:
        pass
    finally:
        saved_model.save, converter.from_concrete_functions = save, from_functions


if __name__ == "__main__":
    folder, *sources = worker_arguments("onnx_to_float", "converts ONNX files for pipeline.convert")
    with worker(Path(folder).resolve()):
        convert(Path(folder), [Path(name) for name in sources])
