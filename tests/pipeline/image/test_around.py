# SPDX-License-Identifier: Apache-2.0
"""What stands around a network: of one that was trained on rows, with the codes that it was trained on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from dimmer.firmware_gen.features.spec import Codes
from dimmer.firmware_gen.features.tables import AudioTables
from dimmer.pipeline.artifacts.converted import Converted, ConvertedMode, converted_folder
from dimmer.pipeline.data.scale import RowCodes
from dimmer.pipeline.image import around
from dimmer.pipeline.recipe.recipe import Recipe
from dimmer.pipeline.recipe.sections.features import FeaturesSection
from tests.firmware_gen.networks import tiny_keywords


@pytest.mark.parametrize("known", [None, RowCodes(0.25, -7)])
def test_codes_are_those_of_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: RowCodes | None
) -> None:
    convert = converted_folder(tmp_path)
    convert.mkdir(parents=True)
    (convert / "88.tflite").write_bytes(tiny_keywords())
    Converted(("stem",), (ConvertedMode("88", "88.tflite", ()),)).save(convert)
    monkeypatch.setattr(around, "row_codes_of", lambda source: known)
    recipe = cast(Recipe, SimpleNamespace(features=FeaturesSection("mlperf-kws"), source="mnist5k"))
    found = around.surroundings_of(recipe, tmp_path)
    assert found is not None
    assert isinstance(found.front, AudioTables)
    own = found.front.spec.codes
    assert own != Codes(0.25, -7) if known is None else own == Codes(0.25, -7)
    none = cast(Recipe, SimpleNamespace(features=FeaturesSection(), source="mnist5k"))
    assert around.surroundings_of(none, tmp_path) is None
