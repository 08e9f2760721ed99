# SPDX-License-Identifier: Apache-2.0
"""The report of a build: pages written and deliverables put beside them."""

import json
from pathlib import Path

from dimmer.pipeline.artifacts.build import BuildContext
from dimmer.pipeline.artifacts.calibration import calibration_folder
from dimmer.pipeline.artifacts.checkpoint import training_folder
from dimmer.pipeline.artifacts.firmware import firmware_folder
from dimmer.pipeline.artifacts.verification import verify_folder
from dimmer.pipeline.core.noted import remove_noted
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.recipe.recipe import load_recipe
from dimmer.pipeline.reporting.report import make_report
from dimmer.targets import load_target
from tests.pipeline.artifact_examples import calibration, firmware, verified


def test_pages_and_deliverables_lie_in_the_target_s_folder(tmp_path: Path) -> None:
    build, name = tmp_path / "mnist5k-r14", "mps2-an386"
    calibration().save(calibration_folder(build))
    firmware().save(firmware_folder(build, name))
    verified().save(verify_folder(build, name))
    (firmware_folder(build, name) / "firmware.elf").write_text("elf")
    (build / "convert").mkdir()
    (build / "convert" / "88.88.88.tflite").write_text("tflite")
    training_folder(build).mkdir()
    (training_folder(build) / "checkpoint.safetensors").write_text("weights")
    context = BuildContext(load_recipe("mnist5k-r14"), load_target(name), build)
    data = make_report(context, [StageResult("train", 1.0, cached=True)])
    assert {path.name for path in context.target_dir.iterdir()} >= {
        *("bom.cdx.json", "firmware.elf", "modes", "report.html", "report.json")
    }
    document = json.loads((context.target_dir / "report.json").read_text())
    assert [mode["name"] for mode in document["modes"]] == [mode.name for mode in data.modes]
    assert document["stages"] == [{"name": "train", "seconds": 1.0, "cached": True}]
    # All of it is known for what a build has made.
    remove_noted(context.target_dir)
    assert {path.name for path in context.target_dir.iterdir()} == {".plots.lock", "plots", "firmware", "verify"}
