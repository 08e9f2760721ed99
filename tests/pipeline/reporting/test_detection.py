# SPDX-License-Identifier: Apache-2.0
"""What `dimmer detect` found stands in the report: of the model that was built, and of no other."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from dimmer.errors import DimmerError
from dimmer.pipeline.artifacts.converted import Converted, ConvertedMode, converted_folder
from dimmer.pipeline.artifacts.detected import Detected, detected_folder
from dimmer.pipeline.artifacts.report import DetectionFigures, FeatureFigures
from dimmer.pipeline.data.own import DataSection, OwnData
from dimmer.pipeline.recipe.sections.features import DetectorKeys, FeaturesSection
from dimmer.pipeline.reporting.detection import NEVER_TUNED, detection_figures
from dimmer.pipeline.reporting.page import check_document, write_report
from tests.pipeline.artifacts.test_detected import example as detected
from tests.pipeline.reporting.report_example import example

if TYPE_CHECKING:
    from dimmer.pipeline.artifacts.build import BuildContext

FILE = b"a mode"
SOUNDS = DataSection("recordings", "sounds", window=16000, classes=("noise", "one", "two"))


def context(folder: Path, keys: DetectorKeys, found: Detected | None) -> BuildContext:
    """A build with a mode, a recipe's detector, and what `dimmer detect` left."""
    convert = converted_folder(folder)
    convert.mkdir(parents=True)
    (convert / "888.tflite").write_bytes(FILE)
    Converted(("stem",), (ConvertedMode("888", "888.tflite", ()),)).save(convert)
    if found is not None:
        found.save(detected_folder(folder))
    recipe = SimpleNamespace(
        features=FeaturesSection("mlperf-kws", detector=keys), source=OwnData(SOUNDS, folder, None)
    )
    return cast("BuildContext", SimpleNamespace(recipe=recipe, build_dir=folder))


def of_this_model() -> Detected:
    return replace(detected(), tflite_sha256=hashlib.sha256(FILE).hexdigest())


def keys() -> DetectorKeys:
    return DetectorKeys((1, 2), threshold=23.2, average=3, quiet=10)


def test_it_is_that_of_the_recipe_where_all_its_keys_are(tmp_path: Path) -> None:
    for number, (own, same) in enumerate(
        (
            (keys(), True),
            (replace(keys(), threshold=23.0), False),
            (replace(keys(), classes=(1,)), False),
            (replace(keys(), quiet=11), False),
        )
    ):
        figures = detection_figures(context(tmp_path / str(number), own, of_this_model()))
        assert figures is not None
        assert figures.in_recipe == same
        assert figures.test == of_this_model().test


def test_of_another_model_or_of_none_there_is_nothing(tmp_path: Path) -> None:
    assert detection_figures(context(tmp_path / "never", keys(), None)) is None
    assert detection_figures(context(tmp_path / "older", keys(), detected())) is None
    gone = replace(of_this_model(), mode="880")
    assert detection_figures(context(tmp_path / "gone", keys(), gone)) is None


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    made = context(tmp_path, keys(), of_this_model())
    (detected_folder(tmp_path) / "detect.json").write_text("{}")
    with pytest.raises(DimmerError, match=r"detect\.json cannot be read"):
        detection_figures(made)


def test_report_json_and_the_page_tell_it(tmp_path: Path) -> None:
    found = DetectionFigures(**vars(detected()), in_recipe=False)
    write_report(replace(example(), detection=found), tmp_path)
    told = json.loads((tmp_path / "report.json").read_text())["detection"]
    assert (told["threshold"], told["test"]["missed"], told["test"]["alarm_interval"]) == (23.2, 508, [1.2, 36.6])
    assert (told["validation"]["seconds"], told["in_recipe"]) == (720.0, False)
    page = (tmp_path / "report.html").read_text()
    assert "<h2>Detector</h2>" in page
    assert "508 (84.8 %)" in page
    assert "82.0 to 88.0 %" in page
    assert "1.2 to 36.6" in page
    assert "The recipe does not have this detector" in page
    (tmp_path / "other").mkdir()
    write_report(replace(example(), detection=replace(found, in_recipe=True)), tmp_path / "other")
    assert "The recipe does not have" not in (tmp_path / "other" / "report.html").read_text()


def test_a_detector_that_nobody_scored_is_a_null_with_its_reason() -> None:
    assert "detection" not in example().document()
    features = FeatureFigures("mlperf-kws", 1, 2, True, False)
    notes = {**example().notes, "detection": NEVER_TUNED}
    document = replace(example(), features=features, notes=notes).document()
    assert document["detection"] is None
    check_document(document)


@pytest.mark.parametrize("broken", [{"miss_interval": [0.1, 1.2]}, {"seconds": 0}, {"alarm_interval": [1.0]}])
def test_the_schema_refuses_what_cannot_be(broken: dict[str, object]) -> None:
    document = replace(example(), detection=DetectionFigures(**vars(detected()), in_recipe=True)).document()
    plain = json.loads(json.dumps(document))
    plain["detection"]["test"] |= broken
    with pytest.raises(DimmerError, match=r"\$\.detection"):
        check_document(plain)
