# SPDX-License-Identifier: Apache-2.0
"""The firmwares that are compared."""

from dataclasses import replace
from pathlib import Path

from dimmer.pipeline.artifacts.converted import Converted, ConvertedMode, converted_folder
from dimmer.pipeline.artifacts.firmware import FirmwareMode, firmware_folder
from dimmer.pipeline.verification.backends import find_subjects
from dimmer.targets import load_target
from tests.firmware_gen.modes import write_modes
from tests.pipeline.artifact_examples import firmware


def build(folder: Path) -> Path:
    """The host's firmware has all three modes, the board's only the first and the last."""
    converted = converted_folder(folder)
    converted.mkdir()
    entries = tuple(ConvertedMode(m.name, m.path.name, m.boundaries) for m in write_modes(converted))
    Converted(("stem", "0.0", "0.1", "0.2", "head"), entries).save(converted)
    for target, names in (("host", ("888", "880", "800")), ("mps2-an386", ("888", "800"))):
        modes = tuple(FirmwareMode(name, 1, None, None) for name in names)
        replace(firmware(), modes=modes).save(firmware_folder(folder, target))
    return folder


def test_modes_that_a_board_lacks_are_not_compared(tmp_path: Path) -> None:
    subjects = find_subjects(build(tmp_path), load_target("mps2-an386"))
    assert [source.name for source in subjects.sources] == ["888", "800"]
    assert (subjects.host.ids, subjects.target.ids) == ((0, 2), (0, 1))
    assert [backend.name for backend in subjects.backends] == ["host", "mps2-an386"]
    assert subjects.target.elf == firmware_folder(tmp_path, "mps2-an386") / "firmware.elf"
    assert subjects.positions == 5
    assert subjects.output_bytes == 6


def test_the_host_is_compared_once(tmp_path: Path) -> None:
    subjects = find_subjects(build(tmp_path), load_target("host"))
    assert subjects.host.ids == (0, 1, 2)
    assert [backend.name for backend in subjects.backends] == ["host"]
