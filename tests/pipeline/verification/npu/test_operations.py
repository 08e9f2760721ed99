# SPDX-License-Identifier: Apache-2.0
"""Whole networks through the model; single operators are in test_operators.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.benchmarks.networks import anomaly_detection, visual_wake_words
from tests.firmware_gen.harness import edge_inputs
from tests.firmware_gen.networks import tiny_mobile, tiny_resnet
from tests.npu import WITHOUT_VELA

SHARED = Path(__file__).resolve().parents[5] / "shared" / "models"


def compare(files: list[Path], accelerator: str, samples: int = 3) -> None:
    from tests.pipeline.verification.npu.many import compare_many

    found = compare_many([(path, edge_inputs(path, samples)) for path in files], accelerator)
    assert [(one.name, one.refused, one.wrong) for one in found] == [(path.stem, "", 0) for path in files]


@WITHOUT_VELA
def test_tiny_networks_are_exact(tmp_path: Path) -> None:
    files = []
    for make in (tiny_resnet, tiny_mobile):
        files.append(tmp_path / f"{make.__name__}.tflite")
        files[-1].write_bytes(make())
    compare(files, "ethos-u55-64")


@WITHOUT_VELA
@pytest.mark.slow
@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u65-256"])
def test_architectures_of_mlperf_are_exact(tmp_path: Path, accelerator: str) -> None:
    files = []
    for make in (visual_wake_words, anomaly_detection):
        files.append(tmp_path / f"{make.__name__}.tflite")
        files[-1].write_bytes(make())
    compare(files, accelerator)


@WITHOUT_VELA
@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("name", ["kws_ref_model", "pretrainedResnet_quant"])
def test_mlperfs_own_are_exact(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.tflite"
    path.write_bytes((SHARED / path.name).read_bytes())
    compare([path], "ethos-u55-128", 40)
