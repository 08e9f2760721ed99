# SPDX-License-Identifier: Apache-2.0
"""The generator as a whole: which files it writes."""

from __future__ import annotations

from pathlib import Path

from dimmer.firmware_gen.emit.known_answers import KnownAnswers
from dimmer.firmware_gen.emit.policy import even_policy
from dimmer.firmware_gen.generate import generate
from dimmer.firmware_gen.read.modes import ModeSource
from tests.firmware_gen.modes import write_modes
from tests.firmware_gen.networks import tiny_resnet, tiny_state


def test_an_unchanged_file_is_left_alone(tmp_path: Path) -> None:
    modes = write_modes(tmp_path)
    before = [path.stat().st_mtime_ns for path in generate(modes, tmp_path / "out").files]
    assert before == [path.stat().st_mtime_ns for path in generate(modes, tmp_path / "out").files]
    assert not list((tmp_path / "out").glob(".*"))


def test_files_carry_the_model_s_name(tmp_path: Path) -> None:
    model = generate(
        write_modes(tmp_path), tmp_path / "out", None, KnownAnswers(bytes(300), (bytes(6),) * 3), name="My Net"
    )
    assert [path.name for path in model.sources] == ["dimmer_my_net.c", "dimmer_my_net_known_answers.c"]
    headers = {path.name for path in model.files} - {path.name for path in model.sources}
    assert headers == {
        *("dimmer_my_net.h", "dimmer_my_net_known_answers.h", "dimmer_model.h", "dimmer_known_answers.h")
    }
    assert set(model.files) == set((tmp_path / "out").iterdir())


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    modes = write_modes(tmp_path)
    first = generate(modes, tmp_path / "first", even_policy(3)).files
    second = generate(modes, tmp_path / "second", even_policy(3)).files
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_what_is_reported_adds_up(tmp_path: Path) -> None:
    answers = KnownAnswers(bytes(300), (bytes(6),) * 3)
    model = generate(write_modes(tmp_path), tmp_path / "out", core="cortex-m4", known_answers=answers)
    assert all(path.is_file() for path in model.files)
    assert (model.modes, model.positions) == (("888", "880", "800"), 5)
    assert (model.input_bytes, model.output_bytes) == (10 * 10 * 3, 6)
    assert model.weight_bytes + model.parameter_bytes == sum(constant.size for constant in model.constants)
    assert set(model.kernels) == {step.kernel for step in model.steps}
    assert {choice.chosen.kernel for choice in model.choices} <= set(model.kernels)
    assert max(buffer.offset + buffer.size for buffer in model.buffers) <= model.arena


def test_the_bytes_of_state_are_told(tmp_path: Path) -> None:
    path = tmp_path / "state.tflite"
    path.write_bytes(tiny_state())
    assert generate([ModeSource("state", path)], tmp_path / "out").state_bytes == 2 * 18
    path.write_bytes(tiny_resnet())
    assert generate([ModeSource("plain", path)], tmp_path / "out").state_bytes == 0
