# SPDX-License-Identifier: Apache-2.0
"""What a build was made of is read from its manifests and files, and what is missing is named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.bundle import bundle_folder
from dimmer.pipeline.artifacts.verification import verify_folder
from dimmer.pipeline.data.registry import dataset_hash
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.reporting.materials.gather import gather
from dimmer.targets import load_target
from tests.pipeline.artifact_examples import verified

FILES = {
    "train/checkpoint.safetensors": "weights",
    "calibrate/calibration.json": "{}",
    "export/88.88.88.onnx": "onnx",
    "convert/88.88.88.tflite": "tflite",
    "convert/88.88.88.float.tflite": "float",
    "mps2-an386/firmware/firmware.elf": "elf",
    "mps2-an386/firmware/firmware.bin": "bin",
    "mps2-an386/firmware/dimmer_lamp.c": "c",
    "mps2-an386/firmware/firmware.json": "{}",
}


@pytest.fixture
def built(tmp_path: Path) -> BuildContext:
    context = BuildContext(load_recipe("mnist5k-r14"), load_target("mps2-an386"), tmp_path / "mnist5k-r14")
    for name, text in FILES.items():
        path = context.build_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    verified().save(verify_folder(context.build_dir, "mps2-an386"))
    for folder, key in {
        "train": {"code": {"a.py": "1"}, "packages": {"torch": "2", "gone": None}, "contents": {"data": "x"}},
        "mps2-an386/firmware": {"code": {"b.py": "2"}, "packages": {"numpy": "1"}, "contents": {"gcc": "gcc 12"}},
    }.items():
        (context.build_dir / folder / "manifest.json").write_text(json.dumps({"key": key, "outputs": {}}))
    return context


def test_files_tools_and_packages_are_found(built: BuildContext) -> None:
    found = gather(built)
    assert [file.name for file in found.subject] == ["firmware.bin", "firmware.elf", "dimmer_lamp.c"]
    assert found.subject[0].sha256 == hashlib.sha256(b"bin").hexdigest()
    assert [file.name for file in found.sources] == [
        "recipe.toml",
        "checkpoint.safetensors",
        "calibration.json",
        "modes/88.88.88.onnx",
        "modes/88.88.88.tflite",
    ]
    assert (found.tools, found.packages) == ({"gcc": "gcc 12"}, {"torch": "2", "numpy": "1"})
    assert found.data is not None
    assert (found.data.sha256, found.data.terms) == (dataset_hash("mnist5k"), "CC-BY-SA-3.0")
    assert found.test_images == verified().test_images


def test_a_bundle_is_all_its_files(built: BuildContext) -> None:
    context = BuildContext(built.recipe, load_target("jetson"), built.build_dir)
    bundle = bundle_folder(built.build_dir, "jetson")
    for name in ("bin/dimmer-run", "weights.bin"):
        (bundle / name).parent.mkdir(parents=True, exist_ok=True)
        (bundle / name).write_text(name)
    verified("host").save(verify_folder(built.build_dir, "host"))
    names = [file.name for file in gather(context).subject]
    assert names == ["bundle/mnist5k-r14/bin/dimmer-run", "bundle/mnist5k-r14/weights.bin"]
    # From where the bill lies.
    assert all((context.target_dir / name).is_file() for name in names)


def test_other_code_is_another_hash(built: BuildContext) -> None:
    before = gather(built).code
    manifest = built.build_dir / "train" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"a.py": "1"', '"a.py": "9"'))
    assert gather(built).code != before


@pytest.mark.parametrize("name", ["train/checkpoint.safetensors", "calibrate/calibration.json"])
def test_what_is_missing_is_named(built: BuildContext, name: str) -> None:
    (built.build_dir / name).unlink()
    with pytest.raises(DimmerError, match=f"{Path(name).name} is missing.*dimmer build"):
        gather(built)


def test_a_folder_without_an_image_has_no_bill(built: BuildContext) -> None:
    for name in ("bin", "elf"):
        (built.build_dir / "mps2-an386" / "firmware" / f"firmware.{name}").unlink()
    with pytest.raises(DimmerError, match="has no image"):
        gather(built)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"key": 3}'])
def test_a_damaged_manifest_is_one_line(built: BuildContext, text: str) -> None:
    (built.build_dir / "train" / "manifest.json").write_text(text)
    with pytest.raises(DimmerError, match=r"train/manifest\.json is damaged"):
        gather(built)
