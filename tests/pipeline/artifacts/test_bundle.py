# SPDX-License-Identifier: Apache-2.0
"""What the bundle stage leaves."""

import json
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.bundle import (
    MANIFEST,
    RESULT,
    Bundle,
    Manifest,
    ManifestMode,
    ManifestSelfTest,
    ManifestTensor,
    bundle_folder,
    bundle_stage_folder,
)
from tests.pipeline.artifact_examples import bundle

TENSOR = ManifestTensor((1, 4, 5, 3), 60, 0.5, -3)
WHOLE = Manifest(
    model="lamp",
    version="0123456789ab",
    architecture="aarch64",
    tvm="0.27.0",
    gpu="sm_87",
    weights_bytes=63,
    input=TENSOR,
    output=TENSOR,
    modes=(ManifestMode("88", "selftest/88.i8", "onnx/88.onnx"),),
    self_test=ManifestSelfTest("selftest/inputs.i8", 100),
    files={"weights.bin": "00ff"},
)


def test_the_bundle_lies_in_its_stage_s_folder_under_the_model_s_name(tmp_path: Path) -> None:
    assert bundle_folder(tmp_path / "lamp", "jetson") == bundle_stage_folder(tmp_path / "lamp", "jetson") / "lamp"


def test_figures_are_read_as_they_were_saved(tmp_path: Path) -> None:
    bundle("QEMU").save(tmp_path)
    assert Bundle.load(tmp_path) == bundle("QEMU")
    document = json.loads((tmp_path / RESULT).read_text())
    assert list(document) == ["version", "architecture", "tvm", "bytes", "modes", "policy", "notes"]
    assert document["modes"][0]["verify"] == {"samples": 100, "mismatches": 0, "backend": "QEMU", "reference": "litert"}
    (tmp_path / RESULT).write_text("{}")
    with pytest.raises(DimmerError, match=r"bundle\.json cannot be read \(version is missing\): remove .* and build"):
        Bundle.load(tmp_path)


def test_a_manifest_is_read_as_it_was_saved(tmp_path: Path) -> None:
    WHOLE.save(tmp_path)
    assert Manifest.load(tmp_path) == WHOLE
    # The installer on the board finds the version by this line.
    assert '\n  "version": "0123456789ab",\n' in (tmp_path / MANIFEST).read_text()
    (tmp_path / MANIFEST).unlink()
    with pytest.raises(DimmerError, match=r"is no bundle \(.*\): build it with dimmer build"):
        Manifest.load(tmp_path)
