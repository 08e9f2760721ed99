# SPDX-License-Identifier: Apache-2.0
"""A bill of materials is CycloneDX 1.6, has a slice a mode, and is the same for the same bytes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from dimmer.pipeline.reporting.materials.document import BOM, bom, write_bom
from dimmer.pipeline.reporting.materials.gather import DataMaterial, FileMaterial, Materials
from tests.pipeline.reporting.report_example import example


def file(name: str, use: str = "image", digest: str = "a") -> FileMaterial:
    return FileMaterial(name, use, digest * 64, 1000)


MATERIALS = Materials(
    subject=(file("firmware.bin"), file("firmware.elf", digest="b"), file("dimmer_lamp.c", "generated C", "c")),
    sources=(file("recipe.toml", "recipe", "d"), file("checkpoint.safetensors", "weights", "e")),
    data=DataMaterial("mnist5k", "f" * 64, "CC-BY-SA-3.0"),
    tools={"arm-none-eabi-gcc": "12.2.1", "/usr/lib/libc.a": "0" * 64},
    packages={"torch": "2.13.0+cpu"},
    code="1" * 64,
    test_images=1000,
)
ALONE = dataclasses.replace(MATERIALS, data=None, packages={}, code="", test_images=None)
OTHER_TERMS = dataclasses.replace(MATERIALS, data=DataMaterial("cifar10", "f" * 64, "none stated; cite somebody"))
NO_TERMS = dataclasses.replace(MATERIALS, data=DataMaterial("own", "f" * 64, ""))


@pytest.mark.parametrize("materials", [MATERIALS, ALONE, OTHER_TERMS, NO_TERMS])
def test_it_is_valid(materials: Materials) -> None:
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom(example(), materials)))
    assert error is None


def test_the_validator_sees_what_is_wrong() -> None:
    broken = {**bom(example(), MATERIALS), "components": [{"type": "lamp", "name": "x"}]}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(broken)) is not None


def test_every_mode_is_a_slice_with_its_figures() -> None:
    document = json.loads(json.dumps(bom(example(), MATERIALS)))
    (model,) = [part for part in document["components"] if part["type"] == "machine-learning-model"]
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    found = {(metric["slice"], metric["type"]): metric for metric in metrics}
    for mode in example().modes:
        assert found[f"mode {mode.name}", "multiply-accumulates"]["value"] == str(mode.macs)
        accuracy = found[f"mode {mode.name}", "accuracy"]
        assert mode.accuracy is not None
        interval = accuracy["confidenceInterval"]
        assert float(interval["lowerBound"]) < mode.accuracy < float(interval["upperBound"])
    assert not any("confidenceInterval" in json.dumps(part) for part in bom(example(), ALONE)["components"])  # type: ignore[union-attr]


def test_every_file_stands_in_it_by_its_hash() -> None:
    text = json.dumps(bom(example(), MATERIALS))
    assert MATERIALS.data is not None
    for digest in (*(part.sha256 for part in (*MATERIALS.subject, *MATERIALS.sources)), MATERIALS.data.sha256):
        assert digest in text
    for word in ("pkg:pypi/torch@2.13.0%2Bcpu", "arm-none-eabi-gcc", "CC-BY-SA-3.0", "Apache-2.0", "1" * 64):
        assert word in text


def test_the_same_bytes_have_the_same_bill_and_other_bytes_another(tmp_path: Path) -> None:
    one, two = (write_bom(example(), MATERIALS, tmp_path / name) for name in ("a", "b"))
    assert one.name == BOM
    assert one.read_bytes() == two.read_bytes()
    other = dataclasses.replace(MATERIALS, subject=(file("firmware.bin", digest="9"),))
    assert bom(example(), other)["serialNumber"] != bom(example(), MATERIALS)["serialNumber"]
