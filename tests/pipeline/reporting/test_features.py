# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import jsonschema
import pytest

from dimmer.pipeline.artifacts.converted import Converted, ConvertedMode, converted_folder
from dimmer.pipeline.artifacts.report import FeatureFigures
from dimmer.pipeline.recipe.sections.features import DetectorKeys, FeaturesSection
from dimmer.pipeline.reporting.features import feature_figures, feature_texts
from tests.firmware_gen.networks import tiny_keywords

if TYPE_CHECKING:
    from dimmer.pipeline.artifacts.build import BuildContext


@dataclass(frozen=True)
class FakeRecipe:
    name: str
    features: FeaturesSection
    source: str = "mnist5k"


def context(folder: Path, section: FeaturesSection) -> BuildContext:
    """What a build leaves, as far as features look at it."""
    convert = converted_folder(folder)
    convert.mkdir(parents=True)
    (convert / "88.tflite").write_bytes(tiny_keywords())
    Converted(("stem",), (ConvertedMode("88", "88.tflite", ()),)).save(convert)
    return cast("BuildContext", SimpleNamespace(recipe=FakeRecipe("door", section), build_dir=folder))


def test_a_recipe_without_features_has_no_figures(tmp_path: Path) -> None:
    made = context(tmp_path, FeaturesSection())
    assert feature_figures(made) is None
    assert feature_texts(made) == {}


def test_a_recipe_with_features_has_figures_and_files(tmp_path: Path) -> None:
    made = context(tmp_path, FeaturesSection("mlperf-kws", detector=DetectorKeys((1,), average=2)))
    figures = feature_figures(made)
    assert figures == FeatureFigures("mlperf-kws", 3168 + 490 + 4 * 12, 3081 + 24, True, False)
    assert set(feature_texts(made)) == {"dimmer_door_features.h", "dimmer_door_features.c"}


@pytest.mark.parametrize("broken", [{}, {"ram": -1}, {"more": 1}])
def test_the_schema_knows_them(broken: dict[str, int]) -> None:
    import json

    from dimmer.pipeline.reporting import report

    schema = json.loads(Path(report.__file__).with_name("report.schema.json").read_text())["properties"]["features"]
    figures = {**asdict(FeatureFigures("audio", 1, 2, False, True)), **broken}
    valid = jsonschema.Draft202012Validator(schema).is_valid(figures)
    assert valid == (not broken)
