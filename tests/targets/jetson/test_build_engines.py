# SPDX-License-Identifier: Apache-2.0
"""The TensorRT script, against stand-ins for TensorRT and CUDA that count what they are asked for.

The real ones are on a Jetson only: what is tested here is the script's own part, one scratch buffer for all engines and
a report that adds up.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import shutil
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dimmer.pipeline.core.stage import ROOT

SCRIPT = ROOT / "targets" / "jetson" / "build_engines.py"
SCRATCH = {"88": 4096, "80": 1024}


class FakeCuda:
    """Device memory is host memory."""

    def __init__(self) -> None:
        self.allocated: dict[int, Any] = {}
        self.cudaGetErrorString = lambda status: b"no"

    def cudaMalloc(self, pointer: Any, size: ctypes.c_size_t) -> int:
        memory = ctypes.create_string_buffer(size.value)
        self.allocated[ctypes.addressof(memory)] = memory
        pointer._obj.value = ctypes.addressof(memory)
        return 0

    def cudaMemcpy(self, to: ctypes.c_void_p, source: ctypes.c_void_p, size: ctypes.c_size_t, kind: int) -> int:
        ctypes.memmove(to, source, size.value)
        return 0

    def cudaDeviceSynchronize(self) -> int:
        return 0


class Context:
    """An inference copies the first two values of the input to the output."""

    def __init__(self) -> None:
        self.device_memory: int | None = None
        self.tensors: dict[str, int] = {}

    def set_tensor_address(self, name: str, address: int) -> None:
        self.tensors[name] = address

    def execute_async_v3(self, stream: int) -> bool:
        ctypes.memmove(self.tensors["out"], self.tensors["in"], 8)
        return True


class Engine:
    num_io_tensors = 2

    def __init__(self, mode: str) -> None:
        self.device_memory_size = SCRATCH[mode]
        self.context = Context()

    def get_tensor_name(self, index: int) -> str:
        return ("in", "out")[index]

    def get_tensor_mode(self, name: str) -> str:
        return "INPUT" if name == "in" else "OUTPUT"

    def create_execution_context_without_device_memory(self) -> Context:
        return self.context


def fake_tensorrt(engines: list[Engine], parses: Callable[[bytes], bool]) -> types.ModuleType:
    """TensorRT 8, as far as the script goes; an engine is its ONNX file twice over."""
    module: Any = types.ModuleType("tensorrt")
    module.__version__ = "8.6.2"
    module.Logger = type("Logger", (), {"WARNING": 1, "__init__": lambda self, level: None})
    module.NetworkDefinitionCreationFlag = types.SimpleNamespace(EXPLICIT_BATCH=0)
    module.BuilderFlag = types.SimpleNamespace(INT8=2)
    module.TensorIOMode = types.SimpleNamespace(INPUT="INPUT")

    class Parser:
        def __init__(self, network: dict[str, bytes], logger: object) -> None:
            self.network = network

        def parse(self, content: bytes) -> bool:
            self.network["onnx"] = content
            return parses(content)

        def get_error(self, index: int) -> str:
            return "node 3: no such operator"

    class Builder:
        def __init__(self, logger: object) -> None: ...

        def create_network(self, flags: int) -> dict[str, bytes]:
            assert flags == 1
            return {}

        def create_builder_config(self) -> Any:
            return types.SimpleNamespace(set_flag=lambda flag: None)

        def build_serialized_network(self, network: dict[str, bytes], config: object) -> bytes:
            return network["onnx"] * 2

    class Runtime:
        def __init__(self, logger: object) -> None: ...

        def deserialize_cuda_engine(self, plan: bytes) -> Engine:
            engines.append(Engine(plan[:2].decode()))
            return engines[-1]

    module.OnnxParser, module.Builder, module.Runtime = Parser, Builder, Runtime
    return module  # type: ignore[no-any-return]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    for name in ("tensorrt", "onnx", "selftest"):
        (folder / name).mkdir(parents=True)
    shutil.copy(SCRIPT, folder / "tensorrt")
    for mode, size in (("88", 300), ("80", 200)):
        (folder / "onnx" / f"{mode}.onnx").write_bytes(mode.encode().ljust(size))
    (folder / "selftest" / "inputs.i8").write_bytes(bytes([5, 9, 0, 7, 1, 0]))
    (folder / "selftest" / "88.i8").write_bytes(bytes([1, 2, 2, 1]))
    (folder / "selftest" / "80.i8").write_bytes(bytes([2, 1, 2, 1]))
    manifest = {
        "modes": [{"name": m, "onnx": f"onnx/{m}.onnx", "expected": f"selftest/{m}.i8"} for m in SCRATCH],
        "input": {"size": 3, "scale": 0.5, "zero_point": -128},
        "output": {"size": 2},
        "self_test": {"inputs": "selftest/inputs.i8", "samples": 2},
        "weights_bytes": 123,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def load(bundle: Path) -> Any:
    spec = importlib.util.spec_from_file_location("build_engines", bundle / "tensorrt" / "build_engines.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_engines_share_one_scratch_and_the_report_adds_up(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engines: list[Engine] = []
    script, cuda = load(bundle), FakeCuda()
    monkeypatch.setitem(sys.modules, "tensorrt", fake_tensorrt(engines, lambda content: True))
    monkeypatch.setattr(script.ctypes, "CDLL", lambda name: cuda)
    monkeypatch.setattr(sys, "argv", ["build_engines.py", "--out", str(tmp_path / "engines")])
    assert script.main() == 0
    (shared,) = {engine.context.device_memory for engine in engines}
    assert len(engines) == 2
    assert shared is not None
    assert len(cuda.allocated[shared]) == max(SCRATCH.values())
    assert len(cuda.allocated) == 3  # scratch, input, output
    report = json.loads((tmp_path / "engines" / "engines.json").read_text())
    assert report["scratch_bytes"] == 4096
    assert report["scratch_bytes_if_not_shared"] == 5120
    assert report["engine_bytes"] == 1000
    assert report["engine_bytes_of_the_greatest"] == 600
    assert "a copy of its own" in report["weights"]
    assert [(mode["name"], mode["same_class"], mode["samples"]) for mode in report["modes"]] == [
        ("88", 2, 2),
        ("80", 1, 2),
    ]
    assert (tmp_path / "engines" / "80.engine").stat().st_size == 400
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_an_onnx_that_tensorrt_cannot_read_is_named(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = load(bundle)
    monkeypatch.setitem(sys.modules, "tensorrt", fake_tensorrt([], lambda content: False))
    monkeypatch.setattr(script.ctypes, "CDLL", lambda name: FakeCuda())
    monkeypatch.setattr(sys, "argv", ["build_engines.py", "--out", str(tmp_path / "engines")])
    with pytest.raises(SystemExit, match=r"TensorRT 8\.6\.2 cannot read 88\.onnx: node 3"):
        script.main()


def test_without_tensorrt_it_says_where_to_run(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = load(bundle)
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    monkeypatch.setattr(sys, "argv", ["build_engines.py"])
    assert script.main() == 2
    assert "use JetPack's python3" in capsys.readouterr().err


def test_places_that_are_not_there_are_one_line(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = load(bundle)
    monkeypatch.setitem(sys.modules, "tensorrt", fake_tensorrt([], lambda content: True))
    monkeypatch.setattr(script.ctypes, "CDLL", lambda name: FakeCuda())
    (tmp_path / "file").touch()
    monkeypatch.setattr(sys, "argv", ["build_engines.py", "--out", str(tmp_path / "file" / "engines")])
    assert script.main() == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"error: {tmp_path / 'file' / 'engines'}: not a directory: name another folder with --out")
    (bundle / "manifest.json").write_text("{")
    with pytest.raises(SystemExit, match=r"manifest\.json is damaged .*: copy the bundle again"):
        script.main()
    (bundle / "manifest.json").unlink()
    assert script.main() == 2
    assert "manifest.json: no such file or directory: name another folder with --out, or run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"modes": []}, "one of modes is no table"),
        ({"modes": [{"name": "88", "onnx": "onnx/88.onnx"}]}, "one of modes lacks expected"),
        ({"modes": None}, "one of modes is no table"),
        ({"input": {"size": "3", "scale": 0.5, "zero_point": 0}}, "size is of another type"),
        ({"output": []}, "output is no table"),
        ({"weights_bytes": True}, "weights_bytes is of another type"),
        (None, "it lacks self_test"),
        ("{", "Expecting property name"),
        ("[]", "it is no table"),
    ],
)
def test_a_damaged_manifest_is_one_line(bundle: Path, change: dict[str, object] | str | None, said: str) -> None:
    place = bundle / "manifest.json"
    manifest = json.loads(place.read_text())
    if change is None:
        del manifest["self_test"]
    place.write_text(change if isinstance(change, str) else json.dumps({**manifest, **(change or {})}))
    with pytest.raises(SystemExit, match=rf"^error: .*manifest.json is damaged \({said}.*\): copy the bundle again$"):
        load(bundle).read_manifest()
