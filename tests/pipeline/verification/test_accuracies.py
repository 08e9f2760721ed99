# SPDX-License-Identifier: Apache-2.0
"""The modes on the whole test set: once for all targets, and never twice for one mode."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dimmer.pipeline import firmware, verify
from dimmer.pipeline.artifacts.calibration import Statistics
from dimmer.pipeline.artifacts.verification import ModeAccuracy, accuracy_folder
from dimmer.pipeline.core.stage import StageResult
from dimmer.pipeline.data.dataset import Split
from dimmer.pipeline.modes.mode import Mode
from dimmer.pipeline.networks.measure import accuracy
from dimmer.pipeline.verification import accuracies
from dimmer.pipeline.verification.accuracies import accuracy_in_float, measure_accuracies
from dimmer.pipeline.verification.backends import Subjects
from dimmer.pipeline.verification.order import order_of
from dimmer.pipeline.verification.stages import accuracy_stage
from dimmer.targets import load_target
from tests.pipeline.networks.anomalies import anomalies, autoencoder
from tests.tiny import TinyBuild, silent

pytestmark = pytest.mark.xdist_group("tiny")

MODES = ["88.88", "88.80", "80.80"]


def measured(tiny: TinyBuild) -> StageResult:
    firmware.run(tiny.recipe, tiny.build, load_target("host"), silent)
    return accuracy_stage(tiny.recipe, tiny.build, silent).run()


def test_every_mode_of_the_host_s_firmware_is_measured_in_int8_and_in_float(tiny_converted: TinyBuild) -> None:
    measured(tiny_converted)
    found = [ModeAccuracy.load(accuracy_folder(tiny_converted.build), name) for name in MODES]
    for mode in found:
        assert mode.scores.samples == 1000
        assert mode.accuracy == pytest.approx(mode.scores.figures[0].value)
        assert mode.accuracy == pytest.approx(mode.accuracy_float, abs=0.05)
    assert len({mode.accuracy for mode in found}) > 1


def test_in_float_the_limit_of_anomalies_is_that_of_validation() -> None:
    network, data, mode = autoencoder(), anomalies(), Mode.parse("80.8.80")
    found = accuracy_in_float(network, str(mode), Statistics({}), data)
    assert 100 * found == pytest.approx(accuracy(network, data.test, mode, validation=data.val))
    assert 100 * found < accuracy(network, data.test, mode), "a limit of the test samples would look better"


def test_another_target_s_verification_measures_nothing_again(tiny_converted: TinyBuild) -> None:
    measured(tiny_converted)
    assert measured(tiny_converted).cached
    host = load_target("host")
    assert (
        accuracy_folder(tiny_converted.build)
        in verify.stage(tiny_converted.recipe, tiny_converted.build, host, silent).inputs
    )


def test_a_run_that_was_stopped_goes_on_behind_what_it_had(
    tiny_converted: TinyBuild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(tiny_converted)
    for name in MODES[:2]:
        ModeAccuracy.load(accuracy_folder(tiny_converted.build), name).save(tmp_path)
    # The last bytes of the second were lost.
    damaged = tmp_path / f"{MODES[1]}.json"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    ran, outputs = [], accuracies.outputs_on_host

    def counted(subjects: Subjects, mode: int, test: Split) -> NDArray[np.float64]:
        ran.append(mode)
        return outputs(subjects, mode, test)

    monkeypatch.setattr(accuracies, "outputs_on_host", counted)
    measure_accuracies(order_of(tiny_converted.recipe), tiny_converted.build, tmp_path, silent)
    assert ran == [1, 2]
    for name in MODES:
        assert ModeAccuracy.load(tmp_path, name) == ModeAccuracy.load(accuracy_folder(tiny_converted.build), name)
