# SPDX-License-Identifier: Apache-2.0
"""What quantising does to a mode, simulated."""

import dataclasses

import pytest

from dimmer.calibration.ranges import Range
from dimmer.pipeline.artifacts.calibration import Calibration, Statistics, calibration_folder
from dimmer.pipeline.artifacts.trained import load_network
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.subnets.accuracies import measure_quantised
from dimmer.pipeline.subnets.images import calibration_images
from dimmer.pipeline.subnets.norms import choose_norms
from dimmer.pipeline.subnets.ranges import Ranges
from tests.tiny import TinyBuild, silent

pytestmark = pytest.mark.xdist_group("tiny")


@dataclasses.dataclass(frozen=True)
class Given(Ranges):
    """The ranges of a calibration, as they were saved."""

    calibration: Calibration

    def of(self, mode: str) -> dict[str, Range]:
        return {site: Range(low, high) for site, (low, high) in self.calibration.ranges(mode).items()}


def test_accuracy_and_errors_are_those_that_were_saved(tiny: TinyBuild) -> None:
    recipe, folder = tiny.recipe, calibration_folder(tiny.build)
    calibration = Calibration.load(folder)
    assert not Statistics.load(folder).of("88.88")
    images = calibration_images(load_dataset("mnist5k"), recipe.calibration, recipe.selection, recipe.train.seed)
    as_trained = dataclasses.replace(recipe.calibration, recalibrate_bn=False)
    subnets = choose_norms(load_network(recipe), [Mode.parse("88.88")], as_trained, images, silent)
    (found,) = measure_quantised(subnets, Given({}, calibration), images, silent)
    saved = calibration.mode("88.88")
    assert found.measured.accuracy == saved.accuracy
    assert found.measured.loss == pytest.approx(saved.loss, rel=1e-4)
    assert list(found.errors) == list(saved.sites)
    for site, error in found.errors.items():
        assert error.sqnr_db == pytest.approx(saved.sites[site].sqnr_db, abs=0.1)
        assert error.clipped == pytest.approx(saved.sites[site].clipped, abs=1e-3)
