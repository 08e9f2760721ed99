# SPDX-License-Identifier: Apache-2.0
"""A bill of materials tells its slices, and whether the files beside it are those that it lists."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.inspection.bills import beside, inspect_bill
from dimmer.pipeline.reporting.materials.document import write_bom
from dimmer.pipeline.reporting.materials.gather import DataMaterial, FileMaterial, Materials
from tests.pipeline.reporting.report_example import example

CONTENTS = {"firmware.bin": b"image", "modes/88.tflite": b"mode"}


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    files = []
    for name, content in CONTENTS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
        files.append(FileMaterial(name, "file", hashlib.sha256(content).hexdigest(), len(content)))
    gone = FileMaterial("recipe.toml", "recipe", "0" * 64, 5)
    data = DataMaterial("mnist5k", "1" * 64, "CC-BY-SA-3.0")
    return write_bom(
        example(), Materials((files[0],), (files[1], gone), data, {"gcc": "12"}, {"torch": "2"}, "", 1000), tmp_path
    )


def test_what_it_tells(bill: Path) -> None:
    found = inspect_bill(bill)
    facts = dict(found.facts)
    assert (found.kind, found.problems) == ("bill of materials", ())
    assert facts["of"] == "cifar10-r14 for mps2-an386"
    assert facts["data"] == "mnist5k, CC-BY-SA-3.0"
    assert facts["files"] == "3 listed, 2 of them here, 2 as listed"
    assert "accuracy 0.9024" in facts["mode 88.88.88"]
    assert ("tool", "gcc 12") in found.facts


@pytest.mark.parametrize("name", CONTENTS)
def test_a_file_that_is_another_one_is_named(bill: Path, name: str) -> None:
    (bill.parent / name).write_bytes(b"other")
    (problem,) = inspect_bill(bill).problems
    assert problem.startswith(f"{bill.parent / name} is not the file")
    assert beside(bill.parent / "firmware.bin")[1] == (
        ("it is not the file that bom.cdx.json beside it lists: build both again",) if name == "firmware.bin" else ()
    )


def test_a_file_is_checked_by_the_bill_beside_it(bill: Path) -> None:
    assert beside(bill.parent / "firmware.bin") == ((("checked", "the file that bom.cdx.json beside it lists"),), ())
    (bill.parent / "other.bin").write_bytes(b"")
    assert "does not list it" in beside(bill.parent / "other.bin")[0][0][1]
    bill.unlink()
    assert "no bill of materials" in beside(bill.parent / "firmware.bin")[0][0][1]


def test_no_bill_leads_out_of_its_folder(bill: Path) -> None:
    document = json.loads(bill.read_text())
    for name in ("/etc/passwd", "../secret", "a/../../secret"):
        document["components"].append(
            {"type": "file", "name": name, "hashes": [{"alg": "SHA-256", "content": "0" * 64}]}
        )
    bill.write_text(json.dumps(document))
    assert "3 listed" in dict(inspect_bill(bill).facts)["files"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"bomFormat": "SPDX"}', "\xff", '{"bomFormat": "CycloneDX"', "[" * 100_000]
)
def test_what_is_none_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.cdx.json").write_text(text)
    with pytest.raises(DimmerError, match=r"x\.cdx\.json (cannot be read|is no bill)"):
        inspect_bill(tmp_path / "x.cdx.json")


@pytest.mark.parametrize("value", ["null", "3", '"x"', "[]", "[3]", "{}", '[{"type": "file"}]'])
def test_any_other_shape_is_no_traceback(tmp_path: Path, value: str) -> None:
    for key in ("components", "metadata"):
        (tmp_path / "x.cdx.json").write_text(f'{{"bomFormat": "CycloneDX", "{key}": {value}}}')
        inspect_bill(tmp_path / "x.cdx.json")
