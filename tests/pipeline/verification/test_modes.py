# SPDX-License-Identifier: Apache-2.0
"""Verification finds what is wrong, and counts it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from dimmer.errors import DimmerError
from dimmer.firmware_gen.read.modes import ModeSource
from dimmer.pipeline.artifacts.converted import RESULT, Converted
from dimmer.pipeline.artifacts.verification import Compared, Outcome, Verified, verify_folder
from dimmer.pipeline.data.encoding import to_int8
from dimmer.pipeline.data.registry import load_dataset
from dimmer.pipeline.verification.backends import Subjects, find_subjects
from dimmer.pipeline.verification.modes import compare_backends, compare_firmware, refuse_mismatches
from dimmer.pipeline.verification.schedules import switch_schedules
from dimmer.targets import load_target
from tests.boards import EVERY_TARGET, SLOW_SIMULATED_PARAMS
from tests.tiny import TinyBuild, silent

BY_DEFAULT = ("host", "mps2-an386")
"""Of the other boards `tests/pipeline/image/test_make.py` shows by default that every mode is exact, and
`tests/targets/test_app.py` every switch."""


def slow_but(param: ParameterSet) -> object:
    chosen = param.values[0] in BY_DEFAULT
    return pytest.param(*param.values, marks=[*param.marks, *([] if chosen else [pytest.mark.slow])])


@pytest.mark.parametrize("name", [*map(slow_but, EVERY_TARGET), *SLOW_SIMULATED_PARAMS])
def test_every_mode_and_every_switch_equals_the_interpreter(tiny_converted: TinyBuild, name: str) -> None:
    from dimmer.pipeline import firmware
    from dimmer.pipeline import verify as stage

    for target in dict.fromkeys(("host", name)):
        firmware.run(tiny_converted.recipe, tiny_converted.build, load_target(target), silent)
    stage.run(tiny_converted.recipe, tiny_converted.build, load_target(name), silent)
    result = Verified.load(verify_folder(tiny_converted.build, name))
    few = load_target(name).runner.samples
    assert [mode.name for mode in result.modes] == ["88.88", "88.80", "80.80"]
    for mode in result.modes:
        assert mode.host == Outcome(4, 0, None)
        assert mode.target == Outcome(few or 4, 0, None)
        assert mode.accuracy == pytest.approx(mode.accuracy_float, abs=0.05)
    assert result.switches.target is not None
    assert result.switches.schedules > 20
    assert result.switches.target.samples == (few or result.switches.schedules)
    assert result.switches.target.mismatches == 0
    assert (result.target, result.test_images, result.gates) == (name, 1000, None)


def test_a_target_whose_runs_take_long_is_compared_on_fewer_and_says_so(tiny_converted: TinyBuild) -> None:
    from dimmer.pipeline import firmware

    host = load_target("host")
    firmware.run(tiny_converted.recipe, tiny_converted.build, host, silent)
    few = replace(host, name="few", runner=replace(host.runner, samples=2))
    subjects = find_subjects(tiny_converted.build, host)
    subjects = replace(subjects, target=replace(subjects.host, target=few))
    images = to_int8(load_dataset(tiny_converted.recipe.model.dataset).test.images)
    found = compare_backends(subjects, images, 4, silent)
    assert set(found["host"].modes) == {Outcome(4, 0, None)}
    assert set(found["few"].modes) == {Outcome(2, 0, None)}
    assert found["few"].switches == Outcome(2, 0, None)
    assert found["host"].switches is not None
    assert found["host"].switches.samples > 20


def test_a_firmware_that_computes_something_else_is_refused(tiny_converted: TinyBuild, tmp_path: Path) -> None:
    """The file of one mode under the name of another gives other results, and verification must say so."""
    from dimmer.pipeline import firmware

    wrong = tmp_path / "build"
    for stage in ("convert", "calibrate"):
        shutil.copytree(tiny_converted.build / stage, wrong / stage)
    firmware.run(tiny_converted.recipe, wrong, load_target("host"), silent)
    converted = Converted.load(wrong / "convert")
    first, second, third = converted.modes
    swapped = (replace(first, name=third.name), second, replace(third, name=first.name))
    replace(converted, modes=swapped).save(wrong / "convert")
    assert json.loads((wrong / "convert" / RESULT).read_text())["modes"][0]["name"] == "80.80"
    out = tmp_path / "out"
    out.mkdir()
    recipe = tiny_converted.recipe
    with pytest.raises(DimmerError, match=r"differs from the TFLite interpreter in [1-9]"):
        compare_firmware(recipe.source, recipe.verify.images, wrong, load_target("host"), out, silent)
    assert not list(out.iterdir())


def test_the_image_that_differs_is_named_and_the_schedule() -> None:
    names, right = ("88.88", "88.80", "80.80"), Outcome(4, 0, None)
    sources = tuple(ModeSource(name, Path(name), ("a", "b")) for name in names)
    subjects = Subjects(sources, None, None, 10)  # type: ignore[arg-type]
    refuse_mismatches(subjects, {"host": Compared((right,) * 3, None)}, 4)
    refuse_mismatches(subjects, {"host": Compared((right,) * 3, Outcome(20, 0, None))}, 4)
    wrong = Compared((right, Outcome(4, 2, 3), right), None)
    with pytest.raises(DimmerError, match=r"in 2 of 4 inferences \(88\.80, first at test image 3\); do not flash it"):
        refuse_mismatches(subjects, {"host": wrong}, 4)
    assert switch_schedules(3, 3)[3] == (2, 2, 0)
    schedule = r"schedule 3: 80\.80 then 80\.80 then 88\.88"
    told = rf"in 1 of 20 inferences \(switches within an inference, {schedule}, first at test image 1\); do not"
    with pytest.raises(DimmerError, match=told):
        refuse_mismatches(subjects, {"host": Compared((right,) * 3, Outcome(20, 1, 3))}, 2)
