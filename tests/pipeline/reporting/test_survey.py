# SPDX-License-Identifier: Apache-2.0
"""What becomes of every file of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from dimmer.errors import DimmerError
from dimmer.firmware_gen.graph.micro import Reference
from dimmer.pipeline.artifacts.firmware import Firmware
from dimmer.pipeline.core.stage import Stage
from dimmer.pipeline.core.targets import load_firmware_target
from dimmer.pipeline.reporting import survey as reporting
from dimmer.pipeline.reporting.survey import Surveyed, survey, survey_page
from tests.firmware_gen.networks import tiny_resnet
from tests.firmware_gen.read.damaged import single


def test_a_folder_is_gone_through(tmp_path: Path) -> None:
    folder, host = tmp_path / "models", load_firmware_target("host")
    (folder / "within").mkdir(parents=True)
    (folder / "within" / "tiny.tflite").write_bytes(tiny_resnet())
    (folder / "elu.tflite").write_bytes(single("ELU"))
    (folder / "none.tflite").write_text("nothing")
    said: list[float] = []
    rows = survey(folder, host, 2, tmp_path / "work", lambda _text, share: said.append(share))
    assert [(row.file, row.result) for row in rows] == [
        ("elu.tflite", "refused"),
        ("none.tflite", "refused"),
        ("within/tiny.tflite", "exact"),
    ]
    # The file's name stands beside the reason, not in it.
    assert rows[0].reason.startswith("operator 0 ELU (y) is not supported; ")
    assert rows[1].reason.startswith("not a .tflite file")
    assert rows[2].macs is not None
    assert rows[2].arena is not None
    assert said == sorted(said)


def test_a_file_beside_a_folder_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage takes a folder that holds more than its results for another's, and refuses it."""
    folder, host = tmp_path / "models", load_firmware_target("host")
    (folder / "a").mkdir(parents=True)
    for path in (folder / "a.tflite", folder / "a" / "b.tflite"):
        path.touch()

    def stage(_order: object, _files: object, _target: object, place: Path, _progress: object) -> Stage:
        return Stage("firmware", place, lambda out: (out / "firmware.json").touch())

    monkeypatch.setattr(reporting, "foreign_order", lambda *_arguments, **_options: None)
    monkeypatch.setattr(reporting, "foreign_stage", stage)
    monkeypatch.setattr(Firmware, "load", lambda _place: None)
    monkeypatch.setattr(reporting, "_figures", lambda name, _made: Surveyed(name, "exact"))
    for _ in range(2):
        rows = survey(folder, host, 1, tmp_path / "work", lambda _text, _share: None)
        assert [(row.file, row.result) for row in rows] == [("a/b.tflite", "exact"), ("a.tflite", "exact")]


def test_a_folder_without_models_is_told(tmp_path: Path) -> None:
    with pytest.raises(DimmerError, match=r"holds no \.tflite file; name a folder of models"):
        survey(tmp_path, load_firmware_target("host"), 2, tmp_path / "work", lambda _text, _share: None)


def test_the_page_has_a_row_for_each_file() -> None:
    rows = [Surveyed("a|b.tflite", "exact", 1200, 3400, None, 64, 9000), Surveyed("c.tflite", "refused", reason="why")]
    lines = survey_page(rows, "board", 20, "dimmer survey FOLDER").splitlines()
    assert lines[-2:] == [
        "| a\\|b.tflite | exact | 1,200 | 3,400 | - | 64 | 9,000 | - |",
        "| c.tflite | refused | - | - | - | - | - | why |",
    ]
    assert "2 `.tflite` files on board: 1 run with the results of the TFLite interpreter's" in lines[2]
    assert "the results of TFLite-Micro's" in survey_page(rows, "board", 20, "dimmer survey FOLDER", Reference.TFLM)
